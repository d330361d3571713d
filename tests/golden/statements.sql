-- transform: in every batch; $1: only these records, when load_batch has to do some again
insert into pg_temp.sluice_rows (sluice_line,
  sluice_ordinal, sluice_digest, sluice_reject, sluice_deleted, sluice_rule, sluice_hash, order_id, region, customer_id, amount, updated_at)
select 0, t.sluice_ordinal, t.sluice_digest, t.sluice_reject, t.sluice_deleted,
  case
    when t.sluice_reject is not null then 0
    when t.order_id is null then 1
    when t.region is null then 2
    when t.customer_id is null and t.sluice_deleted is not true then 3
    when t.amount is null and t.sluice_deleted is not true then 4
    when t.updated_at is null and t.sluice_deleted is not true then 5
    when t.sluice_deleted is not true and ((amount >= (0)::numeric)) is false then 6 end,
  E'\\x01'::pg_catalog.bytea
      || pg_catalog.substr(pg_catalog.sha256(pg_catalog.record_send(row(E'\\xadd86459c2bc06dc'::pg_catalog.bytea, t.order_id, t.region, t.customer_id, t.amount, t.updated_at))), 1, 16),
  t.order_id, t.region, t.customer_id, t.amount, t.updated_at
from (
select s.sluice_ordinal, s.sluice_digest,
    r.order_id::bigint as order_id,
    pg_catalog."varchar"(r.region::pg_catalog."varchar", 12, false)::pg_catalog."varchar" as region,
    r.customer_id::bigint as customer_id,
    r.amount::numeric(12,2) as amount,
    r.updated_at::timestamp with time zone as updated_at,
    r.sluice_reject::pg_catalog.text as sluice_reject,
    coalesce(r.sluice_deleted, false) as sluice_deleted
from (
  select ordinal as sluice_ordinal, digest as sluice_digest, payload::pg_catalog.jsonb as sluice_doc
  from pg_temp.sluice_staging
  where ($1 is null or ordinal = any ($1))
    and (not exists (select from pg_temp.sluice_faults) or ordinal not in (
      select ordinal from pg_temp.sluice_faults))
    and (not exists (select from pg_temp.sluice_known) or ordinal not in (
      select ordinal from pg_temp.sluice_known))
  offset 0) s
cross join lateral shop.orders_v1(s.sluice_doc) r
offset 0) t;

-- transform past faults: instead, when a record raises an error
insert into pg_temp.sluice_rows (
  sluice_ordinal, sluice_digest, sluice_reject, sluice_deleted, sluice_rule, sluice_hash, order_id, region, customer_id, amount, updated_at)
select * from sluice._rows_past_faults($1) as t (
  sluice_ordinal integer, sluice_digest uuid, sluice_reject text, sluice_deleted boolean, sluice_rule integer,
  sluice_hash bytea, order_id bigint, region character varying, customer_id bigint, amount numeric, updated_at timestamp with time zone);

-- trial of the transform: within it: what follows the last record that raised, at place $1
select s.sluice_ordinal, s.sluice_digest, t.sluice_reject, t.sluice_deleted,
  case
    when t.sluice_reject is not null then 0
    when t.order_id is null then 1
    when t.region is null then 2
    when t.customer_id is null and t.sluice_deleted is not true then 3
    when t.amount is null and t.sluice_deleted is not true then 4
    when t.updated_at is null and t.sluice_deleted is not true then 5
    when t.sluice_deleted is not true and ((amount >= (0)::numeric)) is false then 6 end,
  E'\\x01'::pg_catalog.bytea
      || pg_catalog.substr(pg_catalog.sha256(pg_catalog.record_send(row(E'\\xadd86459c2bc06dc'::pg_catalog.bytea, t.order_id, t.region, t.customer_id, t.amount, t.updated_at))), 1, 16),
  t.order_id, t.region, t.customer_id, t.amount, t.updated_at
