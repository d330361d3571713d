create or replace function sluice.page_number_paging(
  param text default 'page', start bigint default 1, size_param text default null, size integer default null, pages text default null, total text default null,
  ends_at text default 'empty_page', send_in text default 'params')
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._check_http_paging(jsonb_build_object(
    'model', 'page_number', 'param', param, 'start', start, 'size_param', size_param, 'size', size, 'pages', pages, 'total', total,
    'ends_at', nullif(ends_at, 'empty_page'), 'send_in', nullif(send_in, 'params')))
$$;

comment on function sluice.page_number_paging(text, bigint, text, integer, text, text, text, text) is
  'Pages by number: ?page=1, ?page=2, ... start: the number of the first page. size_param, size: ask for so many records a page. The end: pages (where the answer tells the number of pages) or total (of records), each a JSON pointer or the name of a header; else the first empty page, or with ends_at => ''short_page'' the first page with fewer than size records. send_in: params, or body for a member (or JSON pointer) of the JSON body.';
