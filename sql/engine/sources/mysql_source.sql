create or replace function sluice.mysql_source(
  connection jsonb, "table" text default null, query text default null, key text[] default null,
  cursor text default null, lag interval default null, null_cursor text default 'read',
  statement_timeout interval default null, max_record_bytes bigint default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('source', jsonb_build_object(
    'kind', 'mysql', 'connection', connection, 'table', "table", 'query', query, 'key', to_jsonb(key),
    'cursor', cursor, 'lag', trim_scale(extract(epoch from lag)::numeric),
    'null_cursor', nullif(null_cursor, 'read'),
    'statement_timeout', trim_scale(extract(epoch from statement_timeout)::numeric),
    'max_record_bytes', max_record_bytes))
$$;

comment on function sluice.mysql_source is
$$Records from a table or a query of a MySQL or MariaDB database.
connection: sluice.connection(env => 'SHOP_DB'), which holds mysql://user:password@host/database.
lag: a cursor needs one, longer than any transaction takes: MySQL does not tell which of them run.
table, query, key, cursor, null_cursor, statement_timeout, max_record_bytes: as in postgres_source.
Example: sluice.mysql_source(connection => sluice.connection(env => 'SHOP_DB'), "table" => 'orders',
  cursor => 'updated_at', lag => '10 minutes')$$;