from (
  select pg_catalog.setval('pg_temp.sluice_place', ordinal + 1) as sluice_place, ordinal as sluice_ordinal, digest as sluice_digest, payload::pg_catalog.jsonb as sluice_doc
  from pg_temp.sluice_staging
  where ctid > $1 and ($2 is null or ordinal = any ($2))
    and (not exists (select from pg_temp.sluice_faults) or ordinal not in (
      select ordinal from pg_temp.sluice_faults))
    and (not exists (select from pg_temp.sluice_known) or ordinal not in (
      select ordinal from pg_temp.sluice_known))
  offset 0) s
cross join lateral (
  select
    r.order_id::bigint as order_id,
    pg_catalog."varchar"(r.region::pg_catalog."varchar", 12, false)::pg_catalog."varchar" as region,
    r.customer_id::bigint as customer_id,
    r.amount::numeric(12,2) as amount,
    r.updated_at::timestamp with time zone as updated_at,
    r.sluice_reject::pg_catalog.text as sluice_reject,
    coalesce(r.sluice_deleted, false) as sluice_deleted
  from shop.orders_v1(s.sluice_doc) r
  offset 0) t;

-- probe of the transform: within it, for each such record, at place $1: at which column?
select pg_catalog.nextval('pg_temp.sluice_place'), t.order_id, pg_catalog.nextval('pg_temp.sluice_place'), t.region, pg_catalog.nextval('pg_temp.sluice_place'), t.customer_id, pg_catalog.nextval('pg_temp.sluice_place'), t.amount, pg_catalog.nextval('pg_temp.sluice_place'), t.updated_at, pg_catalog.nextval('pg_temp.sluice_place'),
  case
    when t.sluice_reject is not null then 0
    when t.order_id is null then 1
    when t.region is null then 2
    when t.customer_id is null and t.sluice_deleted is not true then 3
    when t.amount is null and t.sluice_deleted is not true then 4
    when t.updated_at is null and t.sluice_deleted is not true then 5
    when t.sluice_deleted is not true and ((amount >= (0)::numeric)) is false then 6 end
from (
  select ordinal as sluice_ordinal, digest as sluice_digest, payload::pg_catalog.jsonb as sluice_doc
  from pg_temp.sluice_staging
  where ctid = $1
  offset 0) s
cross join lateral (
  select
    r.order_id::bigint as order_id,
    pg_catalog."varchar"(r.region::pg_catalog."varchar", 12, false)::pg_catalog."varchar" as region,
    r.customer_id::bigint as customer_id,
    r.amount::numeric(12,2) as amount,
    r.updated_at::timestamp with time zone as updated_at,
    r.sluice_reject::pg_catalog.text as sluice_reject,
    coalesce(r.sluice_deleted, false) as sluice_deleted
  from shop.orders_v1(s.sluice_doc) r) t;

-- reference check: in every batch; again in load_batch for records without a parent
insert into pg_temp.sluice_faults (
  ordinal, sqlstate, message, detail, constraint_name, column_name, is_suspect)
select r.sluice_ordinal, '23503', 'insert or update on table "orders" violates foreign key constraint "orders_customer_id_fkey"', pg_catalog.format('Key (customer_id)=(%s) is not present in table "customers".', r.customer_id), 'orders_customer_id_fkey', 'customer_id', true
from pg_temp.sluice_rows r
where r.sluice_state is null and not r.sluice_deleted and r.customer_id is not null
  and ($1 is null or r.sluice_ordinal = any ($1))
  and not exists (select 1 from shop.customers p where p.customer_id operator(pg_catalog.=) r.customer_id)
on conflict (ordinal) do nothing;

-- superseded: in every batch; again when a record leaves it
update pg_temp.sluice_rows set sluice_state = 's'
where ctid = any (array(
  select d.row_id from (
    select r.ctid as row_id,
      pg_catalog.row_number() over (partition by order_id, region order by r.updated_at desc nulls last, r.sluice_ordinal desc, r.sluice_line desc) as place
    from pg_temp.sluice_rows r
    where r.sluice_state is null and exists (
      select from (
        select order_id, region from pg_temp.sluice_rows where sluice_state is null group by order_id, region having pg_catalog.count(*) > 1) g
      where g.order_id operator(pg_catalog.=) r.order_id and g.region operator(pg_catalog.=) r.region)) d
  where d.place > 1));

