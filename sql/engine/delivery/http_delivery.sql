create or replace function sluice.http_delivery(
  url text, method text default 'POST', body text default null, headers jsonb default null, auth jsonb default null,
  signature jsonb default null, deletes boolean default true, delete_method text default null,
  key_header text default 'Idempotency-Key', key_format text default 'bare', key_hours integer default 24,
  keep_days integer default 7, ca_file text default null, requests_per_second numeric default null,
  connect_timeout integer default null, request_timeout integer default null, max_wait integer default null,
  parcel jsonb default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('delivery', jsonb_build_object(
    'kind', 'http', 'url', url, 'method', nullif(method, 'POST'), 'body', body, 'headers', headers, 'auth', auth,
    'signature', signature, 'deletes', nullif(deletes, true), 'delete_method', delete_method,
    'key_header', nullif(key_header, 'Idempotency-Key'), 'key_format', nullif(key_format, 'bare'),
    'key_hours', nullif(key_hours, 24), 'keep_days', nullif(keep_days, 7), 'ca_file', ca_file,
    'requests_per_second', requests_per_second, 'connect_timeout', connect_timeout,
    'request_timeout', request_timeout, 'max_wait', max_wait, 'parcel', parcel))
$$;

comment on function sluice.http_delivery is
$$Sends each row that a batch inserts, updates or deletes to an HTTP API (sluice deliver), one request per row.
parcel: many rows per request, see sluice.parcel.
url, method (POST, PUT or PATCH): {name} in the path or the query of the url is the value of that key column.
body: a function f(row shop.orders) or f(row shop.orders, meta jsonb) that returns jsonb or text; null from it sends
  nothing. meta: pipeline, operation (upsert or delete), key, batch, delivery, idempotency_key. Of a deleted row it gets
  what the row was. Without it the body is the row, as JSON.
headers; auth: see bearer_auth, basic_auth, header_auth, param_auth, oauth2_auth. signature: see webhook_signature.
deletes: false sends nothing for deleted rows. delete_method: another method for them; DELETE has no body.
key_header, key_format (bare or quoted): the header with the idempotency key, the same for every attempt at one change
  and another for each change, so that a server which honours it applies each change once.
key_hours (24): for how long the server remembers keys; an attempt whose outcome is unknown for longer is not repeated.
keep_days (7): for how long deliveries that are done stay in sluice.deliveries.
ca_file: trust these certificates too.
Limits: requests_per_second, connect_timeout (10 s), request_timeout (60 s), max_wait (300 s that the server may ask
  for).
Example: deliver => sluice.http_delivery(url => 'https://crm.example/orders/{order_id}', method => 'PUT',
  body => 'shop.order_body_v1', delete_method => 'DELETE', auth => sluice.bearer_auth(env => 'CRM_TOKEN'))$$;

create or replace function sluice.webhook_signature(env text default null, file text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('signature', jsonb_build_object('scheme', 'webhook', 'env', env, 'file', file))
$$;

comment on function sluice.webhook_signature is
$$Signs requests as Standard Webhooks says (webhook-id, webhook-timestamp, webhook-signature with HMAC-SHA256). The
secret, whsec_... or any text, is kept in an environment variable (env) or a file of the machine that runs sluice.$$;

create or replace function sluice._delivery_settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{http delivery}'::text[], 'url', true, 'url', null::numrange,
      'a URL that begins with https:// or http://, without user and password'),
    ('{http delivery}', 'method', false, 'one of POST, PUT, PATCH', null, null),
    ('{http delivery}', 'body', false, 'text', null, 'the name of a function of the target''s row'),
    ('{http delivery}', 'headers', false, 'object', null,
      'headers as an object of strings: ''{"X-Api-Version": "2"}'''),
    ('{http delivery}', 'auth', false, 'auth', null, null),
    ('{http delivery}', 'signature', false, 'signature', null, null),
    ('{http delivery}', 'deletes', false, 'boolean', null, null),
    ('{http delivery}', 'delete_method', false, 'one of DELETE, POST, PUT, PATCH', null, null),
    ('{http delivery}', 'key_header', false, 'token', null, 'the name of a header, such as Idempotency-Key'),
    ('{http delivery}', 'key_format', false, 'one of bare, quoted', null, null),
    ('{http delivery}', 'key_hours', false, 'integer', '[1,87600]',
      'hours that the server remembers a key, 1 to 87600'),
    ('{http delivery}', 'keep_days', false, 'integer', '[0,3650]', 'days, 0 to 3650'),
    ('{http delivery}', 'ca_file', false, 'text', null, 'the path of a PEM file with certificates'),
    ('{http delivery}', 'requests_per_second', false, 'number', '[0.001,1000]', 'a number from 0.001 to 1000'),
    ('{http delivery}', 'connect_timeout', false, 'integer', '[1,3600]', 'seconds, 1 to 3600'),
    ('{http delivery}', 'request_timeout', false, 'integer', '[1,86400]', 'seconds for a whole answer, 1 to 86400'),
    ('{http delivery}', 'max_wait', false, 'integer', '[0,86400]',
      'seconds that the server may ask to be left alone, 0 to 86400'),
    ('{http delivery}', 'parcel', false, 'parcel', null, null),
    ('{webhook signature}', 'env', false, 'variable', null, 'the name of an environment variable, not its value'),
    ('{webhook signature}', 'file', false, 'text', null, 'the path of a file with the secret')
$$;

comment on function sluice._delivery_settings() is
  'The settings of a delivery over HTTP, and of its signature.';
