create or replace view sluice.deliveries as
select
  o.delivery_id as id,
  p.name as pipeline,
  o.state,
  o.operation,
  o.key,
  o.status,
  sluice._excerpt(sluice._why_undelivered(o.error, o.answer), (select sluice._width_left(40))) as error,
  coalesce(s.target, p.target) as target
from sluice.outbox o
join sluice.pipelines p using (pipeline_id)
left join sluice.delivery_state s using (pipeline_id, route)
order by o.delivery_id;

comment on view sluice.deliveries is
$$Rows that batches wrote, on their way to where their pipeline delivers. state: unsent, in_flight (its outcome is not
known), sent, dead (refused: sluice.redeliver, sluice.discard_deliveries), superseded (a newer change of the key is sent
instead), filtered (its body is null), discarded. What is done goes after keep_days. sluice.deliveries_details has
request and answer.$$;

create or replace view sluice.deliveries_details as
select
  o.delivery_id as id,
  p.name as pipeline,
  o.state,
  o.operation,
  o.key,
  sluice._idempotency_key(p.name, o) as idempotency_key,
  o.batch_id as batch,
  o.attempts,
  o.redelivery as redeliveries,
  o.status,
  o.error,
  o.answer,
  o.body,
  o.noted_at,
  o.attempted_at,
  o.closed_at,
  coalesce(s.target, p.target) as target,
  sluice._why_undelivered(o.error, o.answer) as reason
from sluice.outbox o
join sluice.pipelines p using (pipeline_id)
left join sluice.delivery_state s using (pipeline_id, route)
order by o.delivery_id;

comment on view sluice.deliveries_details is
$$Rows that batches wrote, on their way to where their pipeline delivers, with the idempotency key, what is sent (body,
of those in flight or dead), and what the server answered last.$$;
