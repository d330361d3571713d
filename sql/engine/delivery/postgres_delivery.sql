create or replace function sluice.postgres_delivery(
  connection jsonb, "table" text, key text[] default null, body text default null, columns text[] default null,
  deletes boolean default true, parcel_rows integer default 1000, keep_days integer default 7)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('delivery', jsonb_build_object(
    'kind', 'postgres', 'connection', connection, 'table', "table", 'key', to_jsonb(key), 'body', body,
    'columns', to_jsonb(columns), 'deletes', nullif(deletes, true), 'parcel_rows', nullif(parcel_rows, 1000),
    'keep_days', nullif(keep_days, 7)))
$$;

comment on function sluice.postgres_delivery is
$$Sends the rows that a batch writes or deletes into a table of another PostgreSQL database, or of this one (sluice
deliver): by their key, each change once, many rows per transaction. Rows that are there as they should be are
not written.
connection: sluice.connection(env => 'CRM_DB').
table: its name, with the schema. It has to exist. Beside it a table sluice_parcels is made if there is none: it has the
  last parcel taken, written in the transaction of its rows.
key: its columns by which a row is found, those of a unique index (the key of the pipeline where not given). If their
  values change for a row, the row with the old ones is deleted there.
body: a function f(row shop.orders) or f(row shop.orders, meta jsonb) that returns a JSON object: columns of the table
  and their values; null sends nothing. Without it the row's columns under their own names; columns: only these.
deletes: false leaves rows there that were deleted here, or have another key now.
parcel_rows (1000): rows per transaction, at most. One that the table refuses is set aside alone.
keep_days (7): for how long deliveries that are done stay in sluice.deliveries.
Example: deliver => sluice.postgres_delivery(connection => sluice.connection(env => 'CRM_DB'),
  "table" => 'crm.orders')$$;

create or replace function sluice._table_delivery_settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{postgres delivery}'::text[], 'connection', true, 'connection', null::numrange,
      'sluice.connection(env => ''VARIABLE'') or sluice.connection(file => ''PATH'')'),
    ('{postgres delivery}', 'table', true, 'text', null, 'the name of a table, with its schema'),
    ('{postgres delivery}', 'key', false, 'names', null, 'names of columns: ''{id}'''),
    ('{postgres delivery}', 'body', false, 'text', null, 'the name of a function of the target''s row'),
    ('{postgres delivery}', 'columns', false, 'names', null, 'names of columns: ''{id,amount}'''),
    ('{postgres delivery}', 'deletes', false, 'boolean', null, null),
    ('{postgres delivery}', 'parcel_rows', false, 'integer', '[1,100000]', 'rows, 1 to 100000'),
    ('{postgres delivery}', 'keep_days', false, 'integer', '[0,3650]', 'days, 0 to 3650')
$$;

comment on function sluice._table_delivery_settings() is
  'The settings of a delivery into a table of a PostgreSQL database.';
