create or replace function sluice.claim_deliveries(
  pipeline text, epoch bigint, held bigint[] default '{}', max_rows integer default 16)
returns table (delivery_id bigint, state text, key jsonb, operation text, idempotency_key text, body text,
  is_repeated boolean, error text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_pipeline sluice.pipelines;
  v_state    sluice.delivery_state;
  v_body_sql text;
  v_count    integer := 0;
  v          sluice.outbox;
begin
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  v_pipeline := sluice._find_delivering(claim_deliveries.pipeline);
  v_state := sluice._lock_delivery(v_pipeline.pipeline_id, claim_deliveries.epoch);
  v_body_sql := sluice._body_sql(v_pipeline, v_state.body_function);

  for v in
    select o.* from sluice.outbox o
    where o.pipeline_id = v_pipeline.pipeline_id and o.state = 'in_flight' and o.delivery_id <> all (held)
    order by o.delivery_id limit max_rows for update
  loop
    v.attempts := v.attempts + 1;
    is_repeated := true;
    -- As long as the server remembers the key a repeat does no harm.
    if v.attempted_at < now() - make_interval(hours => coalesce((v_pipeline.deliver ->> 'key_hours')::integer, 24)) then
      v.state := 'dead';
      v.error := format('whether the attempt of %s arrived is not known, and the server may have forgotten its key: '
        'look there, then redeliver or discard it', date_trunc('second', v.attempted_at));
    end if;
    perform sluice._write_claimed(v);
    v_count := v_count + 1;
    select v.delivery_id, v.state, v.key, v.operation, sluice._idempotency_key(v_pipeline.name, v), v.body, v.error
      into delivery_id, state, key, operation, idempotency_key, body, error;
    return next;
  end loop;

  for v in
    select o.* from sluice.outbox o
    where o.pipeline_id = v_pipeline.pipeline_id and o.state = 'unsent' and not exists (
      select from sluice.outbox f
      where f.pipeline_id = o.pipeline_id and f.key_hash = o.key_hash and f.state = 'in_flight')
    -- A batch that has it locked is about to supersede it.
    order by o.delivery_id limit max_rows - v_count for update skip locked
  loop
    continue when exists (
      select from sluice.outbox f
      where f.pipeline_id = v.pipeline_id and f.key_hash = v.key_hash and f.state = 'in_flight');
    is_repeated := false;
    v := sluice._make_body(v, v_pipeline.name, v_body_sql, v_state.search_path);
    perform sluice._write_claimed(v);
    select v.delivery_id, v.state, v.key, v.operation, sluice._idempotency_key(v_pipeline.name, v), v.body, v.error
      into delivery_id, state, key, operation, idempotency_key, body, error;
    return next;
  end loop;
end
$$;

comment on function sluice.claim_deliveries(text, bigint, bigint[], integer) is
$$The next deliveries to send, at most max_rows of them, noted as in flight: commit before the requests are made. First
those that are in flight and not held (is_repeated: sent before, perhaps), then unsent ones, none of a key of which one
is in flight. state: in_flight is to be sent; filtered, dead and superseded have been decided here, error says why.
held: deliveries that this sender has in hand. SL001 when it was deposed.$$;

create or replace function sluice._write_claimed(p_delivery sluice.outbox)
returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  update sluice.outbox o set state = p_delivery.state, attempts = p_delivery.attempts, body = p_delivery.body,
    attempted_at = p_delivery.attempted_at, error = p_delivery.error,
    closed_at = case when p_delivery.state not in ('in_flight', 'dead') then clock_timestamp() end
  where o.delivery_id = p_delivery.delivery_id
$$;

-- The same for every attempt at one delivery, another for every other: a UUID (version 8) over what it is.
create or replace function sluice._idempotency_key(p_pipeline text, p_delivery sluice.outbox)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select encode(set_byte(set_byte(d.digest, 6, get_byte(d.digest, 6) & 15 | 128), 8, get_byte(d.digest, 8) & 63 | 128),
    'hex')::uuid::text
  from (
    select substr(sha256(convert_to(jsonb_build_array(p_pipeline, encode(p_delivery.key_hash, 'hex'),
      p_delivery.operation, encode(p_delivery.hash, 'hex'), p_delivery.batch_id, p_delivery.redelivery)::text, 'UTF8')),
      1, 16) as digest) d
$$;
