create or replace function sluice._database_settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{connection}'::text[], 'env', false, 'variable', null::numrange,
      'the name of an environment variable that holds the connection string, such as SHOP_DB'),
    ('{connection}', 'file', false, 'text', null, 'the path of a file that holds the connection string'),
    ('{postgres source,mysql source}', 'connection', true, 'connection', null,
      'sluice.connection(env => ''VARIABLE'') or sluice.connection(file => ''PATH'')'),
    ('{sqlite source}', 'path', true, 'text', null, 'the path of a SQLite file'),
    ('{postgres source,mysql source,sqlite source}', 'table', false, 'text', null, 'the name of a table or view'),
    ('{postgres source,mysql source,sqlite source}', 'query', false, 'text', null, 'a select'),
    ('{postgres source,mysql source,sqlite source}', 'key', false, 'names', null, 'names of columns: ''{id}'''),
    ('{postgres source,mysql source,sqlite source}', 'cursor', false, 'text', null,
      'the name of a column, such as updated_at'),
    ('{postgres source,mysql source,sqlite source}', 'lag', false, 'number', '[0,3155760000]',
      'an interval that is not negative'),
    ('{postgres source,mysql source,sqlite source}', 'null_cursor', false, 'one of read, refuse', null, null),
    ('{postgres source}', 'row_security', false, 'boolean', null, null),
    ('{postgres source,mysql source}', 'statement_timeout', false, 'number', '[0.001,2147483]',
      'an interval that is not negative'),
    ('{postgres source,mysql source,sqlite source}', 'max_record_bytes', false, 'integer', '[1,268435455]',
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
      'the connection string is given in two places', 'one of env => ''VARIABLE'', file => ''PATH'''),
    ('{connection}', '$.file ? (@ like_regex "://|password *=")',
      'file cannot be what was given', 'the path of a file that holds the connection string'),
    ('{connection}', '$ ? (!exists(@.env) && !exists(@.file))',
      'the connection string is not given',
      'one of env => ''VARIABLE'', file => ''PATH''; the string itself is never written into a pipeline'),
    ('{postgres source,mysql source,sqlite source}', '$ ? (exists(@.table) && exists(@.query))',
      'table and query are both given', 'one of them is enough'),
    ('{postgres source,mysql source,sqlite source}', '$ ? (!exists(@.table) && !exists(@.query))',
      'table is missing', '"table" => ''shop.orders'', or query => ''select ...'''),
    ('{postgres source,mysql source,sqlite source}', '$ ? (exists(@.query) && !exists(@.key))',
      'a query needs a key', 'key => ''{id}'': columns that tell its rows apart and are never null'),
    ('{mysql source}', '$ ? (exists(@.cursor) && !exists(@.lag))',
      'a cursor needs a lag',
      'lag => ''10 minutes'', longer than any transaction takes: what is committed later is missed'),
    ('{postgres source,mysql source,sqlite source}', '$ ? (!exists(@.cursor)).keyvalue()
        ? (@.key == "lag" || @.key == "null_cursor")',
      '%s needs a cursor', 'cursor => ''updated_at'', or leave it out')
$$;

comment on function sluice._database_conflicts() is
  'What settings of sources that are databases ask of each other (see sluice._conflicts).';
