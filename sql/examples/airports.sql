-- Airports: 1,462 of them, a CSV with a header, in which the text NA stands for "not available".

create schema if not exists nyc;

create table if not exists nyc.airports (
  airport     text             not null,
  name        text             not null,
  latitude    double precision not null,
  longitude   double precision not null,
  altitude_ft integer          not null,
  time_zone   text,
  constraint airports_pkey primary key (airport),
  constraint airports_airport_is_an_faa_code check (airport ~ '^[0-9A-Z]{3}$'),
  constraint airports_name_is_not_blank check (name ~ '\S'),
  constraint airports_latitude_is_on_earth check (latitude between -90 and 90),
  constraint airports_longitude_is_on_earth check (longitude between -180 and 180)
);

-- Plain casts are the validation: a latitude that is no number raises, and the row waits in quarantine.
-- The file's tz and dst are left out; time_zone says more.
create or replace function nyc.airports_v1(doc jsonb)
returns table (
  airport text, name text, latitude double precision, longitude double precision,
  altitude_ft integer, time_zone text)
language sql stable as $$
  select
    doc->>'faa',
    doc->>'name',
    (doc->>'lat')::double precision,
    (doc->>'lon')::double precision,
    (doc->>'alt')::integer,
    doc->>'tzone'
$$;

select sluice.define_pipeline(
  name      => 'airports',
  version   => 1,
  transform => 'nyc.airports_v1',
  target    => 'nyc.airports',
  key       => '{airport}',
  source    => sluice.file_source(path => 'demo/data/airports.csv', null_string => 'NA'));
