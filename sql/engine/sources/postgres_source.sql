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
lag: so much further back, for clocks that differ, and where running transactions cannot be seen (a standby). Of a
  cursor of numbers, so many of them.
null_cursor: read (rows without a cursor are read in each run) or refuse (they fail the run).
row_security: true where the role is meant to see only some of the rows; else that fails the run.
statement_timeout: of the session (default: none).
max_record_bytes: larger records go to quarantine (default 16 MiB).
Example: sluice.postgres_source(connection => sluice.connection(env => 'SHOP_DB'), "table" => 'shop.orders',
  cursor => 'updated_at')$$;

create or replace function sluice._database_settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{connection}'::text[], 'env', false, 'variable', null::numrange,
      'the name of an environment variable that holds the connection string, such as SHOP_DB'),
    ('{connection}', 'file', false, 'text', null, 'the path of a file that holds the connection string'),
    ('{postgres source}', 'connection', true, 'connection', null,
      'sluice.connection(env => ''VARIABLE'') or sluice.connection(file => ''PATH'')'),
    ('{postgres source}', 'table', false, 'text', null, 'the name of a table or view'),
    ('{postgres source}', 'query', false, 'text', null, 'a select'),
    ('{postgres source}', 'key', false, 'names', null, 'names of columns: ''{id}'''),
    ('{postgres source}', 'cursor', false, 'text', null, 'the name of a column, such as updated_at'),
    ('{postgres source}', 'lag', false, 'number', '[0,3155760000]', 'an interval that is not negative'),
    ('{postgres source}', 'null_cursor', false, 'one of read, refuse', null, null),
    ('{postgres source}', 'row_security', false, 'boolean', null, null),
    ('{postgres source}', 'statement_timeout', false, 'number', '[0.001,2147483]', 'an interval that is not negative'),
    ('{postgres source}', 'max_record_bytes', false, 'integer', '[1,268435455]',
      'bytes, 1 to 268435455 (what jsonb can hold)')
$$;

comment on function sluice._database_settings() is
  'The settings of sources that are databases.';

create or replace function sluice._database_conflicts()
returns table (parts text[], path jsonpath, message text, hint text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{connection}'::text[], '$ ? (exists(@.env) && exists(@.file))'::jsonpath,
      'the connection string is to be found in two places', 'one of env => ''VARIABLE'', file => ''PATH'''),
    ('{connection}', '$.file ? (@ like_regex "://|password *=")',
      'file cannot be what was given', 'the path of a file that holds the connection string'),
    ('{connection}', '$ ? (!exists(@.env) && !exists(@.file))',
      'the connection string is to be found nowhere',
      'one of env => ''VARIABLE'', file => ''PATH''; the string itself is never written into a pipeline'),
    ('{postgres source}', '$ ? (exists(@.table) && exists(@.query))',
      'table and query are both given', 'one of them is enough'),
    ('{postgres source}', '$ ? (!exists(@.table) && !exists(@.query))',
      'table is missing', '"table" => ''shop.orders'', or query => ''select ...'''),
    ('{postgres source}', '$ ? (exists(@.query) && !exists(@.key))',
      'a query needs a key', 'key => ''{id}'': columns that tell its rows apart and are never null'),
    ('{postgres source}', '$ ? (!exists(@.cursor)).keyvalue() ? (@.key == "lag" || @.key == "null_cursor")',
      '%s needs a cursor', 'cursor => ''updated_at'', or leave it out')
$$;

comment on function sluice._database_conflicts() is
  'What settings of sources that are databases ask of each other (see sluice._conflicts).';