-- matched: when some payloads were recognised: do other records change their rows?
select pg_catalog.array_agg(t.ctid)
from pg_temp.sluice_rows s join shop.orders t on t.order_id operator(pg_catalog.=) s.order_id and t.region operator(pg_catalog.=) s.region
where s.sluice_state is distinct from 'f';

-- outdated: when the target has tombstones
update pg_temp.sluice_rows r set sluice_state = v.verdict::"char"
from (
  select s.ctid as place, (
    select pg_catalog.min(case when o.is_final or o.is_older then 'o' when o.is_newer then null end)
    from (
      select d.is_final, coalesce(s.updated_at operator(pg_catalog.<) x.order_value, s.updated_at is null and x.order_value is not null) as is_older,
        coalesce(x.order_value operator(pg_catalog.<) s.updated_at, x.order_value is null and s.updated_at is not null) as is_newer
      from sluice.tombstones d
      cross join lateral (
        select case when d.order_by = any ('{"updated_at timestamp with time zone","updated_at date","updated_at timestamp without time zone"}') then d.order_value::timestamp with time zone end as order_value) x
      where d.target = 'shop.orders' and d.key_hash = pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to('{order_id,region}' || array[(s.order_id)::pg_catalog.text, (s.region)::pg_catalog.text]::pg_catalog.text, 'UTF8')), 1, 16)) o) as verdict
  from pg_temp.sluice_rows s
  where s.sluice_state is null) v
where r.ctid = v.place and v.verdict is not null;

-- outdated: in a replay, with tombstones
update pg_temp.sluice_rows r set sluice_state = v.verdict::"char"
from (
  select s.ctid as place, (
    select pg_catalog.min(case when o.is_final or o.is_older then 'o' when o.is_newer then null when o.arrived_at > a.arrived_at then 'o'
      when o.arrived_at is null or o.arrived_at = a.arrived_at or o.seen_at > a.arrived_at then 'u' end)
    from (
      select false as is_final, false as is_older, false as is_newer, r.arrived_at, r.read_by, $2 as seen_at
      from shop.orders t left join lateral (
      select coalesce(k.arrived_at, a.arrived_at) as arrived_at,
        case when k.batch_id is null then a.read_by else k.read_by end as read_by
      from sluice._batch_arrivals() a
      left join sluice.replayed_keys k on k.batch_id = a.batch_id and k.key_hash = pg_catalog.substr(pg_catalog.sha256(pg_catalog.int4send(2) || pg_catalog.substr(pg_catalog.record_send(row(s.order_id)), 5) || pg_catalog.int4send(1043) || pg_catalog.int4send(pg_catalog.octet_length(pg_catalog.convert_to(s.region, 'UTF8'))) || pg_catalog.convert_to(s.region, 'UTF8')), 1, 16)
      where a.batch_id = t.sluice_batch) r on true
      where t.order_id operator(pg_catalog.=) s.order_id and t.region operator(pg_catalog.=) s.region and t.sluice_hash is distinct from s.sluice_hash and s.updated_at is not distinct from t.updated_at
      union all
      select d.is_final, coalesce(s.updated_at operator(pg_catalog.<) x.order_value, s.updated_at is null and x.order_value is not null) as is_older,
        coalesce(x.order_value operator(pg_catalog.<) s.updated_at, x.order_value is null and s.updated_at is not null) as is_newer, coalesce(r.arrived_at, d.deleted_at), r.read_by, null
      from sluice.tombstones d
      cross join lateral (
        select case when d.order_by = any ('{"updated_at timestamp with time zone","updated_at date","updated_at timestamp without time zone"}') then d.order_value::timestamp with time zone end as order_value) x left join lateral (
      select coalesce(k.arrived_at, a.arrived_at) as arrived_at,
        case when k.batch_id is null then a.read_by else k.read_by end as read_by
      from sluice._batch_arrivals() a
      left join sluice.replayed_keys k on k.batch_id = a.batch_id and k.key_hash = pg_catalog.substr(pg_catalog.sha256(pg_catalog.int4send(2) || pg_catalog.substr(pg_catalog.record_send(row(s.order_id)), 5) || pg_catalog.int4send(1043) || pg_catalog.int4send(pg_catalog.octet_length(pg_catalog.convert_to(s.region, 'UTF8'))) || pg_catalog.convert_to(s.region, 'UTF8')), 1, 16)
      where a.batch_id = d.batch_id) r on true
      where d.target = 'shop.orders' and d.key_hash = pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to('{order_id,region}' || array[(s.order_id)::pg_catalog.text, (s.region)::pg_catalog.text]::pg_catalog.text, 'UTF8')), 1, 16)) o) as verdict
  from pg_temp.sluice_rows s join pg_temp.sluice_replayed a on a.ordinal = s.sluice_ordinal
  where s.sluice_state is null) v
