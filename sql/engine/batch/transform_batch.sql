create or replace function sluice.transform_batch(origins jsonb default '[]')
returns table (extracted bigint, transformed bigint, filtered bigint, quarantined bigint, produced bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_batch   record;
  v_staged  record;
  v_known   bigint := 0;
  v_counted record;
begin
  begin
    select * into strict v_batch from pg_temp.sluice_batch, pg_temp.sluice_compiled;
  exception when no_data_found or undefined_table then
    raise exception using errcode = 'SL002', message = 'no batch is open in this transaction',
      hint = 'begin; select * from sluice.begin_batch(...) comes first';
  end;
  update pg_temp.sluice_batch set origins = transform_batch.origins;

  insert into pg_temp.sluice_faults (ordinal, sqlstate, message)
  select u.ordinal, u.sqlstate, u.message from pg_temp.sluice_unreadable u;

  select count(*) as records, array_agg(s.digest) filter (where s.digest < sluice._anchor_limit()) as anchors into v_staged
  from pg_temp.sluice_staging s;
  if v_batch.made_for is not null and v_staged.anchors is not null then
    v_known := sluice._find_known(v_batch.pipeline_id, v_batch.target, v_batch.made_for, v_staged.anchors);
  end if;
  if v_known < v_staged.records then
    perform sluice._transform_records(null);
  end if;

  v_counted := sluice._count_records(v_staged.records);
  update pg_temp.sluice_batch set
    staged = v_staged.records, extracted = v_counted.extracted, transformed = v_counted.transformed, filtered = v_counted.filtered,
    quarantined = v_counted.quarantined, produced = v_counted.produced, superseded = v_counted.superseded, known = v_counted.known;
  return query select v_counted.extracted, v_counted.transformed, v_counted.filtered, v_counted.quarantined, v_counted.produced;
end
$$;

comment on function sluice.transform_batch(jsonb) is
  'Second step of a batch: parses, transforms, types, hashes and validates the staged payloads, but for those it recognises and whose row stands. Writes temporary tables only. origins: where the records came from, [{"first_ordinal": 0, "origin": "drop/a.ndjson"}, ...]. The result does not depend on the settings of the session.';
