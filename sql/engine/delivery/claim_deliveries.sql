create or replace function sluice.claim_deliveries(
  pipeline text, epoch bigint, held bigint[] default '{}', max_rows integer default 16,
  parcel_rows integer default null, target text default null, only_deletes boolean default false,
  only_upserts boolean default false, up_to bigint default null)
returns table (delivery_id bigint, state text, key jsonb, operation text, idempotency_key text, body text,
  is_repeated boolean, error text, parcel uuid)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_pipeline sluice.pipelines;
  v_state    sluice.delivery_state;
  v_repeated bigint[];
  v_unsent   bigint[];
begin
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  v_pipeline := sluice._find_delivering(claim_deliveries.pipeline, claim_deliveries.target);
  v_state := sluice._lock_delivery(v_pipeline, claim_deliveries.epoch);

  -- Of what was sent together, all or nothing: the other side knows it by what is in it.
  v_repeated := array(
    select o.delivery_id from sluice.outbox o
    where (o.pipeline_id, o.route) = (v_state.pipeline_id, v_state.route) and o.state = 'in_flight'
      and o.parcel is not null and o.delivery_id <> all (held)
    for update);
  v_repeated := v_repeated || array(
    select o.delivery_id from sluice.outbox o
    where (o.pipeline_id, o.route) = (v_state.pipeline_id, v_state.route) and o.state = 'in_flight'
      and o.parcel is null and o.delivery_id <> all (held)
    order by o.delivery_id limit max_rows - cardinality(v_repeated) for update);
  perform sluice._repeat_claimed(v_pipeline, v_repeated);
  v_unsent := array(
    select o.delivery_id from sluice.outbox o
    where (o.pipeline_id, o.route) = (v_state.pipeline_id, v_state.route) and o.state = 'unsent'
      and (o.operation = 'delete' or not only_deletes) and (o.operation <> 'delete' or not only_upserts)
      and (o.delivery_id <= up_to or up_to is null) and o.delivery_id <> all (held) and not exists (
      select from sluice.outbox f
      where f.pipeline_id = o.pipeline_id and f.route = o.route and f.key_hash = o.key_hash
        and f.state = 'in_flight')
    -- A batch that has it locked is about to supersede it.
    order by o.delivery_id limit greatest(max_rows - cardinality(v_repeated), 0) for update skip locked);
  -- Of two of a key, as one that was given back and what a batch noted meanwhile, the older one goes first.
  v_unsent := array(
    select min(o.delivery_id) as first_id from sluice.outbox o where o.delivery_id = any (v_unsent)
    group by o.key_hash order by first_id);
  perform sluice._write_claimed(v_pipeline, v_state, v_unsent);

  if parcel_rows is not null then
    perform sluice._pack(v_pipeline.name, parcel_rows, array(
      select o.delivery_id from sluice.outbox o
      where o.delivery_id = any (v_repeated || v_unsent) and o.state = 'in_flight' and o.parcel is null));
  end if;
  return query
  select o.delivery_id, o.state, o.key, o.operation, sluice._idempotency_key(v_pipeline.name, o), o.body,
    o.delivery_id = any (v_repeated), o.error, o.parcel
  from sluice.outbox o
  where o.delivery_id = any (v_repeated || v_unsent) and o.state <> 'unsent'
  order by o.delivery_id <> all (v_repeated),
    min(o.delivery_id) over (partition by coalesce(o.parcel::text, o.delivery_id::text)), o.delivery_id;
end
$$;

comment on function sluice.claim_deliveries(text, bigint, bigint[], integer, integer, text, boolean, boolean, bigint) is
$$The next deliveries to send, at most max_rows, noted as in flight: commit before the requests are made. First those
that are in flight and not held (is_repeated: they may have been sent before), then unsent ones, none of a key of which
one is in flight. state: in_flight is to be sent; filtered, dead and superseded have been decided here, error says why.
held: deliveries that this sender is working on, or has put off.
parcel_rows: how many go together, as a parcel by which the other side recognises a repeat: one request, or one
  transaction.
