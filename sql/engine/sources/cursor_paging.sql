create or replace function sluice.cursor_paging(param text, next text, more text default null, send_in text default 'params')
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._check_http_paging(jsonb_build_object(
    'model', 'cursor', 'param', param, 'next', next, 'more', more, 'send_in', nullif(send_in, 'params')))
$$;

comment on function sluice.cursor_paging(text, text, text, text) is
  'Pages by a token that comes with each page: each answer holds the token that asks for the next. next: where it stands, a JSON pointer such as /meta/next or the name of a header. param: the parameter that takes it; with send_in => ''body'' a member of the JSON body, or a JSON pointer to one. more: where it says whether there are more pages, for sources that give a token with the last page too. The end: no token (missing, null, empty), or more says so.';
