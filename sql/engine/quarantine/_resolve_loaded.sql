create or replace function sluice._resolve_loaded()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_looked_at constant integer := 10000;
  v         record;
  v_is_few  boolean;
  v_digests uuid[];
  v_lengths integer[];
begin
  select b.batch_id, b.owner_id, b.precedence, b.run_started_at, c.version into v
  from pg_temp.sluice_batch b, pg_temp.sluice_compiled c;
  -- What this very run quarantined cannot have been mended since.
  if not exists (
    select from sluice.quarantine q
    where q.pipeline_id = v.owner_id and q.status = 'open' and q.last_seen_at < coalesce(v.run_started_at, now()))
  then
    return;
  end if;
  perform sluice._refuse_missing_payloads(false);
  -- Open records are few and those of a batch many: only those that may be one of them are hashed. The loader's
  -- digest, if it sent one, is the first half of the hash; without it, the length rules most out.
  select count(*) <= v_looked_at, array_agg(encode(substr(q.payload_sha256, 1, 16), 'hex')::uuid),
      array_agg(distinct q.length)
    into v_is_few, v_digests, v_lengths
  from (
    select q.payload_sha256, octet_length(q.payload) as length from sluice.quarantine q
    where q.pipeline_id = v.owner_id and q.status = 'open' limit v_looked_at + 1) q;
  perform sluice._close_records(array(
    select q.quarantine_id from sluice.quarantine q
    where q.pipeline_id = v.owner_id and q.status = 'open'
      and q.payload_sha256 = any (array(
        select sha256(convert_to(s.payload, 'UTF8')) from sluice._staged_payloads() s
        where (not v_is_few or case when s.digest is not null then s.digest in (select unnest(v_digests))
            else octet_length(s.payload) in (select unnest(v_lengths)) end)
          and s.ordinal not in (select k.ordinal from pg_temp.sluice_known k)
          -- A backfill leaves it, as it cannot tell how old it is; a replay can.
          and not (v.precedence = 'backfill' and s.ordinal in (
            select r.sluice_ordinal from pg_temp.sluice_rows r where r.sluice_state = 'o'))))
      -- The same bytes may be good in one place and bad in another: transforms are told the place.
      and q.payload_sha256 <> all (array(
        select sha256(convert_to(s.payload, 'UTF8')) from sluice._staged_payloads() s
        where s.ordinal in (select f.ordinal from pg_temp.sluice_faults f)))), 'loaded', v.batch_id, v.version, null);
end
$$;

comment on function sluice._resolve_loaded() is
  'Closes open quarantined records whose bytes this batch brought again, and which it could load.';
