create or replace function sluice._check_http_since(p_since jsonb)
returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_since jsonb := sluice._check_http_part('since', p_since);
begin
  if (v_since ? 'field') = (v_since ? 'header') then
    raise exception using errcode = 'SL005',
      message = format('since: the mark is to be found %s', case when v_since ? 'field' then 'in two places' else 'nowhere' end),
      hint = 'one of field => ''/updated_at'' (in the records), header => ''Date'' (of the first page)';
  end if;
  if v_since ->> 'field' = '' then
    raise exception using errcode = 'SL005', message = 'since: field cannot be ""', hint = 'a JSON pointer into a record, such as /updated_at';
  end if;
  if (v_since ->> 'lag')::numeric > 0 and v_since ->> 'kind' in ('number', 'text') then
    raise exception using errcode = 'SL005', message = format('since: a lag cannot be taken from a mark of the kind %s', v_since -> 'kind'),
      hint = 'lag goes with the kinds timestamp, unix and unix_ms';
  end if;
  return v_since;
end
$$;

comment on function sluice._check_http_since(jsonb) is
  'Refuses (SL005) a since whose settings do not fit together; returns it without nulls.';
