create or replace function sluice.transform_batch(origins jsonb default '[]')
returns table (extracted bigint, transformed bigint, filtered bigint, quarantined bigint, produced bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_staged  record;
  v_known   bigint := 0;
  v_records bigint;
  v_rows    bigint;
begin
  perform sluice._advance_batch('opened', 'transformed');
  update pg_temp.sluice_batch b set origins = transform_batch.origins;
  insert into pg_temp.sluice_origins (first_ordinal, origin, meta)
  select o.first_ordinal, o.origin, o.meta from sluice._origins(transform_batch.origins) o;

  insert into pg_temp.sluice_faults (ordinal, sqlstate, message)
  select u.ordinal, u.sqlstate, u.message from pg_temp.sluice_unreadable u;

  select count(*) as records, array_agg(s.digest) filter (where s.digest < sluice._anchor_limit()) as anchors
    into v_staged from sluice._staged() s;
  update pg_temp.sluice_batch b
  set extracted = v_staged.records + (select count(*) from pg_temp.sluice_unreadable);
  if v_staged.anchors is not null then
    v_known := sluice._find_known(v_staged.anchors);
  end if;
  if v_known < v_staged.records then
    select t.records, t.rows into v_records, v_rows from sluice._transform_records(null) t;
  end if;
  perform sluice._count_records(v_records, v_rows);
  update pg_temp.sluice_batch b set fields = sluice._sample_fields() where b.kind = 'load';
  return query select b.extracted, b.transformed, b.filtered, b.quarantined, b.produced from pg_temp.sluice_batch b;
end
$$;

comment on function sluice.transform_batch(jsonb) is
$$Second step of a batch: parses, transforms, types, hashes and validates the staged records, except those that it
recognises and whose row is unchanged. Writes temporary tables only. The result does not depend on the settings of the
session. SL002 when no batch is open, or this one has been transformed.
origins: where the records came from, [{"first_ordinal": 0, "origin": "drop/a.ndjson"}, ...].$$;
