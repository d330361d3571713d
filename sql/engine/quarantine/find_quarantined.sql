create or replace function sluice.find_quarantined(
  pipeline text, quarantine_ids bigint[] default null, filter text default null)
returns setof bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_live_pipeline(find_quarantined.pipeline);
  v_ids      bigint[] := sluice._chosen_records(
    v_pipeline, find_quarantined.quarantine_ids, 'quarantine_open_details', find_quarantined.filter);
begin
  return query
  select q.quarantine_id
  from sluice.quarantine q
  left join sluice._batch_arrivals() a on a.batch_id = q.last_batch_id
  where q.pipeline_id = v_pipeline.pipeline_id and q.status = 'open' and (v_ids is null or q.quarantine_id = any (v_ids))
  order by coalesce(a.arrived_at, q.last_seen_at), q.quarantine_id;
end
$$;

comment on function sluice.find_quarantined(text, bigint[], text) is
$$The open quarantined records of a pipeline, in the order they arrived: what replay and discard take.
quarantine_ids: only these; SL005 names those that are no records of the pipeline.
filter: a condition on sluice.quarantine_open_details, one expression, run with the rights of the caller.
Example: select * from sluice.find_quarantined('orders', filter => $f$ sqlstate = '22P02' $f$)$$;
