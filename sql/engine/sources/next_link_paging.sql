create or replace function sluice.next_link_paging(next text default '/next')
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._check_http_paging(jsonb_build_object('model', 'next_link', 'next', next))
$$;

comment on function sluice.next_link_paging(text) is
  'Pages by link in the body: next is a JSON pointer to the URL of the next page, which may be relative. The end: no link (missing, null, empty). A link to another host is refused unless the source has it in allow_hosts.';
