create or replace function sluice._verify_deliveries(p_pipeline sluice.pipelines, out is_ok boolean, out detail text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select f.overtaken = '{}', coalesce(sluice._first_and_more(nullif(f.overtaken, '{}')), (
      select format('sent: %s, unsent: %s, in flight: %s, dead: %s', s.sent_count,
        count(*) filter (where o.state = 'unsent'), count(*) filter (where o.state = 'in_flight'),
        count(*) filter (where o.state = 'dead'))
      from sluice.delivery_state s left join sluice.outbox o using (pipeline_id)
      where s.pipeline_id = p_pipeline.pipeline_id group by s.pipeline_id))
  from (
    select coalesce(array_agg(format('delivery %s of %s was overtaken by %s', o.delivery_id, o.key, n.delivery_id)
      order by o.delivery_id), '{}') as overtaken
    from sluice.outbox o
    join sluice.outbox n on n.pipeline_id = o.pipeline_id and n.key_hash = o.key_hash and n.delivery_id > o.delivery_id
    where o.pipeline_id = p_pipeline.pipeline_id and o.state in ('unsent', 'in_flight')
      and n.state in ('in_flight', 'sent')) f
$$;

comment on function sluice._verify_deliveries(sluice.pipelines) is
  'Whether the deliveries of each key were sent in the order in which they were noted.';
