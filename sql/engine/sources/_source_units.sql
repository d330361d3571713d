-- Sources that read units with names, files or objects: a backfill is told names (objects => ...), and one unit can be
-- skipped. A kind of source without a line here has no such units; whether it has pages or marks, its settings say.
--
--   is_address   a name says where the unit is: s3://lake/orders/a.ndjson
--   setting      what a backfill's range takes the place of, where it is no address
create or replace function sluice._source_units()
returns table (kind text, unit text, units text, is_address boolean, setting text, example text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('file', 'a file', 'files', false, 'path', '''drop/2026-02-*.csv'''),
    ('object', 'an object', 'objects', true, 'pattern',
      '''s3://lake/orders/2026-02-*.ndjson'' or, after the prefix, ''2026-02-*.ndjson''')
$$;

comment on function sluice._source_units() is
  'The kinds of sources that read files or objects, and how these are named.';
