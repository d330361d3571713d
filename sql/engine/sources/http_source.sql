create or replace function sluice.http_source(
  url text, method text default 'GET', params jsonb default null, headers jsonb default null, body jsonb default null,
  records text default null, format text default 'json',
  paging jsonb default null, auth jsonb default null, since jsonb default null,
  retry_when jsonb default null, fail_when jsonb default null,
  allow_hosts text[] default null, ca_file text default null, requests_per_second numeric default null,
  connect_timeout integer default null, read_timeout integer default null, max_wait integer default null,
  max_redirects integer default null, max_page_bytes bigint default null, max_record_bytes bigint default null,
  prefetch integer default null,
  delimiter text default null, quote text default null, header boolean default true, columns text[] default null,
  null_string text default null,
  shape text default 'array', body_format text default 'json', request_timeout integer default null,
  retry_statuses integer[] default null, final_statuses integer[] default null, max_pages integer default null,
  allow_equal_pages boolean default false, for_each text default null, encoding text default null,
  require text[] default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('source', jsonb_build_object(
    'kind', 'http', 'url', url, 'method', nullif(method, 'GET'), 'params', params, 'headers', headers, 'body', body,
    'records', records, 'format', nullif(format, 'json'),
    'paging', paging, 'auth', auth, 'since', since,
    'retry_when', retry_when, 'fail_when', fail_when,
    'allow_hosts', to_jsonb(allow_hosts), 'ca_file', ca_file, 'requests_per_second', requests_per_second,
    'connect_timeout', connect_timeout, 'read_timeout', read_timeout, 'max_wait', max_wait,
    'max_redirects', max_redirects, 'max_page_bytes', max_page_bytes, 'max_record_bytes', max_record_bytes,
    'prefetch', prefetch,
    'delimiter', delimiter, 'quote', quote, 'header', nullif(header, true), 'columns', to_jsonb(columns),
    'null_string', null_string)
    || jsonb_build_object(
    'shape', nullif(shape, 'array'), 'body_format', nullif(body_format, 'json'), 'request_timeout', request_timeout,
    'retry_statuses', to_jsonb(retry_statuses), 'final_statuses', to_jsonb(final_statuses), 'max_pages', max_pages,
    'allow_equal_pages', nullif(allow_equal_pages, false), 'for_each', for_each,
    'encoding', encoding, 'require', to_jsonb(require)))
$$;

comment on function sluice.http_source is
$$Records from an HTTP API.
url, method (GET or POST), params (query), headers, body (with POST: JSON, or with body_format => 'form' a form).
records: a JSON pointer to the array of records in an answer. shape: object if it leads to one record, members if it
  leads to an object whose members are records; each is loaded as {"key": value} then.
format: json, ndjson, csv, tsv.
paging: see page_number_paging, offset_paging, cursor_paging, next_link_paging, link_header_paging; without it there
  is one page.
auth: see bearer_auth, basic_auth, header_auth, param_auth, oauth2_auth.
since: only what is new, see since.
retry_when, fail_when: JSON pointers ('["/error"]', or with values '{"/code": ["busy"]}') by which an answer with
  status 200 is a failure. retry_statuses, final_statuses: statuses to ask again for, or not to, other than usual.
for_each: a query; the source is read for each of its rows, whose columns stand for {name} in url, params and body:
  url => 'https://shop.example/orders/{id}/items', for_each => 'select id from shop.orders order by id'. Names are
  qualified. f(doc, meta) finds the row in meta->'row'.
max_pages: a run reads no more pages; the next one goes on.
allow_equal_pages: pages with the same records, or with none, are not taken for a circle.
allow_hosts: other hosts that links and redirects may lead to; credentials are not sent there.
ca_file: trust these certificates too.
Limits: requests_per_second, connect_timeout (10 s), read_timeout (60 s with next to no bytes),
  request_timeout (900 s for a whole answer), max_wait (300 s that the server may ask for), max_redirects (5),
  max_page_bytes (64 MiB), max_record_bytes (16 MiB), prefetch (2 requests at a time).
delimiter, quote, header, columns, null_string, require: for csv and tsv, as in file_source. encoding: ndjson, too.$$;

create or replace function sluice._http_settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{http source}'::text[], 'url', true, 'url', null::numrange,
      'a URL that begins with https:// or http://, without user and password'),
    ('{http source}', 'method', false, 'one of GET, POST', null, null),
    ('{http source}', 'params', false, 'object', null,
      'query parameters as an object: ''{"status": "open", "tag": ["a", "b"]}'''),
    ('{http source}', 'headers', false, 'object', null, 'headers as an object of strings: ''{"X-Api-Version": "2"}'''),
    ('{http source}', 'body', false, 'object or array', null, 'the JSON body of a POST, an object or an array'),
    ('{http source}', 'records', false, 'pointer', null,
      'a JSON pointer to the array of records, such as /data; the empty string is the whole answer'),
    ('{http source}', 'paging', false, 'paging', null, null),
    ('{http source}', 'auth', false, 'auth', null, null),
    ('{http source}', 'since', false, 'since', null, null),
    ('{http source}', 'retry_when', false, 'conditions', null,
      'JSON pointers: ''["/error"]'' where something stands there, ''{"/code": [429]}'' where one of these does'),
    ('{http source}', 'fail_when', false, 'conditions', null,
      'JSON pointers: ''["/error"]'' where something stands there, ''{"/code": [429]}'' where one of these does'),
    ('{http source}', 'allow_hosts', false, 'names', null,
      'names of other hosts that links and redirects may lead to, with :port where it is not the usual one'),
    ('{http source}', 'ca_file', false, 'text', null, 'the path of a PEM file with certificates'),
    ('{http source}', 'requests_per_second', false, 'number', '[0.001,1000]', 'a number from 0.001 to 1000'),
    ('{http source}', 'connect_timeout', false, 'integer', '[1,3600]', 'seconds, 1 to 3600'),
    ('{http source}', 'read_timeout', false, 'integer', '[1,3600]', 'seconds with next to no bytes, 1 to 3600'),
    ('{http source}', 'request_timeout', false, 'integer', '[1,86400]', 'seconds for a whole answer, 1 to 86400'),
    ('{http source}', 'retry_statuses', false, 'statuses', null, 'HTTP statuses: ''{202,409}'''),
    ('{http source}', 'final_statuses', false, 'statuses', null, 'HTTP statuses: ''{500,503}'''),
    ('{http source}', 'for_each', false, 'text', null, 'a query, with the name of its schema before each table'),
    ('{http source}', 'max_pages', false, 'integer', '[1,1000000000]', 'pages that a run reads at most'),
    ('{http source}', 'allow_equal_pages', false, 'boolean', null, null),
    ('{http source}', 'shape', false, 'one of array, object, members', null, null),
    ('{http source}', 'body_format', false, 'one of json, form', null, null),
    ('{http source}', 'max_wait', false, 'integer', '[0,86400]',
      'seconds that the server may ask to be left alone, 0 to 86400'),
    ('{http source}', 'max_redirects', false, 'integer', '[0,20]', '0 to 20'),
    ('{http source}', 'max_page_bytes', false, 'integer', '[1,1073741824]', 'bytes, 1 to 1073741824'),
    ('{http source}', 'prefetch', false, 'integer', '[1,16]', 'pages on their way at a time, 1 to 16')
$$;

comment on function sluice._http_settings() is
  'The settings of an HTTP source, but for its parts and for what says how records stand in an answer.';
