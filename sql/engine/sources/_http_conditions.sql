create or replace function sluice._http_conditions(p_name text, p_conditions jsonb)
returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_conditions jsonb;
  v_hint       text := '''["/error"]'': something stands at this JSON pointer; ''{"/code": ["busy", 429]}'': one of these values does';
begin
  v_conditions := case jsonb_typeof(p_conditions)
    when 'array' then (
      select coalesce(jsonb_agg(case when jsonb_typeof(e) = 'object' then e else jsonb_build_object('pointer', e) end), '[]') from jsonb_array_elements(p_conditions) e)
    when 'object' then (
      select coalesce(jsonb_agg(jsonb_build_object('pointer', key, 'values', case when jsonb_typeof(value) = 'array' then value else jsonb_build_array(value) end)), '[]')
      from jsonb_each(p_conditions))
  end;
  if p_conditions is not null and (coalesce(v_conditions, '[]') = '[]' or exists (
    select from jsonb_array_elements(v_conditions) c
    where jsonb_typeof(c -> 'pointer') is distinct from 'string' or c ->> 'pointer' !~ '^(/([^~/]|~[01])*)*$'
      or coalesce(jsonb_typeof(c -> 'values'), 'array') <> 'array' or c -> 'values' = '[]' or c - 'pointer' - 'values' <> '{}')) then
    raise exception using errcode = 'SL005', message = format('http source: %s cannot be %s', p_name, p_conditions), hint = v_hint;
  end if;
  return v_conditions;
end
$$;

comment on function sluice._http_conditions(text, jsonb) is
  'The conditions of retry_when and fail_when in one form: a list of JSON pointers, each with values or without. Refuses (SL005) what is none.';
