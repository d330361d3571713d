-- Deliveries that are sent together are a parcel. Its name is made of what is in it and how often that was attempted,
-- so that the same content is the same parcel, and what is left of one that was decided in part is another.
create or replace function sluice._pack(p_pipeline text, p_rows integer, p_ids bigint[])
returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  update sluice.outbox o set parcel = p.parcel
  from (
    select array_agg(i.delivery_id) as ids, sluice._uuid_of(jsonb_agg(jsonb_build_array(
      sluice._idempotency_key(p_pipeline, i.delivery), i.attempts) order by i.delivery_id)) as parcel
    from (
      select o.delivery_id, o.attempts, o as delivery,
        (row_number() over (order by o.delivery_id) - 1) / p_rows as place
      from sluice.outbox o where o.delivery_id = any (p_ids)) i
    group by i.place) p
  where o.delivery_id = any (p.ids)
$$;

comment on function sluice._pack(text, integer, bigint[]) is
  'Makes parcels of p_rows deliveries each, in their order.';

create or replace function sluice.split_parcel(
  pipeline text, epoch bigint, delivery_ids bigint[], target text default null)
returns table (delivery_id bigint, parcel uuid)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_pipeline sluice.pipelines := sluice._find_delivering(split_parcel.pipeline, split_parcel.target);
begin
  perform sluice._lock_delivery(v_pipeline, split_parcel.epoch);
  perform sluice._pack(v_pipeline.name, (cardinality(delivery_ids) + 1) / 2, array(
    select o.delivery_id from sluice.outbox o
    where o.pipeline_id = v_pipeline.pipeline_id and o.delivery_id = any (delivery_ids) and o.state = 'in_flight'));
  return query
  select o.delivery_id, o.parcel from sluice.outbox o
  where o.pipeline_id = v_pipeline.pipeline_id and o.delivery_id = any (delivery_ids) and o.state = 'in_flight'
  order by o.delivery_id;
end
$$;

comment on function sluice.split_parcel(text, bigint, bigint[], text) is
$$Splits a parcel that was refused as a whole into two, to find the delivery that is to blame; commit before they are
sent. delivery_ids: what is in it. Called again it makes the same two. target: see start_delivery. SL001 when the sender
was deposed.$$;

-- A UUID (version 8) over what it is of.
create or replace function sluice._uuid_of(p_value jsonb)
returns uuid
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select encode(set_byte(set_byte(d.digest, 6, get_byte(d.digest, 6) & 15 | 128), 8, get_byte(d.digest, 8) & 63 | 128),
    'hex')::uuid
  from (select substr(sha256(convert_to(p_value::text, 'UTF8')), 1, 16) as digest) d
$$;

-- The same for every attempt at one delivery, another for every other.
create or replace function sluice._idempotency_key(p_pipeline text, p_delivery sluice.outbox)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._uuid_of(jsonb_build_array(p_pipeline, encode(p_delivery.key_hash, 'hex'), p_delivery.operation,
    encode(p_delivery.hash, 'hex'), p_delivery.batch_id, p_delivery.redelivery)
    || case when p_delivery.route > 1 then jsonb_build_array(p_delivery.route) else '[]' end)::text
$$;
