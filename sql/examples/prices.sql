-- Prices from CSV files, by a transform that takes a row: the loader copies each field into the column of its name, and no
-- JSON is made or parsed.
--
--   sluice apply sql/examples/prices.sql
--   sluice run prices
--
-- It reads the folder prices:
--
--   sku,Unit Price,valid_from,supplier
--   A-1,9.90,2026-03-01,north

create schema if not exists shop;

create table if not exists shop.prices (
  sku        varchar(12)   not null,
  valid_from date          not null,
  price      numeric(12,2) not null,

  constraint prices_pkey primary key (sku, valid_from),
  constraint prices_are_positive check (price > 0)
);

-- The fields that the transform takes, under their names in the header, exactly. One that is not named here reaches no
-- transform, but stays in the payload of a record in quarantine. As text, so that the transform says how each is read; a
-- type that has loaded a batch is part of the version, and version 2 takes a new one.
do $$ begin
  create type shop.prices_in_v1 as (sku text, "Unit Price" text, valid_from text);
exception when duplicate_object then null;
end $$;

create or replace function shop.prices_v1(r shop.prices_in_v1)
returns table (sku text, valid_from date, price numeric, sluice_reject text)
language sql stable as $$
  select
    upper(r.sku),
    r.valid_from::date,
    -- An empty field is an empty text, and no number.
    nullif(r."Unit Price", '')::numeric,
    case when r.valid_from !~ '^\d{4}-\d\d-\d\d$' then 'valid_from is not written as 2026-03-01' end
  where r.sku <> 'TEST'
$$;

select sluice.define_pipeline(
  name => 'prices', version => 1, transform => 'shop.prices_v1', target => 'shop.prices', key => '{sku,valid_from}',
  -- A file without these columns is refused before a record of it is loaded.
  source => sluice.file_source(path => 'prices', pattern => '*.csv', require => array['sku', 'Unit Price', 'valid_from']));
