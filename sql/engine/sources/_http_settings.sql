create or replace function sluice._http_settings()
returns table (part text, name text, types text[], is_required boolean, allowed text[], pattern text, minimum numeric, maximum numeric, description text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  with rule (part, name, types, is_required, shape, minimum, maximum, description) as (values
    ('http source', 'url', '{string}'::text[], true, 'url', null::numeric, null::numeric, 'a URL that begins with https:// or http://, without user and password'),
    ('http source', 'method', '{string}', false, 'GET,POST', null, null, 'GET or POST'),
    ('http source', 'params', '{object}', false, 'any', null, null, 'query parameters as an object: ''{"status": "open", "tag": ["a", "b"]}'''),
    ('http source', 'headers', '{object}', false, 'any', null, null, 'headers as an object of strings: ''{"X-Api-Version": "2"}'''),
    ('http source', 'body', '{object,array}', false, 'any', null, null, 'the JSON body of a POST, an object or an array'),
    ('http source', 'records', '{string}', false, 'pointer', null, null, 'a JSON pointer to the array of records, such as /data; the empty string is the whole answer'),
    ('http source', 'format', '{string}', false, 'json,ndjson,csv,tsv', null, null, 'one of json, ndjson, csv, tsv'),
    ('http source', 'delimiter', '{string}', false, 'delimiter', null, null, 'csv, tsv: one ASCII character, no line break'),
    ('http source', 'quote', '{string}', false, 'quote', null, null, 'csv, tsv: one ASCII character, or the empty string for no quoting'),
    ('http source', 'header', '{boolean}', false, 'any', null, null, 'csv, tsv: true or false'),
    ('http source', 'columns', '{array}', false, 'names', null, null, 'csv, tsv: names of the fields, in order'),
    ('http source', 'null_string', '{string}', false, 'any', null, null, 'csv, tsv: the text that stands for null'),
    ('http source', 'max_record_bytes', '{number}', false, 'integer', 1, 268435455, 'bytes, 1 to 268435455 (what jsonb can hold)'),
    ('http source', 'paging', '{object}', false, 'any', null, null, 'made by one of sluice.page_number_paging(...), offset_paging, cursor_paging, next_link_paging, link_header_paging'),
    ('http source', 'auth', '{object}', false, 'any', null, null, 'made by one of sluice.bearer_auth(...), basic_auth, header_auth, param_auth, oauth2_auth'),
    ('http source', 'since', '{object}', false, 'any', null, null, 'made by sluice.since(...)'),
    ('http source', 'retry_when', '{array}', false, 'any', null, null, 'JSON pointers: ''["/error"]'' where something stands there, ''{"/code": ["busy", 429]}'' where one of these does'),
    ('http source', 'fail_when', '{array}', false, 'any', null, null, 'JSON pointers: ''["/error"]'' where something stands there, ''{"/code": ["busy", 429]}'' where one of these does'),
    ('http source', 'allow_hosts', '{array}', false, 'names', null, null, 'names of other hosts that links and redirects may lead to, with :port where it is not the usual one'),
    ('http source', 'ca_file', '{string}', false, 'text', null, null, 'the path of a PEM file with certificates'),
    ('http source', 'connect_timeout', '{number}', false, 'integer', 1, 3600, 'seconds, 1 to 3600'),
    ('http source', 'read_timeout', '{number}', false, 'integer', 1, 3600, 'seconds without a byte, 1 to 3600'),
    ('http source', 'requests_per_second', '{number}', false, 'any', 0.001, 1000, 'a number from 0.001 to 1000'),
    ('http source', 'max_page_bytes', '{number}', false, 'integer', 1, 1073741824, 'bytes, 1 to 1073741824'),
    ('http source', 'max_redirects', '{number}', false, 'integer', 0, 20, '0 to 20'),
    ('http source', 'max_wait', '{number}', false, 'integer', 0, 86400, 'seconds that the server may ask to be left alone, 0 to 86400'),
    ('http source', 'prefetch', '{number}', false, 'integer', 1, 16, 'pages on their way at a time, 1 to 16'),

    ('page_number paging', 'param', '{string}', true, 'text', null, null, 'the parameter with the number of the page'),
    ('page_number paging', 'start', '{number}', false, 'integer', 0, 1000000000, 'the number of the first page, mostly 0 or 1'),
    ('page_number paging', 'size_param', '{string}', false, 'text', null, null, 'the parameter with the size of a page'),
    ('page_number paging', 'size', '{number}', false, 'integer', 1, 1000000, 'records in a page, 1 to 1000000'),
    ('page_number paging', 'pages', '{string}', false, 'place', null, null, 'where the number of pages stands: a JSON pointer such as /meta/pages, or the name of a header'),
    ('page_number paging', 'total', '{string}', false, 'place', null, null, 'where the number of records stands: a JSON pointer such as /meta/total, or the name of a header'),
    ('page_number paging', 'ends_at', '{string}', false, 'empty_page,short_page', null, null, 'empty_page or short_page'),
    ('page_number paging', 'send_in', '{string}', false, 'params,body', null, null, 'params or body'),

    ('offset paging', 'param', '{string}', true, 'text', null, null, 'the parameter with the offset'),
    ('offset paging', 'size_param', '{string}', true, 'text', null, null, 'the parameter with the size of a page'),
    ('offset paging', 'size', '{number}', true, 'integer', 1, 1000000, 'records in a page, 1 to 1000000'),
    ('offset paging', 'start', '{number}', false, 'integer', 0, 1000000000, 'the offset of the first record, mostly 0'),
    ('offset paging', 'total', '{string}', false, 'place', null, null, 'where the number of records stands: a JSON pointer such as /meta/total, or the name of a header'),
    ('offset paging', 'ends_at', '{string}', false, 'empty_page,short_page', null, null, 'empty_page or short_page'),
    ('offset paging', 'send_in', '{string}', false, 'params,body', null, null, 'params or body'),

    ('cursor paging', 'param', '{string}', true, 'text', null, null, 'the parameter that takes the token; with send_in => ''body'' a member of the body, or a JSON pointer to one'),
    ('cursor paging', 'next', '{string}', true, 'place', null, null, 'where the next token stands: a JSON pointer such as /meta/next, or the name of a header'),
    ('cursor paging', 'more', '{string}', false, 'place', null, null, 'where it says whether there are more pages: a JSON pointer such as /has_more, or the name of a header'),
    ('cursor paging', 'send_in', '{string}', false, 'params,body', null, null, 'params or body'),

    ('next_link paging', 'next', '{string}', true, 'place', null, null, 'where the URL of the next page stands: a JSON pointer such as /links/next'),
    ('link_header paging', 'rel', '{string}', true, 'text', null, null, 'the relation of the link to the next page, mostly next'),

    ('bearer auth', 'env', '{string}', false, 'variable', null, null, 'the name of an environment variable, not its value'),
    ('bearer auth', 'file', '{string}', false, 'text', null, null, 'the path of a file with the secret'),
    ('basic auth', 'username', '{string}', false, 'any', null, null, 'the user; without it the secret is user:password'),
    ('basic auth', 'env', '{string}', false, 'variable', null, null, 'the name of an environment variable, not its value'),
    ('basic auth', 'file', '{string}', false, 'text', null, null, 'the path of a file with the secret'),
    ('header auth', 'header', '{string}', true, 'token', null, null, 'the name of a header, such as X-Api-Key'),
    ('header auth', 'prefix', '{string}', false, 'any', null, null, 'what stands before the secret, such as ''Token '''),
    ('header auth', 'env', '{string}', false, 'variable', null, null, 'the name of an environment variable, not its value'),
    ('header auth', 'file', '{string}', false, 'text', null, null, 'the path of a file with the secret'),
    ('param auth', 'param', '{string}', true, 'text', null, null, 'the query parameter with the secret, such as api_key'),
    ('param auth', 'env', '{string}', false, 'variable', null, null, 'the name of an environment variable, not its value'),
    ('param auth', 'file', '{string}', false, 'text', null, null, 'the path of a file with the secret'),
    ('oauth2 auth', 'token_url', '{string}', true, 'url', null, null, 'a URL that begins with https:// or http://, without user and password'),
    ('oauth2 auth', 'client_id', '{string}', true, 'text', null, null, 'the id of the client'),
    ('oauth2 auth', 'scope', '{string}', false, 'text', null, null, 'scopes, separated by blanks'),
    ('oauth2 auth', 'params', '{object}', false, 'any', null, null, 'more parameters of the token request: ''{"audience": "..."}'''),
    ('oauth2 auth', 'send_in', '{string}', false, 'header,body', null, null, 'header or body'),
    ('oauth2 auth', 'env', '{string}', false, 'variable', null, null, 'the name of an environment variable, not its value'),
    ('oauth2 auth', 'file', '{string}', false, 'text', null, null, 'the path of a file with the client''s secret'),

    ('since', 'param', '{string}', true, 'text', null, null, 'the parameter that takes the mark, such as updated_since'),
    ('since', 'field', '{string}', false, 'pointer', null, null, 'a JSON pointer into a record, such as /updated_at'),
    ('since', 'header', '{string}', false, 'token', null, null, 'the name of a header of the answer, such as Date'),
    ('since', 'start', '{string}', false, 'text', null, null, 'what the first sweep asks for'),
    ('since', 'lag', '{number}', false, 'integer', 0, 3155760000, 'an interval of whole seconds, not negative'),
    ('since', 'kind', '{string}', false, 'timestamp,unix,unix_ms,number,text', null, null, 'one of timestamp, unix (seconds), unix_ms, number, text'),
    ('since', 'until_param', '{string}', false, 'text', null, null, 'the parameter that takes an upper bound, such as updated_before'),
    ('since', 'send_in', '{string}', false, 'params,body', null, null, 'params or body')
  ), shape (shape, pattern) as (values
    ('url', '^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@[:space:]]+([/?#][^[:space:]]*)?$'),
    ('pointer', '^(/([^~/]|~[01])*)*$'),
    ('place', '^((/([^~/]|~[01])*)+|[A-Za-z0-9!#$%&''*+.^_`|~-]+)$'),
    ('token', '^[A-Za-z0-9!#$%&''*+.^_`|~-]+$'),
    ('variable', '^[A-Za-z_][A-Za-z0-9_]*$'),
    ('integer', '^[0-9]{1,10}$'),
    ('text', '[^[:space:]]'),
    ('delimiter', E'^[\\x01-\\x09\\x0b\\x0c\\x0e-\\x7f]$'),
    ('quote', E'^[\\x01-\\x7f]?$'))
  select r.part, r.name, r.types, r.is_required,
    case when s.shape is null and r.shape not in ('any', 'names') then string_to_array(r.shape, ',') end, s.pattern, r.minimum, r.maximum, r.description
  from rule r left join shape s using (shape)
$$;

comment on function sluice._http_settings() is
  'The settings of an HTTP source and of its parts (paging, auth, since), their JSON types and the values they may have.';
