create or replace function sluice.sqlite_source(
  path text, "table" text default null, query text default null, key text[] default null,
  cursor text default null, lag interval default null, null_cursor text default 'read',
  max_record_bytes bigint default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('source', jsonb_build_object(
    'kind', 'sqlite', 'path', path, 'table', "table", 'query', query, 'key', to_jsonb(key),
    'cursor', cursor, 'lag', trim_scale(extract(epoch from lag)::numeric),
    'null_cursor', nullif(null_cursor, 'read'), 'max_record_bytes', max_record_bytes))
$$;

comment on function sluice.sqlite_source is
$$Records from a table or a query of a SQLite file, each cell as what it is, whatever its column was declared to be.
path: of the file.
table, query, key, cursor, lag, null_cursor, max_record_bytes: as in postgres_source.
Example: sluice.sqlite_source(path => '/srv/app/app.db', "table" => 'orders', cursor => 'id')$$;
