-- Orders and their lines from one record each, in two tables.
--
--   sluice apply sql/examples/orders_and_lines.sql
--   sluice run orders
--
-- It reads NDJSON files in the folder drop:
--
--   {"id": 1, "at": "2026-03-01T10:00:00Z", "lines": [{"sku": "A-1", "quantity": 2}, {"sku": "B-7", "quantity": 1}]}

create schema if not exists shop;

create table if not exists shop.orders (
  order_id   bigint primary key,
  updated_at timestamptz not null
);

create table if not exists shop.order_lines (
  order_id bigint not null references shop.orders,
  line_no  integer not null,
  sku      text not null,
  quantity integer not null check (quantity > 0),
  primary key (order_id, line_no)
);

create or replace function shop.orders_v1(doc jsonb)
returns table (order_id bigint, updated_at timestamptz, sluice_deleted boolean)
language sql stable as $$
  select (doc->>'id')::bigint, (doc->>'at')::timestamptz, (doc->>'cancelled')::boolean
$$;

create or replace function shop.order_lines_v1(doc jsonb)
returns table (order_id bigint, line_no integer, sku text, quantity integer)
language sql stable as $$
  select (doc->>'id')::bigint, n, line->>'sku', (line->>'quantity')::integer
  from jsonb_array_elements(doc->'lines') with ordinality l (line, n)
$$;

-- A record loads into both tables, or waits in quarantine whole. What a newer record of an order no longer has is
-- deleted; an older one changes nothing.
select sluice.define_pipeline(
  name => 'orders', version => 1, transform => 'shop.orders_v1', target => 'shop.orders', key => '{order_id}',
  order_by => 'updated_at',
  also => array[sluice.also_target(
    transform => 'shop.order_lines_v1', target => 'shop.order_lines', key => '{order_id,line_no}',
    parent => '{order_id}', children => 'replace')],
  source => sluice.file_source(path => 'drop/*.ndjson'));
