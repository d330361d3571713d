create or replace function sluice.redeliver(pipeline text, delivery_ids bigint[] default null)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id    integer;
  v_count bigint;
begin
  perform from sluice._find_routes(redeliver.pipeline);
  v_id := sluice._hold_dead_deliveries(redeliver.pipeline, redeliver.delivery_ids);
  update sluice.outbox o set state = 'unsent', redelivery = o.redelivery + 1, attempts = 0, attempted_at = null,
    parcel = null, body = null, status = null, answer = null, error = null
  where o.pipeline_id = v_id and o.state = 'dead'
    and (redeliver.delivery_ids is null or o.delivery_id = any (redeliver.delivery_ids));
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

comment on function sluice.redeliver(text, bigint[]) is
$$Lets dead deliveries be sent again; returns how many. The body is made anew, with a new idempotency key, as servers
remember what they refused. delivery_ids: only these, whatever their target; without it all of the pipeline.
Example: select sluice.redeliver('orders')$$;

create or replace function sluice.discard_deliveries(pipeline text, delivery_ids bigint[], reason text)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id    integer;
  v_count bigint;
begin
  if coalesce(trim(reason), '') = '' then
    raise exception using errcode = 'SL005', message = 'discard_deliveries needs a reason',
      hint = 'reason => ''why it need not arrive''';
  end if;
  v_id := sluice._hold_dead_deliveries(discard_deliveries.pipeline, discard_deliveries.delivery_ids);
  update sluice.outbox o set state = 'discarded', closed_at = clock_timestamp(), error = reason, body = null
  where o.pipeline_id = v_id and o.state = 'dead' and o.delivery_id = any (delivery_ids);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

comment on function sluice.discard_deliveries(text, bigint[], text) is
  'Closes dead deliveries for good, with a reason; returns how many. delivery_ids: which.';

-- Batches lock the first target alone, whichever they write to; so does whoever must not be overtaken by one.
create or replace function sluice._hold_batches(p_pipeline_id integer)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform sluice._lock_target(to_regclass(p.target)) from sluice.pipelines p where p.pipeline_id = p_pipeline_id;
end
$$;

-- Sees to it that no batch supersedes deliveries of a pipeline meanwhile, and that those given are dead (SL005);
-- returns the pipeline.
create or replace function sluice._hold_dead_deliveries(p_name text, p_ids bigint[])
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_live_pipeline(p_name);
  v_id       bigint;
  v_state    text;
begin
  perform sluice._hold_batches(v_pipeline.pipeline_id);
  select i.id, o.state into v_id, v_state from unnest(p_ids) i (id)
  left join sluice.outbox o on o.delivery_id = i.id and o.pipeline_id = v_pipeline.pipeline_id
  where o.state is distinct from 'dead' order by i.id limit 1;
  if found then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: delivery %s is %s', v_pipeline.name, v_id, coalesce(v_state, 'not known')),
      hint = format('only dead ones are redelivered or discarded: select * from sluice.deliveries where '
        'pipeline = %L and state = ''dead''', v_pipeline.name);
  end if;
  return v_pipeline.pipeline_id;
end
$$;
