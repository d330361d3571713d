create or replace function sluice.link_header_paging(rel text default 'next')
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._check_http_paging(jsonb_build_object('model', 'link_header', 'rel', rel))
$$;

comment on function sluice.link_header_paging(text) is
  'Pages by the Link header (RFC 8288): Link: <https://...>; rel="next". The end: no link with this relation. A link to another host is refused unless the source has it in allow_hosts.';