where r.ctid = v.place and v.verdict is not null;

-- outdated: in a reload, and a replay that overwrites, with tombstones
update pg_temp.sluice_rows r set sluice_state = v.verdict::"char"
from (
  select s.ctid as place, (
    select pg_catalog.min(case when o.is_final or o.is_older then 'o' when o.is_newer then null when o.arrived_at > a.arrived_at then 'o' end)
    from (
      select false as is_final, false as is_older, false as is_newer, r.arrived_at, r.read_by, $2 as seen_at
      from shop.orders t left join lateral (
      select coalesce(k.arrived_at, a.arrived_at) as arrived_at,
        case when k.batch_id is null then a.read_by else k.read_by end as read_by
      from sluice._batch_arrivals() a
      left join sluice.replayed_keys k on k.batch_id = a.batch_id and k.key_hash = pg_catalog.substr(pg_catalog.sha256(pg_catalog.int4send(2) || pg_catalog.substr(pg_catalog.record_send(row(s.order_id)), 5) || pg_catalog.int4send(1043) || pg_catalog.int4send(pg_catalog.octet_length(pg_catalog.convert_to(s.region, 'UTF8'))) || pg_catalog.convert_to(s.region, 'UTF8')), 1, 16)
      where a.batch_id = t.sluice_batch) r on true
      where t.order_id operator(pg_catalog.=) s.order_id and t.region operator(pg_catalog.=) s.region and t.sluice_hash is distinct from s.sluice_hash and s.updated_at is not distinct from t.updated_at
      union all
      select d.is_final, coalesce(s.updated_at operator(pg_catalog.<) x.order_value, s.updated_at is null and x.order_value is not null) as is_older,
        coalesce(x.order_value operator(pg_catalog.<) s.updated_at, x.order_value is null and s.updated_at is not null) as is_newer, coalesce(r.arrived_at, d.deleted_at), r.read_by, null
      from sluice.tombstones d
      cross join lateral (
        select case when d.order_by = any ('{"updated_at timestamp with time zone","updated_at date","updated_at timestamp without time zone"}') then d.order_value::timestamp with time zone end as order_value) x left join lateral (
      select coalesce(k.arrived_at, a.arrived_at) as arrived_at,
        case when k.batch_id is null then a.read_by else k.read_by end as read_by
      from sluice._batch_arrivals() a
      left join sluice.replayed_keys k on k.batch_id = a.batch_id and k.key_hash = pg_catalog.substr(pg_catalog.sha256(pg_catalog.int4send(2) || pg_catalog.substr(pg_catalog.record_send(row(s.order_id)), 5) || pg_catalog.int4send(1043) || pg_catalog.int4send(pg_catalog.octet_length(pg_catalog.convert_to(s.region, 'UTF8'))) || pg_catalog.convert_to(s.region, 'UTF8')), 1, 16)
      where a.batch_id = d.batch_id) r on true
      where d.target = 'shop.orders' and d.key_hash = pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to('{order_id,region}' || array[(s.order_id)::pg_catalog.text, (s.region)::pg_catalog.text]::pg_catalog.text, 'UTF8')), 1, 16)) o) as verdict
  from pg_temp.sluice_rows s join pg_temp.sluice_replayed a on a.ordinal = s.sluice_ordinal
  where s.sluice_state is null) v
