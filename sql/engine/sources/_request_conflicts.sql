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
      'the secret is to be found in two places', 'one of env => ''VARIABLE'', file => ''/run/secrets/token'''),
    ('{bearer auth,basic auth,header auth,param auth,oauth2 auth}',
      '$ ? (!exists(@.env) && !exists(@.file) && !exists(@.refresh_token_file))',
      'the secret is to be found nowhere',
      'one of env => ''VARIABLE'', file => ''/run/secrets/token''; the secret itself is never written into a pipeline'),
    ('{header auth}',
      '$.header ? (@ like_regex "^(host|content-length|transfer-encoding|connection|accept-encoding)$" flag "i")',
      '"%s" cannot carry a secret', 'the name of a header, such as X-Api-Key'),

    ('{since}', '$ ? (exists(@.field) && exists(@.header))', 'the mark is to be found in two places',
      'one of field => ''/updated_at'' (in the records), header => ''Date'' (of the first page)'),
    ('{since}', '$ ? (!exists(@.field) && !exists(@.header))', 'the mark is to be found nowhere',
      'one of field => ''/updated_at'' (in the records), header => ''Date'' (of the first page)'),
    ('{since}', '$ ? (@.lag > 0).kind ? (@ == "number" || @ == "text")',
      'a lag cannot be taken from a mark of the kind "%s"', 'lag goes with the kinds timestamp, unix and unix_ms'),
    ('{since}', '$ ? (exists(@.step) || exists(@.format)).kind ? (@ == "number" || @ == "text")',
      'a mark of the kind "%s" is no time', 'format and step go with the kinds timestamp, unix and unix_ms'),
    ('{since}', '$.format ? (!(@ like_regex "^(unix|unix_ms|date|utc)$|%"))',
      'format cannot be "%s"', 'one of unix, unix_ms, date, utc, or a pattern of strftime such as %d.%m.%Y'),
    ('{since}', '$.template ? (!(@ like_regex "[{]since[}]"))',
      'there is no {since} in template "%s"', 'template => ''updated_at ge {since}'''),
    ('{since}', '$ ? (exists(@.step) && !exists(@.start))',
      'step needs a start', 'start => what the first request asks for'),
    ('{since}', '$ ? (exists(@.step) && !exists(@.until_param) && !(@.template like_regex "[{]until[}]"))',
      'step needs a place for the other end', 'until_param => ''updated_before'', or {until} in the template')
$$;

comment on function sluice._request_conflicts() is
  'What settings of paging, auth and since ask of each other (see sluice._conflicts).';
