create or replace function sluice._check_http_paging(p_paging jsonb)
returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_part   text := (p_paging ->> 'model') || ' paging';
  v_paging jsonb;
begin
  if coalesce(p_paging ->> 'model', '') not in ('page_number', 'offset', 'cursor', 'next_link', 'link_header') then
    raise exception using errcode = 'SL005', message = format('http source: unknown paging %s', p_paging),
      hint = 'make it with one of sluice.page_number_paging(...), offset_paging, cursor_paging, next_link_paging, link_header_paging; leave it out for a single page';
  end if;
  v_paging := sluice._check_http_part(v_part, p_paging);
  if v_part = 'page_number paging' then
    if v_paging ? 'size_param' <> v_paging ? 'size' and (v_paging ? 'size_param' or v_paging ->> 'ends_at' is distinct from 'short_page') then
      raise exception using errcode = 'SL005',
        message = format('page_number paging: %s is missing', case when v_paging ? 'size' then 'size_param' else 'size' end),
        hint = 'size_param => ''per_page'', size => 100: the two go together';
    end if;
    if v_paging ->> 'ends_at' = 'short_page' and not v_paging ? 'size' then
      raise exception using errcode = 'SL005', message = 'page_number paging: ends_at short_page needs the size of a page',
        hint = 'size => 100, and size_param => ''per_page'' if it is to be asked for';
    end if;
    if v_paging ? 'pages' and v_paging ? 'total' then
      raise exception using errcode = 'SL005', message = 'page_number paging: pages and total are both given',
        hint = 'one of them is enough';
    end if;
  end if;
  if v_paging ->> 'ends_at' = 'short_page' and (v_paging ? 'pages' or v_paging ? 'total') then
    raise exception using errcode = 'SL005', message = format('%s: ends_at short_page and a count are both given', v_part),
      hint = 'the count is the better proof; leave ends_at out';
  end if;
  if v_part = 'next_link paging' and v_paging ->> 'next' !~ '^/' then
    raise exception using errcode = 'SL005', message = format('next_link paging: next cannot be %s', v_paging -> 'next'),
      hint = 'a JSON pointer such as /links/next; for the Link header see sluice.link_header_paging(...)';
  end if;
  return v_paging;
end
$$;

comment on function sluice._check_http_paging(jsonb) is
  'Refuses (SL005) a paging whose settings do not fit together; returns it without nulls.';