where r.ctid = v.place and v.verdict is not null;

-- outdated: in a backfill, with tombstones
update pg_temp.sluice_rows r set sluice_state = v.verdict::"char"
from (
  select s.ctid as place, (
    select pg_catalog.min(case when o.is_final or o.is_older then 'o' when o.is_newer then null when o.read_by is distinct from $1 then 'o' end)
    from (
      select false as is_final, false as is_older, false as is_newer, r.arrived_at, r.read_by, $2 as seen_at
      from shop.orders t left join lateral (
      select coalesce(k.arrived_at, a.arrived_at) as arrived_at,
        case when k.batch_id is null then a.read_by else k.read_by end as read_by
      from sluice._batch_arrivals() a
      left join sluice.replayed_keys k on k.batch_id = a.batch_id and k.key_hash = pg_catalog.substr(pg_catalog.sha256(pg_catalog.int4send(2) || pg_catalog.substr(pg_catalog.record_send(row(s.order_id)), 5) || pg_catalog.int4send(1043) || pg_catalog.int4send(pg_catalog.octet_length(pg_catalog.convert_to(s.region, 'UTF8'))) || pg_catalog.convert_to(s.region, 'UTF8')), 1, 16)
      where a.batch_id = t.sluice_batch) r on true
      where t.order_id operator(pg_catalog.=) s.order_id and t.region operator(pg_catalog.=) s.region and t.sluice_hash is distinct from s.sluice_hash and s.updated_at is not distinct from t.updated_at
      union all
      select d.is_final, coalesce(s.updated_at operator(pg_catalog.<) x.order_value, s.updated_at is null and x.order_value is not null) as is_older,
        coalesce(x.order_value operator(pg_catalog.<) s.updated_at, x.order_value is null and s.updated_at is not null) as is_newer, coalesce(r.arrived_at, d.deleted_at), r.read_by, null
      from sluice.tombstones d
      cross join lateral (
        select case when d.order_by = any ('{"updated_at timestamp with time zone","updated_at date","updated_at timestamp without time zone"}') then d.order_value::timestamp with time zone end as order_value) x left join lateral (
      select coalesce(k.arrived_at, a.arrived_at) as arrived_at,
        case when k.batch_id is null then a.read_by else k.read_by end as read_by
      from sluice._batch_arrivals() a
      left join sluice.replayed_keys k on k.batch_id = a.batch_id and k.key_hash = pg_catalog.substr(pg_catalog.sha256(pg_catalog.int4send(2) || pg_catalog.substr(pg_catalog.record_send(row(s.order_id)), 5) || pg_catalog.int4send(1043) || pg_catalog.int4send(pg_catalog.octet_length(pg_catalog.convert_to(s.region, 'UTF8'))) || pg_catalog.convert_to(s.region, 'UTF8')), 1, 16)
      where a.batch_id = d.batch_id) r on true
      where d.target = 'shop.orders' and d.key_hash = pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to('{order_id,region}' || array[(s.order_id)::pg_catalog.text, (s.region)::pg_catalog.text]::pg_catalog.text, 'UTF8')), 1, 16)) o) as verdict
  from pg_temp.sluice_rows s
  where s.sluice_state is null) v
where r.ctid = v.place and v.verdict is not null;

-- overlap: before the merge: may the target have rows with these keys?
select b.rows, b.deletes or exists (
  select 1 from shop.orders t where t.order_id operator(pg_catalog.>=) b.least and t.order_id operator(pg_catalog.<=) b.greatest) as overlaps
