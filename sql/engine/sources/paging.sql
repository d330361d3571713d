create or replace function sluice.page_number_paging(
  param text default 'page', start bigint default 1, size_param text default null, size integer default null,
  pages text default null, total text default null, ends_at text default 'empty_page', send_in text default 'params',
  more text default null, done text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('paging', jsonb_build_object(
    'model', 'page_number', 'param', param, 'start', start, 'size_param', size_param, 'size', size,
    'pages', pages, 'total', total, 'more', more, 'done', done,
    'ends_at', nullif(ends_at, 'empty_page'), 'send_in', nullif(send_in, 'params')))
$$;

comment on function sluice.page_number_paging is
$$Pages by number: ?page=1, ?page=2, ...
start: the number of the first page.
size_param, size: ask for that many records per page.
The end: pages (where the answer tells the number of pages), total (of records), more (whether there are more) or
  done (whether there are none), each a JSON pointer or the name of a header; else the first empty page, or with
  ends_at => 'short_page' the first with fewer than size records, 'not_found' the first that there is not (404, 410),
  'repeated_page' the first with the records of the one before. A number that a full page reaches is not believed:
  the next page is asked for to see.
send_in: params, or body for a member (or JSON pointer) of the JSON body.$$;

create or replace function sluice.offset_paging(
  size integer, param text default 'offset', size_param text default 'limit', start bigint default 0,
  total text default null, ends_at text default 'empty_page', send_in text default 'params',
  more text default null, done text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('paging', jsonb_build_object(
    'model', 'offset', 'size', size, 'param', param, 'size_param', size_param, 'start', start,
    'total', total, 'more', more, 'done', done,
    'ends_at', nullif(ends_at, 'empty_page'), 'send_in', nullif(send_in, 'params')))
$$;

comment on function sluice.offset_paging is
$$Pages by offset: ?offset=0&limit=100, ?offset=100&limit=100, ... The offset moves by the records that came.
start: where the first page begins.
size: records a page, asked for by size_param.
The end: total (where the answer tells the number of records: a JSON pointer or the name of a header), more and done
  as in page_number_paging; else the first empty page, or what ends_at says, likewise.
send_in: params, or body for a member (or JSON pointer) of the JSON body.$$;

create or replace function sluice.cursor_paging(
  param text, next text default null, more text default null, send_in text default 'params', last text default null,
  done text default null, ends_at text default 'empty_page')
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('paging', jsonb_build_object(
    'model', 'cursor', 'param', param, 'next', next, 'last', last, 'more', more, 'done', done,
    'ends_at', nullif(ends_at, 'empty_page'), 'send_in', nullif(send_in, 'params')))
$$;

comment on function sluice.cursor_paging is
$$Pages by a token that comes with each page: each answer holds the token that asks for the next.
next: where it stands, a JSON pointer such as /meta/next or the name of a header.
last: instead of next, a JSON pointer into the last record of a page, such as /id.
param: the parameter that takes it; with send_in => 'body' a member of the JSON body, or a JSON pointer to one.
more: where it says whether there are more pages, for sources that give a token with the last page too.
done: where it says whether this was the last page.
ends_at: not_found or repeated_page, as in page_number_paging.
The end: no token (missing, null, empty), more or done says so, an empty page with the token that asked for it.$$;

create or replace function sluice.next_link_paging(
  next text default '/next', more text default null, done text default null, ends_at text default 'empty_page')
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('paging', jsonb_build_object(
    'model', 'next_link', 'next', next, 'more', more, 'done', done, 'ends_at', nullif(ends_at, 'empty_page')))
$$;

comment on function sluice.next_link_paging is
$$Pages by the link in the body of an answer.
next: where the URL of the next page stands, which may be relative: a JSON pointer, or the name of a header.
more, done, ends_at: as in cursor_paging.
The end: no link (missing, null, empty). A link to another host is refused unless the source has it in allow_hosts.$$;

create or replace function sluice.link_header_paging(
  rel text default 'next', more text default null, done text default null, ends_at text default 'empty_page')
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('paging', jsonb_build_object(
    'model', 'link_header', 'rel', rel, 'more', more, 'done', done, 'ends_at', nullif(ends_at, 'empty_page')))
$$;

comment on function sluice.link_header_paging is
$$Pages by the Link header (RFC 8288): Link: <https://...>; rel="next".
more, done, ends_at: as in cursor_paging.
The end: no link with this relation, or one that says results="false". A link to another host is refused unless the
  source has it in allow_hosts.$$;

create or replace function sluice._paging_settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{page_number paging}'::text[], 'param', true, 'text', null::numrange,
      'the parameter with the number of the page'),
    ('{offset paging}', 'param', true, 'text', null, 'the parameter with the offset'),
    ('{cursor paging}', 'param', true, 'text', null,
      'the parameter that takes the token; with send_in => ''body'' a member of the body, or a JSON pointer to one'),
    ('{page_number paging}', 'start', false, 'integer', '[0,1000000000]',
      'the number of the first page, mostly 0 or 1'),
    ('{offset paging}', 'start', false, 'integer', '[0,1000000000]', 'the offset of the first record, mostly 0'),
    ('{page_number paging}', 'size_param', false, 'text', null, 'the parameter with the size of a page'),
    ('{offset paging}', 'size_param', true, 'text', null, 'the parameter with the size of a page'),
    ('{page_number paging}', 'size', false, 'integer', '[1,1000000]', 'records in a page, 1 to 1000000'),
    ('{offset paging}', 'size', true, 'integer', '[1,1000000]', 'records in a page, 1 to 1000000'),
    ('{page_number paging}', 'pages', false, 'place', null,
      'where the number of pages stands: a JSON pointer such as /meta/pages, or the name of a header'),
    ('{page_number paging,offset paging}', 'total', false, 'place', null,
      'where the number of records stands: a JSON pointer such as /meta/total, or the name of a header'),
    ('{page_number paging,offset paging}', 'ends_at', false,
      'one of empty_page, short_page, not_found, repeated_page', null, null),
    ('{cursor paging,next_link paging,link_header paging}', 'ends_at', false,
      'one of empty_page, not_found, repeated_page', null, null),
    ('{cursor paging}', 'next', false, 'place', null,
      'where the next token stands: a JSON pointer such as /meta/next, or the name of a header'),
    ('{cursor paging}', 'last', false, 'member', null, 'a JSON pointer into the last record of a page, such as /id'),
    ('{page_number paging,offset paging,cursor paging,next_link paging,link_header paging}', 'more', false, 'place',
      null, 'where it says whether there are more pages: a JSON pointer such as /has_more, or the name of a header'),
    ('{page_number paging,offset paging,cursor paging,next_link paging,link_header paging}', 'done', false, 'place',
      null, 'where it says whether this was the last page: a JSON pointer such as /done, or the name of a header'),
    ('{next_link paging}', 'next', true, 'place', null,
      'where the URL of the next page stands: a JSON pointer such as /links/next, or the name of a header; '
      'for the Link header see sluice.link_header_paging(...)'),
    ('{link_header paging}', 'rel', true, 'text', null, 'the relation of the link to the next page, mostly next'),
    ('{page_number paging,offset paging,cursor paging}', 'send_in', false, 'one of params, body', null, null)
$$;
