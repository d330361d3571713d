create or replace function sluice.capture_changes(max_rows bigint default null)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if capture_changes.max_rows < 0 then
    raise exception using errcode = 'SL005', message = format('max_rows %s is negative', capture_changes.max_rows),
      hint = 'leave it out for all changes';
  end if;
  perform set_config('sluice.capture_limit', coalesce(capture_changes.max_rows::text, ''), true);
  create temporary table sluice_changes (batch_id bigint not null, ordinal integer not null, action text not null,
    key jsonb not null, changes json) on commit drop;
end
$$;

comment on function sluice.capture_changes(bigint) is
$$From here to the end of the transaction batches note what they change in pg_temp.sluice_changes: action (insert,
update, delete; stale or unsure: left alone, as the row in the target is newer, or may be), key, and for each
changed column [old, new]. For dry runs: roll back afterwards. max_rows: only the first so many rows.$$;
