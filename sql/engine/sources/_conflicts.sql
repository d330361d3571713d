-- What settings ask of each other. Where the path finds something in the settings of a part, they are refused with
-- the message; its first %s is what was found (of a member its name), the second a member's value.
create or replace function sluice._conflicts()
returns table (parts text[], path jsonpath, message text, hint text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{object source}'::text[], '$ ? (!(@.allow_http == true)).endpoint ? (@ starts with "http://")'::jsonpath,
      'endpoint %s is not encrypted',
      'use https, or say allow_http => true: then anyone on the way can read what is sent'),

    ('{http source,http delivery}', '$.headers.keyvalue() ? (@.value.type() != "string"
        || @.value like_regex "[\\x01-\\x1f\\x7f]"
        || !(@.key like_regex "^[A-Za-z0-9!#$%&''*+.^_`|~-]+$"))',
      'header "%s" cannot be %s', 'headers is an object of strings of one line: ''{"X-Api-Version": "2"}'''),
    ('{http source,http delivery}', '$.headers.keyvalue()
        ? (@.key like_regex "^(proxy-)?authorization$|^cookie$" flag "i")',
      'the header "%s" would keep a secret in the database',
      'auth => sluice.bearer_auth(env => ''VARIABLE''), or one of basic_auth, header_auth, param_auth, oauth2_auth'),
    ('{http source,http delivery}', '$.headers.keyvalue() ? (@.key like_regex
        "^(host|content-length|transfer-encoding|connection|accept-encoding)$" flag "i")',
      'the header "%s" is not yours to set', 'it follows from the request; leave it out'),
    ('{http source}', '$.params.keyvalue() ? (@.value.type() == "object" || (@.value.type() == "array"
        && (@.value[*].type() == "object" || @.value[*].type() == "array" || @.value[*].type() == "null")))',
      'parameter "%s" cannot be %s',
      'a string, a number, true, false, or an array of them for a parameter that is repeated'),
    ('{http source}', '$ ? (!(@.method == "POST")).keyvalue() ? (@.key == "body")',
      '%s needs method POST', 'method => ''POST'''),
    ('{http source}', '$ ? (!(@.method == "POST")).keyvalue() ? ((@.key == "paging" || @.key == "since")
        && @.value.send_in == "body")',
      '%s with send_in => ''body'' needs method POST', 'method => ''POST'''),
    ('{file source,object source,http source}', '$ ? (exists(@.format) && @.format != "json").keyvalue()
        ? (@.key == "records" || @.key == "shape")',
      '%s needs the format json', 'leave it out'),
    ('{http source}', '$ ? (!exists(@.format) || @.format == "json").keyvalue() ? (@.key == "encoding")',
      '%s is for the formats ndjson, csv and tsv', 'JSON is UTF-8; leave it out'),
    ('{http source}', '$ ? (@.format == "csv" || @.format == "tsv").keyvalue()
        ? (@.key == "retry_when" || @.key == "fail_when")',
      '%s needs the format json, or ndjson for its last line', 'leave it out'),
    ('{http source}', '$ ? (exists(@.format) && @.format != "json").paging.keyvalue() ? (@.key == "next"
        || @.key == "more" || @.key == "done" || @.key == "pages" || @.key == "total") ? (@.value starts with "/")',
      '%s as a JSON pointer needs the format json', 'name a header instead, or leave it out'),
    ('{http source}', '$ ? (!(@.format == "csv" || @.format == "tsv")).keyvalue() ? (@.key == "delimiter"
        || @.key == "quote" || @.key == "header" || @.key == "columns" || @.key == "null_string"
        || @.key == "require")',
      '%s is for the formats csv and tsv', 'format => ''csv'', or leave it out'),

    ('{http source}', '$ ? (@.body_format == "form").body ? (@.type() == "array")',
      'a form cannot be %s', 'body => ''{"status": "open"}'', with one member a field'),
    ('{http source}', '$ ? (!(@.method == "POST")).keyvalue() ? (@.key == "body_format")',
      '%s needs method POST', 'method => ''POST'''),
    ('{http source}', '$ ? (exists(@.for_each)).since ? (exists(@.step)).step',
      'for_each and a step of since are both given',
      'one mark cannot say how far the windows of each row came; leave one of them out'),
    ('{http source}', '$ ? (@.allow_equal_pages == true).paging ? (@.ends_at == "repeated_page").ends_at',
      'allow_equal_pages contradicts ends_at %s', 'leave one of them out'),
    ('{http source}', '$.paging.keyvalue() ? (@.key == "param" || @.key == "size_param") ? (@.value == $in_url[*])',
      '%s of the paging is in the url, too: %s', 'leave it out of the url, or the requests would have it twice'),
    ('{http source}', '$.since.keyvalue() ? (@.key == "param" || @.key == "until_param") ? (@.value == $in_url[*])',
      '%s of since is in the url, too: %s', 'leave it out of the url, or the requests would have it twice')
  union all select * from sluice._program_conflicts()
  union all select * from sluice._request_conflicts()
  union all select * from sluice._record_conflicts()
  union all select * from sluice._database_conflicts()
  union all select * from sluice._delivery_conflicts()
