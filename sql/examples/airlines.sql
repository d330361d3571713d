-- Airlines: 16 carriers, a CSV with a header.
-- The smallest pipeline there is: a table, a function, one call.

create schema if not exists nyc;

create table if not exists nyc.airlines (
  carrier text not null,
  name    text not null,
  constraint airlines_pkey primary key (carrier),
  constraint airlines_carrier_is_an_iata_code check (carrier ~ '^[0-9A-Z]{2}$'),
  constraint airlines_name_is_not_blank check (name ~ '\S')
);

-- A CSV row arrives as one JSON object of strings, named by the header.
create or replace function nyc.airlines_v1(doc jsonb)
returns table (carrier text, name text)
language sql stable as $$
  select doc->>'carrier', doc->>'name'
$$;

select sluice.define_pipeline(
  name      => 'airlines',
  version   => 1,
  transform => 'nyc.airlines_v1',
  target    => 'nyc.airlines',
  key       => '{carrier}',
  source    => sluice.file_source(path => 'demo/data/airlines.csv'));
