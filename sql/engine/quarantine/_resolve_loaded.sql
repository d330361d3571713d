create or replace function sluice._resolve_loaded(p_pipeline_id integer, p_version integer, p_batch_id bigint, p_run_started_at timestamptz)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_is_backfill boolean := (select b.guard = 'backfill' from pg_temp.sluice_batch b);
begin
  -- What this very run set aside cannot have been mended since.
  if exists (
    select from sluice.quarantine q
    where q.pipeline_id = p_pipeline_id and q.status = 'open' and q.last_seen_at < coalesce(p_run_started_at, now())) then
    perform sluice._close_records(array(
      select q.quarantine_id from sluice.quarantine q
      where q.pipeline_id = p_pipeline_id and q.status = 'open'
        and q.payload_sha256 = any (array(
          select sha256(convert_to(s.payload, 'UTF8')) from pg_temp.sluice_staging s
          where s.ordinal not in (select f.ordinal from pg_temp.sluice_faults f)
            and s.ordinal not in (select k.ordinal from pg_temp.sluice_known k)
            -- Left by a backfill, as it cannot tell how old it is; a replay can.
            and not (v_is_backfill and s.ordinal in (select r.sluice_ordinal from pg_temp.sluice_rows r where r.sluice_state = 'o'))))
        -- The same bytes may be good in one place and bad in another: transforms are told the place.
        and q.payload_sha256 <> all (array(
          select sha256(convert_to(s.payload, 'UTF8')) from pg_temp.sluice_staging s
          where s.ordinal in (select f.ordinal from pg_temp.sluice_faults f)))), 'loaded', p_batch_id, p_version, null);
  end if;
end
$$;

comment on function sluice._resolve_loaded(integer, integer, bigint, timestamptz) is
  'Closes open quarantined records whose bytes this batch brought again, and which it could load.';