$$;

comment on function sluice._conflicts() is
  'Settings of sources and of their parts that do not go together, or that ask for others.';

-- What settings of paging, auth and since ask of each other (see sluice._conflicts).
create or replace function sluice._request_conflicts()
returns table (parts text[], path jsonpath, message text, hint text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{page_number paging}'::text[], '$ ? (exists(@.size_param) && !exists(@.size))'::jsonpath,
      'size is missing', 'size_param => ''per_page'', size => 100: the two go together'),
    ('{page_number paging}', '$ ? (exists(@.size) && !exists(@.size_param) && !(@.ends_at == "short_page"))',
      'size_param is missing', 'size_param => ''per_page'', size => 100: the two go together'),
    ('{page_number paging}', '$ ? (@.ends_at == "short_page" && !exists(@.size))',
      'ends_at short_page needs the size of a page',
      'size => 100, and size_param => ''per_page'' if it is to be asked for'),
    ('{page_number paging}', '$ ? (exists(@.pages) && exists(@.total))',
      'pages and total are both given', 'one of them is enough'),
    ('{page_number paging,offset paging}', '$ ? (@.ends_at == "short_page" && (exists(@.pages) || exists(@.total)))',
      'ends_at short_page and a count are both given', 'the count is the better proof; leave ends_at out'),
    ('{page_number paging,offset paging,cursor paging,next_link paging,link_header paging}',
      '$ ? (exists(@.more) && exists(@.done))', 'more and done are both given', 'one of them is enough'),
    ('{next_link paging}', '$.next ? (@ like_regex "^link$" flag "i")', 'next cannot be "%s"',
      'that header holds more than a URL: sluice.link_header_paging(...)'),
    ('{cursor paging}', '$ ? (exists(@.next) && exists(@.last))',
      'next and last are both given', 'the token is in the answer (next), or in its last record (last)'),
    ('{cursor paging}', '$ ? (!exists(@.next) && !exists(@.last))',
      'next is missing',
      'next => a JSON pointer such as /meta/next or a header, or last => ''/id'' for the last record''s own'),

    ('{bearer auth,basic auth,header auth,param auth,oauth2 auth}', '$ ? (exists(@.env) && exists(@.file))',
      'the secret is given in two places', 'one of env => ''VARIABLE'', file => ''/run/secrets/token'''),
    ('{bearer auth,basic auth,header auth,param auth,oauth2 auth}',
      '$ ? (!exists(@.env) && !exists(@.file) && !exists(@.refresh_token_file))',
      'the secret is not given',
      'one of env => ''VARIABLE'', file => ''/run/secrets/token''; the secret itself is never written into a pipeline'),
    ('{header auth}',
      '$.header ? (@ like_regex "^(host|content-length|transfer-encoding|connection|accept-encoding)$" flag "i")',
      '"%s" cannot carry a secret', 'the name of a header, such as X-Api-Key'),

    ('{since}', '$ ? (exists(@.field) && exists(@.header))', 'the mark is given in two places',
      'one of field => ''/updated_at'' (in the records), header => ''Date'' (of the first page)'),
    ('{since}', '$ ? (!exists(@.field) && !exists(@.header))', 'the mark is not given',
      'one of field => ''/updated_at'' (in the records), header => ''Date'' (of the first page)'),
    ('{since}', '$ ? (@.lag > 0).kind ? (@ == "number" || @ == "text")',
      'a lag cannot be taken from a mark of the kind "%s"', 'lag goes with the kinds timestamp, unix and unix_ms'),
    ('{since}', '$ ? (exists(@.step) || exists(@.format)).kind ? (@ == "number" || @ == "text")',
      'a mark of the kind "%s" is not a time', 'format and step go with the kinds timestamp, unix and unix_ms'),
    ('{since}', '$.format ? (!(@ like_regex "^(unix|unix_ms|date|utc)$|%"))',
      'format cannot be "%s"', 'one of unix, unix_ms, date, utc, or a pattern of strftime such as %d.%m.%Y'),
    ('{since}', '$.template ? (!(@ like_regex "[{]since[}]"))',
      'there is no {since} in template "%s"', 'template => ''updated_at ge {since}'''),
    ('{since}', '$ ? (exists(@.step) && !exists(@.start))',
      'step needs a start', 'start => what the first request asks for'),
    ('{since}', '$ ? (exists(@.step) && !exists(@.until_param) && !(@.template like_regex "[{]until[}]"))',
      'step needs a place for the other end', 'until_param => ''updated_before'', or {until} in the template')
$$;
