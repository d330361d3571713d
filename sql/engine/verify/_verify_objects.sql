create or replace function sluice._verify_objects(p_pipeline_id integer, out is_ok boolean, out detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- for the pipeline at hand, see sluice.verify
as $$
begin
  with found as (
    select coalesce(o.object, l.object) as object, case
      when o.object is null then format('%s is read in the ledger, and not in the state', l.object)
      when l.object is null then format('%s is read in the state, and not in the ledger', o.object)
      when (o.identity, o.position, o.is_done) is distinct from (l.identity, l.position, l.is_done)
        then format('%s is read up to %s in the state, up to %s in the ledger', o.object, o.position, l.position)
      end as what
    from (select * from sluice.source_objects o where o.pipeline_id = p_pipeline_id) o
    full join sluice._objects_at(p_pipeline_id,
      (select max(b.batch_seq) from sluice.batches b where b.pipeline_id = p_pipeline_id)) l
      on l.object = o.object
  )
  select count(what) = 0, coalesce(sluice._first_and_more(array_agg(what order by object)
    filter (where what is not null)),
    case when count(*) = 0 then 'the source has none'
      else format('files and objects: %s, as the ledger left them', count(*)) end)
    into is_ok, detail
  from found;
end
$$;

comment on function sluice._verify_objects(integer) is
  'Whether files and objects are as far as the ledger says.';