from (
  select pg_catalog.count(*) as rows, pg_catalog.bool_or(r.sluice_deleted) as deletes, pg_catalog.min(r.order_id) as least, pg_catalog.max(r.order_id) as greatest
  from pg_temp.sluice_rows r where r.sluice_state is null) b;

-- insert: when it has none: all rows are new
insert into shop.orders (order_id, region, customer_id, amount, updated_at, sluice_hash, sluice_batch)
select s.order_id, s.region, s.customer_id, s.amount, s.updated_at, s.sluice_hash, (select b.batch_id from pg_temp.sluice_batch b)
from pg_temp.sluice_rows s where s.sluice_state is null;

-- count: when it may have some: what the merge has to come to
select
  pg_catalog.count(*) filter (where o.outcome = 'insert') as inserted,
  pg_catalog.count(*) filter (where o.outcome = 'update') as updated,
  pg_catalog.count(*) filter (where o.outcome = 'delete') as deleted,
  pg_catalog.count(*) filter (where o.outcome = 'unchanged') as unchanged,
  pg_catalog.count(*) filter (where o.outcome = 'stale') as stale
from (
  select case
    when s.sluice_state = 's' then 'superseded'
    when s.sluice_state = 'o' then 'stale'
    when s.sluice_state = 'u' then 'unsure'
    when t.order_id is null and s.sluice_deleted then 'unchanged'
    when t.order_id is null then 'insert'
    when coalesce(s.updated_at operator(pg_catalog.<) t.updated_at, s.updated_at is null and t.updated_at is not null) then 'stale'
    when s.sluice_deleted then 'delete'
    when t.sluice_hash is distinct from s.sluice_hash then 'update'
    else 'unchanged' end as outcome
  from pg_temp.sluice_rows s
left join shop.orders t on t.order_id operator(pg_catalog.=) s.order_id and t.region operator(pg_catalog.=) s.region
  where s.sluice_state is null) o;

-- merge: when any row is to be written
merge into shop.orders as t
using (select * from pg_temp.sluice_rows where sluice_state is null) as s
on t.order_id operator(pg_catalog.=) s.order_id and t.region operator(pg_catalog.=) s.region
when matched and coalesce(s.updated_at operator(pg_catalog.<) t.updated_at, s.updated_at is null and t.updated_at is not null) then do nothing
when matched and s.sluice_deleted then delete
when matched and t.sluice_hash is distinct from s.sluice_hash then
  update set customer_id = s.customer_id, amount = s.amount, updated_at = s.updated_at, sluice_hash = s.sluice_hash, sluice_batch = (select b.batch_id from pg_temp.sluice_batch b)
when not matched and s.sluice_deleted then do nothing
when not matched then
  insert (order_id, region, customer_id, amount, updated_at, sluice_hash, sluice_batch)
  values (s.order_id, s.region, s.customer_id, s.amount, s.updated_at, s.sluice_hash, (select b.batch_id from pg_temp.sluice_batch b));

-- trial of the merge: when it raises an error: to find the record; rolled back
merge into shop.orders as t
using (
  select pg_catalog.setval('pg_temp.sluice_place', r.sluice_ordinal + 1) as sluice_place, r.*
  from (
    select * from pg_temp.sluice_rows where sluice_state is null and sluice_ordinal between
      (select b.trial_first from pg_temp.sluice_batch b) and (select b.trial_last from pg_temp.sluice_batch b)) r
  offset 0) as s
on t.order_id operator(pg_catalog.=) s.order_id and t.region operator(pg_catalog.=) s.region
when matched and coalesce(s.updated_at operator(pg_catalog.<) t.updated_at, s.updated_at is null and t.updated_at is not null) then do nothing
when matched and s.sluice_deleted then delete
when matched and t.sluice_hash is distinct from s.sluice_hash then
  update set customer_id = s.customer_id, amount = s.amount, updated_at = s.updated_at, sluice_hash = s.sluice_hash, sluice_batch = (select b.batch_id from pg_temp.sluice_batch b)
