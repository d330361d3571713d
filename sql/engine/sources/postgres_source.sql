create or replace function sluice.postgres_source(
  connection jsonb, "table" text default null, query text default null, key text[] default null,
  cursor text default null, lag interval default null, null_cursor text default 'read',
  row_security boolean default false, statement_timeout interval default null, max_record_bytes bigint default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('source', jsonb_build_object(
    'kind', 'postgres', 'connection', connection, 'table', "table", 'query', query, 'key', to_jsonb(key),
    'cursor', cursor, 'lag', trim_scale(extract(epoch from lag)::numeric),
    'null_cursor', nullif(null_cursor, 'read'), 'row_security', nullif(row_security, false),
    'statement_timeout', trim_scale(extract(epoch from statement_timeout)::numeric),
    'max_record_bytes', max_record_bytes))
$$;

comment on function sluice.postgres_source is
$$Records from a table or a query of a PostgreSQL database, each as row_to_json writes it: {"id": 1, "amount": 7.50}.
connection: sluice.connection(env => 'SHOP_DB').
table: its name, with the schema unless that is public; or query: a select.
key: columns that tell rows apart and are never null, by which a read goes on where it was broken off. A table's
  primary key where not given.
cursor: a column that grows with every change, such as updated_at: a run reads what is as new as what the last one saw,
  or newer, and what was committed since by transactions that ran then. Without it, each run reads everything.
lag: reads that much further back, for clocks that differ, and where running transactions cannot be seen (a standby);
  for a cursor of numbers, a number.
null_cursor: read (rows without a cursor are read in each run) or refuse (they fail the run).
row_security: true where the role is meant to see only some of the rows; else that fails the run.
statement_timeout: of the session (default: none).
max_record_bytes: larger records go to quarantine (default 16 MiB).
Example: sluice.postgres_source(connection => sluice.connection(env => 'SHOP_DB'), "table" => 'shop.orders',
  cursor => 'updated_at')$$;