target: see start_delivery. only_deletes, only_upserts: of unsent ones only these; up_to: only those that were noted up
to this one. SL001 when the sender was deposed.$$;

-- As long as the server remembers the key a repeat does no harm. A database remembers for ever.
create or replace function sluice._repeat_claimed(p_pipeline sluice.pipelines, p_ids bigint[])
returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  update sluice.outbox o set attempts = o.attempts + 1,
    state = case when d.is_forgotten then 'dead' else o.state end,
    error = case when d.is_forgotten then format('whether the attempt of %s arrived is not known, and the server may '
        'have forgotten its key: look there, then redeliver or discard it', date_trunc('second', o.attempted_at))
      else o.error end
  from (
    select i.delivery_id, p_pipeline.deliver ->> 'kind' = 'http' and i.attempted_at
      < now() - make_interval(hours => coalesce((p_pipeline.deliver ->> 'key_hours')::integer, 24)) as is_forgotten
    from sluice.outbox i where i.delivery_id = any (p_ids)) d
  where o.delivery_id = d.delivery_id
$$;

-- 16 MiB are taken into hand at a time, the oldest first (p_ids). Rows may be large: few are looked at before many are.
create or replace function sluice._write_claimed(
  p_pipeline sluice.pipelines, p_state sluice.delivery_state, p_ids bigint[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_room bigint := 16 << 20;
  v_done integer := 0;
  v_upto integer;
  v_sql  text;
  v_made record;
begin
  if p_ids = '{}' then
    return;
  end if;
  if sluice._is_distributed(to_regclass(p_pipeline.target)) then
    perform sluice._fetch_delivered(p_pipeline, p_ids);
  end if;
  v_sql := sluice._body_sql(p_pipeline, p_state.body_function);
  while v_done < cardinality(p_ids) and v_room > 0 loop
    v_upto := greatest(4, 2 * v_done);
    v_made := sluice._make_bodies(p_pipeline.name, v_sql, p_state.search_path, p_ids[v_done + 1:v_upto]);
    update sluice.outbox o set state = d.state,
      closed_at = case when d.state in ('filtered', 'superseded') then clock_timestamp() end,
      body = case d.state when 'in_flight' then d.body end,
      attempts = case d.state when 'in_flight' then 1 else o.attempts end,
      attempted_at = case d.state when 'in_flight' then clock_timestamp() end,
      error = case
        when d.error is not null or d.state in ('in_flight', 'filtered') then d.error
        when o.operation = 'delete' then 'a row with its key is there again'
        when p_pipeline.deliver ->> 'deletes' = 'false' then 'the row is not in the target any more'
        else 'the row is not in the target any more, and no batch deleted it' end
    from (
      select m.*, sum(octet_length(m.body)) over (order by m.delivery_id) - octet_length(m.body) < v_room as is_room,
        case
          when m.error is not null then 'dead'
          -- Another writer may have put the row back, or taken it away.
          when m.is_there is distinct from (i.operation <> 'delete') then case
            when i.operation = 'delete' or p_pipeline.deliver ->> 'deletes' = 'false' or exists (
              select from sluice.outbox n where n.pipeline_id = i.pipeline_id and n.route = i.route
                and n.key_hash = i.key_hash and n.delivery_id > i.delivery_id) then 'superseded' else 'dead' end
          when m.body is null then 'filtered'
          else 'in_flight' end as state
      from unnest(v_made.ids, v_made.are_there, v_made.bodies, v_made.errors) m (delivery_id, is_there, body, error)
      join sluice.outbox i using (delivery_id)) d
    where o.delivery_id = d.delivery_id and d.is_room is not false;
    v_room := v_room - (select coalesce(sum(octet_length(b.body)), 0) from unnest(v_made.bodies) b (body));
    v_done := v_upto;
  end loop;
end
$$;

comment on function sluice._write_claimed(sluice.pipelines, sluice.delivery_state, bigint[]) is
  'Makes the bodies of deliveries, notes those that can be sent as in flight, and decides about the others.';
