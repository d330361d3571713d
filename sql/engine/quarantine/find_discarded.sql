create or replace function sluice.find_discarded(
  pipeline text, quarantine_ids bigint[] default null, filter text default null)
returns setof bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_live_pipeline(find_discarded.pipeline);
  v_ids      bigint[] := sluice._chosen_records(
    v_pipeline, find_discarded.quarantine_ids, 'quarantine_discarded', find_discarded.filter);
begin
  return query
  select q.quarantine_id from sluice.quarantine q
  where q.pipeline_id = v_pipeline.pipeline_id and q.status = 'discarded'
    and (v_ids is null or q.quarantine_id = any (v_ids))
  order by q.quarantine_id;
end
$$;

comment on function sluice.find_discarded(text, bigint[], text) is
$$The discarded records of a pipeline: what reopen takes.
quarantine_ids: only these; SL005 names those that are no records of the pipeline.
filter: a condition on sluice.quarantine_discarded, one expression, run with the rights of the caller.$$;
