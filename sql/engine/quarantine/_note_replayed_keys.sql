-- A batch of replayed records is noted with an empty key_hash first; so are the replays of before this table was
-- there, by the migration that made it. Their keys follow when they are needed.
create or replace function sluice._note_replayed_keys(p_target oid)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_replay record;
begin
  -- Mostly nothing; and who only reads may not delete.
  if not exists (select from sluice.replayed_keys r where r.key_hash = '') then
    return;
  end if;
  for v_replay in
    delete from sluice.replayed_keys r
    using sluice.batches b, sluice.pipelines p, sluice.transforms t
    where r.key_hash = '' and b.batch_id = r.batch_id and p.pipeline_id = b.pipeline_id
      and p.target = sluice._qualified_name(p_target)
      and t.pipeline_id = b.pipeline_id and t.version = b.version
    returning r.batch_id, t.key
  loop
    execute (
      select format($sql$insert into sluice.replayed_keys (batch_id, key_hash, arrived_at, read_by)
select $1, %s as key_hash, max(coalesce(a.arrived_at, q.last_seen_at)),
  -- Of several records with the key the last one counts, and those of the pipeline itself came later.
  case when min(a.read_by) = max(a.read_by) then min(a.read_by) end
from sluice.quarantine q
cross join lateral pg_catalog.jsonb_array_elements(q.keys) x (key)
cross join lateral pg_catalog.jsonb_to_record(x.key) as k (%s)
left join sluice._batch_arrivals() a on a.batch_id = q.last_batch_id
where q.resolved_batch_id = $1
group by key_hash$sql$,
        sluice._key_hash(p_target, v_replay.key, 'k'), string_agg(format('%I %s', c.column_name, c.type_name), ', '))
      from sluice._target_columns(p_target, v_replay.key) c) using v_replay.batch_id;
  end loop;
end
$$;

comment on function sluice._note_replayed_keys(oid) is
  'Notes by key when the records arrived that replays have loaded into a target, where that is still to be done.';
