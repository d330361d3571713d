-- Flights out of New York: monthly drops as NDJSON, gzipped or not, in one folder. Corrections are
-- dropped into the same folder later. Needs airlines.sql and airports.sql, loaded before.

create schema if not exists nyc;

-- The table is yours: the rules are its own, and hold for every other writer too. Their names end up
-- beside the records that broke them: select * from sluice.quarantine_by_error.
create table if not exists nyc.flights (
  flight_date  date        not null,
  carrier      text        not null,
  flight       integer     not null,
  origin       text        not null,
  dest         text        not null,
  tailnum      varchar(6),
  sched_dep_at timestamptz not null,
  dep_delay    integer,
  arr_delay    integer,
  air_time     integer,
  distance     integer     not null,
  updated_at   timestamptz not null,
  loaded_at    timestamptz not null default now(),

  -- A flight number leaves an airport once a day. The same number may leave another airport on the
  -- same day, so origin is part of the key.
  constraint flights_pkey primary key (flight_date, carrier, flight, origin),
  constraint flights_carrier_is_known foreign key (carrier) references nyc.airlines,
  constraint flights_origin_is_known foreign key (origin) references nyc.airports,
  constraint flights_dest_is_known foreign key (dest) references nyc.airports,
  constraint flights_number_has_at_most_four_digits check (flight between 1 and 9999),
  constraint flights_leave_from_new_york check (origin in ('EWR', 'JFK', 'LGA')),
  constraint flights_leave_on_their_date
    check ((sched_dep_at at time zone 'America/New_York')::date = flight_date),
  constraint flights_distance_is_positive check (distance > 0),
  constraint flights_air_time_is_positive check (air_time > 0),
  constraint flights_arrive_only_if_they_left check (arr_delay is null or dep_delay is not null)
);

comment on column nyc.flights.dep_delay is 'Minutes; negative is early, null is cancelled.';
comment on column nyc.flights.loaded_at is
  'When the row first came in: the transform does not return this column, so its default fills it and updates '
  'leave it alone.';

-- One record in, one typed row out. Keep it to one plain select, without a set clause, strict or
-- security definer, so that Postgres can inline it. ->> gives null for a JSON null and for a missing
-- field alike, and never rounds: '12,5' and 1400.5 are no integers, they raise.
create or replace function nyc.flights_v1(doc jsonb)
returns table (
  flight_date date, carrier text, flight integer, origin text, dest text, tailnum text,
  sched_dep_at timestamptz, dep_delay integer, arr_delay integer, air_time integer,
  distance integer, updated_at timestamptz)
language sql stable as $$
  select
    make_date((doc->>'year')::integer, (doc->>'month')::integer, (doc->>'day')::integer),
    doc->>'carrier',
    (doc->>'flight')::integer,
    doc->>'origin',
    doc->>'dest',
    doc->>'tailnum',
    -- time_hour is the scheduled hour with its zone; dep_time and its kin are local clocks without one
    (doc->>'time_hour')::timestamptz + make_interval(mins => (doc->>'minute')::integer),
    (doc->>'dep_delay')::integer,
    (doc->>'arr_delay')::integer,
    (doc->>'air_time')::integer,
    (doc->>'distance')::integer,
    (doc->>'updated_at')::timestamptz
$$;

-- order_by: of two versions of a flight the later updated_at wins, whichever comes first.
-- max_bad_ratio: above 10% of bad records the run stops, as then the file is wrong and not its lines.
select sluice.define_pipeline(
  name          => 'flights',
  version       => 1,
  transform     => 'nyc.flights_v1',
  target        => 'nyc.flights',
  key           => '{flight_date, carrier, flight, origin}',
  order_by      => 'updated_at',
  source        => sluice.file_source(path => 'demo/data/flights', format => 'ndjson'),
  max_bad_ratio => 0.10);
