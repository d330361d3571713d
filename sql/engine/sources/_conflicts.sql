-- What settings ask of each other. Where the path finds something in the settings of a part, they are refused with
-- the message; its first %s is what was found (of a member its name), the second a member's value.
create or replace function sluice._conflicts()
returns table (parts text[], path jsonpath, message text, hint text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{file source,object source,http source}'::text[], '$ ? (@.header == false && !exists(@.columns))'::jsonpath,
      'header => false leaves the fields without names', 'name them: columns => ''{id,name}'''),
    ('{file source,object source,http source}',
      '$ ? (@.delimiter == @.quote || (@.delimiter == "\"" && !exists(@.quote))
        || (!exists(@.delimiter) && @.quote == "," && !(@.format == "tsv"))
        || (!exists(@.delimiter) && @.quote == "\t" && !(@.format == "csv")))',
      'delimiter and quote are the same', 'quote => '''' for fields without quotes; the defaults are , and "'),
    ('{object source}', '$ ? (!(@.allow_http == true)).endpoint ? (@ starts with "http://")',
      'endpoint %s is not encrypted',
      'use https, or say allow_http => true: then anyone on the way can read what is sent'),

    ('{http source}', '$.headers.keyvalue() ? (@.value.type() != "string"
        || @.value like_regex "[\\x01-\\x1f\\x7f]"
        || !(@.key like_regex "^[A-Za-z0-9!#$%&''*+.^_`|~-]+$"))',
      'header "%s" cannot be %s', 'headers is an object of strings of one line: ''{"X-Api-Version": "2"}'''),
    ('{http source}', '$.headers.keyvalue() ? (@.key like_regex "^(proxy-)?authorization$|^cookie$" flag "i")',
      'the header "%s" would keep a secret in the database',
      'auth => sluice.bearer_auth(env => ''VARIABLE''), or one of basic_auth, header_auth, param_auth, oauth2_auth'),
    ('{http source}', '$.headers.keyvalue() ? (@.key like_regex
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
    ('{http source}', '$ ? (exists(@.format) && @.format != "json").keyvalue()
        ? (@.key == "records" || @.key == "retry_when" || @.key == "fail_when")',
      '%s needs the format json', 'leave it out'),
    ('{http source}', '$ ? (exists(@.format) && @.format != "json").paging.keyvalue() ? (@.key == "next"
        || @.key == "more" || @.key == "pages" || @.key == "total") ? (@.value starts with "/")',
      '%s as a JSON pointer needs the format json', 'name a header instead, or leave it out'),
    ('{http source}', '$ ? (!(@.format == "csv" || @.format == "tsv")).keyvalue() ? (@.key == "delimiter"
        || @.key == "quote" || @.key == "header" || @.key == "columns" || @.key == "null_string")',
      '%s is for the formats csv and tsv', 'format => ''csv'', or leave it out'),

    ('{page_number paging}', '$ ? (exists(@.size_param) && !exists(@.size))',
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

    ('{bearer auth,basic auth,header auth,param auth,oauth2 auth}', '$ ? (exists(@.env) && exists(@.file))',
      'the secret is to be found in two places', 'one of env => ''VARIABLE'', file => ''/run/secrets/token'''),
    ('{bearer auth,basic auth,header auth,param auth,oauth2 auth}', '$ ? (!exists(@.env) && !exists(@.file))',
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
      'a lag cannot be taken from a mark of the kind "%s"', 'lag goes with the kinds timestamp, unix and unix_ms')
$$;

comment on function sluice._conflicts() is
  'Settings of sources and of their parts that do not go together, or that ask for others.';
