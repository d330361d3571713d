-- Tombstones that outlive the type of a key column, and the column that a pipeline orders by: the hash of a key no longer
-- depends on types (sluice._tombstone_hash), and order_value says what it is a value of.

alter table sluice.tombstones
  add order_by text,
  add is_typed boolean not null default false;

comment on column sluice.tombstones.key_hash is 'The key whatever the type of its columns, see sluice._tombstone_hash.';
comment on column sluice.tombstones.order_value is 'The value of order_by in the record that deleted it, as text; null without one.';
comment on column sluice.tombstones.order_by is 'The column, and its type, that order_value is of; with another one it is not compared.';
comment on column sluice.tombstones.is_typed is
  'Whether key_hash is one of before, which holds only while the key columns keep their types (sluice._key_hash): the key was erased, so that it could not be made anew.';

update sluice.tombstones d set is_typed = true where d.key = '{}';

-- Values as sluice._tombstone_hash writes them, whoever installs this.
select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true),
  set_config('extra_float_digits', '1', true);

update sluice.tombstones d set
  key_hash = substr(sha256(convert_to(k.names || case when k.count = 1 then k.keys[1] else k.keys::text end, 'UTF8')), 1, 16)
from (
  select m.target, m.key_hash, count(*) as count, array_agg(m.name order by m.name collate "C")::text as names,
    array_agg(case b.typname
      when 'numeric' then trim_scale(m.value::numeric)::text
      when 'float4' then (m.value::float4 + 0)::text
      when 'float8' then (m.value::float8 + 0)::text
      when 'bpchar' then rtrim(m.value, ' ')
      when 'citext' then lower(m.value)
      when 'timestamp' then m.value::timestamp::text
      when 'timestamptz' then m.value::timestamptz::text
      else m.value end order by m.name collate "C") as keys
  from (
    select d.target, d.key_hash, e.key as name, e.value
    from sluice.tombstones d cross join lateral jsonb_each_text(d.key) e) m
  left join pg_attribute a on a.attrelid = to_regclass(m.target) and a.attname = m.name
  left join pg_type t on t.oid = a.atttypid
  left join pg_type b on b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
  group by m.target, m.key_hash) k
where (d.target, d.key_hash) = (k.target, k.key_hash);

-- Of several pipelines of a target nobody knows which one set it.
update sluice.tombstones d set order_by = o.order_by
from (
  select p.target, min(format('%s %s', a.attname, format_type(a.atttypid, null))) as order_by
  from sluice.pipelines p
  join sluice.transforms t on (t.pipeline_id, t.version) = (p.pipeline_id, p.active_version)
  join pg_attribute a on a.attrelid = to_regclass(p.target) and a.attname = t.order_by
  group by p.target having count(distinct t.order_by) = 1) o
where o.target = d.target and d.order_value is not null;

-- Few of many; a batch looks whether there are any.
create index tombstones_final on sluice.tombstones (target) where is_final;
create index tombstones_typed on sluice.tombstones (target) where is_typed;
