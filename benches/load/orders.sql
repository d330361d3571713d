-- The table and the pipeline of the benchmark, as a user would write them.

create schema bench;

create table bench.orders (
  order_id    bigint         primary key,
  customer_id bigint         not null,
  amount      numeric(12,2)  not null check (amount >= 0),
  status      text           not null,
  currency    text           not null,
  qty         integer        not null,
  email       text           not null,
  note        text,
  created_at  timestamptz    not null,
  updated_at  timestamptz    not null);

-- For \copy: the same table without the two bookkeeping columns.
create table bench.copied (like bench.orders including all);

create function bench.orders_v1(doc jsonb)
returns table (
  order_id bigint, customer_id bigint, amount numeric, status text, currency text, qty integer,
  email text, note text, created_at timestamptz, updated_at timestamptz)
language sql stable as $$
  select
    (doc->>'order_id')::bigint,
    (doc->>'customer_id')::bigint,
    (doc->>'amount')::numeric,
    doc->>'status',
    doc->>'currency',
    (doc->>'qty')::integer,
    doc->>'email',
    doc->>'note',
    (doc->>'created_at')::timestamptz,
    (doc->>'updated_at')::timestamptz
$$;

select sluice.define_pipeline(
  name      => 'orders',
  version   => 1,
  transform => 'bench.orders_v1',
  target    => 'bench.orders',
  key       => '{order_id}',
  order_by  => 'updated_at',
  source    => sluice.file_source(path => '-'));

-- The same, told of each record where it came from.
create function bench.orders_meta_v1(doc jsonb, meta jsonb)
returns table (
  order_id bigint, customer_id bigint, amount numeric, status text, currency text, qty integer,
  email text, note text, created_at timestamptz, updated_at timestamptz)
language sql stable as $$
  select
    (doc->>'order_id')::bigint,
    (doc->>'customer_id')::bigint,
    (doc->>'amount')::numeric,
    doc->>'status',
    doc->>'currency',
    (doc->>'qty')::integer,
    doc->>'email',
    coalesce(doc->>'note', meta->>'origin'),
    (doc->>'created_at')::timestamptz,
    (doc->>'updated_at')::timestamptz
$$;

select sluice.define_pipeline(
  name      => 'orders_meta',
  version   => 1,
  transform => 'bench.orders_meta_v1',
  target    => 'bench.orders',
  key       => '{order_id}',
  order_by  => 'updated_at',
  source    => sluice.file_source(path => '-'));

-- The same, as rows: fields are copied, and no JSON is parsed.
create type bench.orders_in as (
  order_id bigint, customer_id bigint, amount numeric, status text, currency text, qty integer, email text, note text,
  created_at timestamptz, updated_at timestamptz);

create function bench.orders_rows_v1(r bench.orders_in)
returns table (
  order_id bigint, customer_id bigint, amount numeric, status text, currency text, qty integer,
  email text, note text, created_at timestamptz, updated_at timestamptz)
language sql stable as $$
  select r.order_id, r.customer_id, r.amount, r.status, r.currency, r.qty, r.email, r.note, r.created_at, r.updated_at
$$;

select sluice.define_pipeline(
  name      => 'orders_rows',
  version   => 1,
  transform => 'bench.orders_rows_v1',
  target    => 'bench.orders',
  key       => '{order_id}',
  order_by  => 'updated_at',
  source    => sluice.file_source(path => '-'));