when not matched and s.sluice_deleted then do nothing
when not matched then
  insert (order_id, region, customer_id, amount, updated_at, sluice_hash, sluice_batch)
  values (s.order_id, s.region, s.customer_id, s.amount, s.updated_at, s.sluice_hash, (select b.batch_id from pg_temp.sluice_batch b));

-- revive: when the target has tombstones
delete from sluice.tombstones d using pg_temp.sluice_rows s
where d.target = 'shop.orders' and d.key_hash = pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to('{order_id,region}' || array[(s.order_id)::pg_catalog.text, (s.region)::pg_catalog.text]::pg_catalog.text, 'UTF8')), 1, 16) and s.sluice_state is null and not s.sluice_deleted;

-- bury: when a row deletes
insert into sluice.tombstones as d (target, key_hash, key, order_value, order_by, batch_id)
select 'shop.orders', x.key_hash, x.key, x.order_value, 'updated_at timestamp with time zone', (select b.batch_id from pg_temp.sluice_batch b) from (
  select pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to('{order_id,region}' || array[(s.order_id)::pg_catalog.text, (s.region)::pg_catalog.text]::pg_catalog.text, 'UTF8')), 1, 16) as key_hash, pg_catalog.jsonb_build_object('order_id', s.order_id, 'region', s.region) as key, s.updated_at::pg_catalog.text as order_value
  from pg_temp.sluice_rows s
  left join shop.orders t on t.order_id operator(pg_catalog.=) s.order_id and t.region operator(pg_catalog.=) s.region
  where s.sluice_state is null and s.sluice_deleted and t.order_id is null) x
on conflict (target, key_hash) do update set
  order_value = excluded.order_value, order_by = excluded.order_by, batch_id = excluded.batch_id,
  deleted_at = excluded.deleted_at
where excluded.order_value is null
  or (d.order_value, d.order_by) is distinct from (excluded.order_value, excluded.order_by);

-- remember: when payloads are to be recognised next time
select pg_catalog.array_agg(digest order by ordinal),
  pg_catalog.array_agg(row_place order by ordinal), pg_catalog.array_agg(row_xid order by ordinal)
from (
  select distinct on (digest) * from (
    select s.sluice_ordinal as ordinal, s.sluice_digest as digest, t.ctid as row_place, t.xmin as row_xid
    from (
      select r.*, pg_catalog.count(*) over (partition by r.sluice_ordinal) as row_count
      from pg_temp.sluice_rows r where r.sluice_state is distinct from 'f') s
    join shop.orders t on t.order_id operator(pg_catalog.=) s.order_id and t.region operator(pg_catalog.=) s.region and t.sluice_hash = s.sluice_hash
    where s.sluice_state is null and s.row_count = 1 and s.sluice_digest is not null and not coalesce(s.updated_at operator(pg_catalog.<) t.updated_at, s.updated_at is null and t.updated_at is not null)
    union all
    select ordinal, digest, row_place, row_xid from pg_temp.sluice_known) made) once;

-- keys: in every batch: its keys, to see at the end of a complete read what is missing
with places as materialized (
  select t.ctid as row_place, t.xmin as row_xid, pg_catalog.substr(pg_catalog.sha256(pg_catalog.int4send(2) || pg_catalog.substr(pg_catalog.record_send(row(t.order_id)), 5) || pg_catalog.int4send(1043) || pg_catalog.int4send(pg_catalog.octet_length(pg_catalog.convert_to(t.region, 'UTF8'))) || pg_catalog.convert_to(t.region, 'UTF8')), 1, 16) as key_hash from shop.orders t
  where t.ctid = any (array(select k.row_place from pg_temp.sluice_known k))),
known as materialized (
  select p.key_hash from pg_temp.sluice_known k join places p on p.row_place = k.row_place and p.row_xid = k.row_xid)
