create or replace function sluice.offset_paging(
  size integer, param text default 'offset', size_param text default 'limit', start bigint default 0, total text default null,
  ends_at text default 'empty_page', send_in text default 'params')
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._check_http_paging(jsonb_build_object(
    'model', 'offset', 'size', size, 'param', param, 'size_param', size_param, 'start', start, 'total', total,
    'ends_at', nullif(ends_at, 'empty_page'), 'send_in', nullif(send_in, 'params')))
$$;

comment on function sluice.offset_paging(integer, text, text, bigint, text, text, text) is
  'Pages by offset: ?offset=0&limit=100, ?offset=100&limit=100, ... The offset moves by the records that came. start: where the first page begins. size: records a page, asked for by size_param. The end: total (where the answer tells the number of records: a JSON pointer or the name of a header); else the first empty page, or with ends_at => ''short_page'' the first page with fewer than size records. send_in: params, or body for a member (or JSON pointer) of the JSON body.';
