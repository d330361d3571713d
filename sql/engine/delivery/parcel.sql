create or replace function sluice.parcel(
  size integer, format text default 'array', items text default null, wrapper jsonb default null,
  results text default null, status text default null, error text default null, index text default null,
  id text default null, item_id text default null, only_failed boolean default false)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('parcel', jsonb_build_object(
    'size', size, 'format', nullif(format, 'array'), 'items', items, 'wrapper', wrapper, 'results', results,
    'status', status, 'error', error, 'index', index, 'id', id, 'item_id', item_id,
    'only_failed', nullif(only_failed, false)))
$$;

comment on function sluice.parcel is
$$Many rows in one request of an http_delivery, never two of one key; its idempotency key is the same for the same rows.
size: how many at most.
format: array (a JSON array of bodies) or ndjson (one per line).
items: a JSON pointer to where the array goes in the body, such as /records; wrapper: what else the body holds:
  '{"allOrNone": false}'.
results: a JSON pointer to the list of results in the answer ('' where it is the answer): rows that are refused are set
  aside alone, with their result. Without it a success is a success of all rows.
status: a pointer in a result to an HTTP status, or to true or false; error: a pointer to what only failed rows have.
index: a pointer in a result to the item's place in the request, from 0; id: a pointer to a value that the item has,
  too, at item_id (the same pointer where not given). Without either, results are in the order of the items.
only_failed: true where the list has only what failed; it takes index or id.
A request that is refused as a whole (400, 413, 422 and other 4xx of rows) is sent in halves, down to the row that is to
blame.
Example: deliver => sluice.http_delivery(url => 'https://crm.example/bulk', body => 'shop.order_item_v1',
  parcel => sluice.parcel(size => 100, items => '/records', results => '/results', status => '/status'))$$;

create or replace function sluice._parcel_settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{parcel}'::text[], 'size', true, 'integer', '[1,10000]'::numrange, 'rows, 1 to 10000'),
    ('{parcel}', 'format', false, 'one of array, ndjson', null, null),
    ('{parcel}', 'items', false, 'member', null, 'a JSON pointer to where the array goes, such as /records'),
    ('{parcel}', 'wrapper', false, 'object', null, 'an object: ''{"allOrNone": false}'''),
    ('{parcel}', 'results', false, 'pointer', null,
      'a JSON pointer to the list of results in the answer, such as /results, or the empty string'),
    ('{parcel}', 'status', false, 'member', null, 'a JSON pointer into a result, such as /status'),
    ('{parcel}', 'error', false, 'member', null, 'a JSON pointer into a result, such as /error'),
    ('{parcel}', 'index', false, 'member', null, 'a JSON pointer into a result, such as /index'),
    ('{parcel}', 'id', false, 'member', null, 'a JSON pointer into a result, such as /id'),
    ('{parcel}', 'item_id', false, 'member', null, 'a JSON pointer into an item, such as /id'),
    ('{parcel}', 'only_failed', false, 'boolean', null, null)
$$;

comment on function sluice._parcel_settings() is
  'What may be said of requests with many rows.';

-- What settings of deliveries ask of each other (see sluice._conflicts).
create or replace function sluice._delivery_conflicts()
returns table (parts text[], path jsonpath, message text, hint text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{http delivery}'::text[], '$.url ? (@ like_regex "^[^/]*//[^/?]*[{]")'::jsonpath,
      'a placeholder cannot stand in the host of %s', 'placeholders go into the path or the query'),
    ('{http delivery}', '$ ? (@.deletes == false && exists(@.delete_method)).delete_method',
      'delete_method %s contradicts deletes => false', 'leave one of them out'),
    ('{http delivery}', '$ ? (exists(@.parcel)).url ? (@ like_regex "[{]")',
      'the url %s is that of one row, and a parcel has many', 'give the endpoint that takes many rows'),
    ('{http delivery}', '$ ? (exists(@.parcel)).delete_method', 'delete_method %s contradicts parcel',
      'the body function says of each row what it is: f(r, meta jsonb) with meta->>''operation'''),
    ('{http delivery}', '$ ? (exists(@.parcel) && !exists(@.body) && !(@.deletes == false))',
      'in a parcel a deleted row would look like any other',
      'say in it what it is, body => a function f(r, meta jsonb) with meta->>''operation'', or deletes => false'),
    ('{webhook signature}', '$ ? (exists(@.env) && exists(@.file))', 'the secret is given in two places',
      'one of env => ''VARIABLE'', file => ''/run/secrets/webhook'''),
    ('{webhook signature}', '$ ? (!exists(@.env) && !exists(@.file))', 'the secret is not given',
      'one of env => ''VARIABLE'', file => ''/run/secrets/webhook''; the secret itself is never written into a '
        'pipeline'),
    ('{postgres delivery}', '$ ? (exists(@.body)).keyvalue() ? (@.key == "columns")', '%s contradicts body',
      'the members of what body returns are the columns; leave one of them out'),
    ('{parcel}', '$ ? (@.format == "ndjson").keyvalue() ? (@.key == "items" || @.key == "wrapper")',
      '%s needs the format array', 'leave it out'),
    ('{parcel}', '$ ? (exists(@.wrapper) && !exists(@.items))', 'wrapper needs a place for the rows',
      'items => ''/records'''),
    ('{parcel}', '$ ? (!exists(@.results)).keyvalue() ? (@.key == "status" || @.key == "error" || @.key == "index"
        || @.key == "id" || @.key == "item_id" || @.key == "only_failed")',
      '%s needs results', 'results => a JSON pointer to their list in the answer'),
    ('{parcel}', '$ ? (exists(@.results) && !exists(@.status) && !exists(@.error) && !(@.only_failed == true))',
      'nothing says whether a row was taken', 'status => ''/status'', or error => ''/error'''),
    ('{parcel}', '$ ? (exists(@.index) && exists(@.id))', 'index and id are both given', 'one of them is enough'),
    ('{parcel}', '$ ? (exists(@.item_id) && !exists(@.id))', 'item_id needs id', 'id => ''/id'''),
    ('{parcel}', '$ ? (@.only_failed == true && !exists(@.index) && !exists(@.id))',
      'only_failed leaves open which rows they are', 'index => ''/index'', or id => ''/id''')
$$;