select
  (select pg_catalog.count(*) from known) = (select pg_catalog.count(*) from pg_temp.sluice_known),
  array(
    select pg_catalog.substr(pg_catalog.sha256(pg_catalog.int4send(2) || pg_catalog.substr(pg_catalog.record_send(row(s.order_id)), 5) || pg_catalog.int4send(1043) || pg_catalog.int4send(pg_catalog.octet_length(pg_catalog.convert_to(s.region, 'UTF8'))) || pg_catalog.convert_to(s.region, 'UTF8')), 1, 16) from pg_temp.sluice_rows s where s.sluice_state is distinct from 'f'
    union all
    select k.key_hash from known k);

-- missing: at the end of a complete read: which rows did it not bring, which are back?
insert into pg_temp.sluice_missing (class, place, key_hash, is_missing)
select t.tableoid, t.ctid, pg_catalog.substr(pg_catalog.sha256(pg_catalog.int4send(2) || pg_catalog.substr(pg_catalog.record_send(row(t.order_id)), 5) || pg_catalog.int4send(1043) || pg_catalog.int4send(pg_catalog.octet_length(pg_catalog.convert_to(t.region, 'UTF8'))) || pg_catalog.convert_to(t.region, 'UTF8')), 1, 16), true from shop.orders t
where t.sluice_batch in (select b.batch_id from sluice._all_batches() b where b.pipeline_id = $1
  and coalesce(b.batch_seq < $2, b.committed_at < $3)) and t.gone_at is null
  and not exists (
    select from sluice.snapshot_keys k cross join lateral pg_catalog.unnest(k.key_hashes) h where k.pipeline_id = $1
      and h = pg_catalog.substr(pg_catalog.sha256(pg_catalog.int4send(2) || pg_catalog.substr(pg_catalog.record_send(row(t.order_id)), 5) || pg_catalog.int4send(1043) || pg_catalog.int4send(pg_catalog.octet_length(pg_catalog.convert_to(t.region, 'UTF8'))) || pg_catalog.convert_to(t.region, 'UTF8')), 1, 16))
union all
select t.tableoid, t.ctid, pg_catalog.substr(pg_catalog.sha256(pg_catalog.int4send(2) || pg_catalog.substr(pg_catalog.record_send(row(t.order_id)), 5) || pg_catalog.int4send(1043) || pg_catalog.int4send(pg_catalog.octet_length(pg_catalog.convert_to(t.region, 'UTF8'))) || pg_catalog.convert_to(t.region, 'UTF8')), 1, 16), false from shop.orders t
where t.sluice_batch in (select b.batch_id from sluice._all_batches() b where b.pipeline_id = $1) and not (t.gone_at is null)
  and exists (
    select from sluice.snapshot_keys k cross join lateral pg_catalog.unnest(k.key_hashes) h where k.pipeline_id = $1
      and h = pg_catalog.substr(pg_catalog.sha256(pg_catalog.int4send(2) || pg_catalog.substr(pg_catalog.record_send(row(t.order_id)), 5) || pg_catalog.int4send(1043) || pg_catalog.int4send(pg_catalog.octet_length(pg_catalog.convert_to(t.region, 'UTF8'))) || pg_catalog.convert_to(t.region, 'UTF8')), 1, 16));

-- mark missing: for those rows, $1 being the batch
with written as (
  update shop.orders t set gone_at = case when m.is_missing then pg_catalog.now() end, sluice_batch = $1 from pg_temp.sluice_missing m where t.tableoid = m.class and t.ctid = m.place and m.key_hash = pg_catalog.substr(pg_catalog.sha256(pg_catalog.int4send(2) || pg_catalog.substr(pg_catalog.record_send(row(t.order_id)), 5) || pg_catalog.int4send(1043) || pg_catalog.int4send(pg_catalog.octet_length(pg_catalog.convert_to(t.region, 'UTF8'))) || pg_catalog.convert_to(t.region, 'UTF8')), 1, 16)
  returning 1)
select pg_catalog.count(*) from written;
