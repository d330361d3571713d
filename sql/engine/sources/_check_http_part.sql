create or replace function sluice._check_http_part(p_part text, p_value jsonb)
returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_value jsonb := coalesce((select jsonb_object_agg(key, value) from jsonb_each(p_value) where value <> 'null'), '{}');
  v_rule  record;
  v_key   text;
  v_given jsonb;
begin
  for v_key, v_given in select key, value from jsonb_each(p_value) where key not in ('kind', 'model', 'scheme') or (p_part = 'since' and key = 'kind') loop
    continue when v_given = 'null';
    select * into v_rule from sluice._http_settings() r where r.part = p_part and r.name = v_key;
    if not found then
      raise exception using errcode = 'SL005', message = format('%s: unknown setting %s', p_part, to_json(v_key)),
        hint = 'known are ' || (select string_agg(r.name, ', ') from sluice._http_settings() r where r.part = p_part);
    end if;
    if jsonb_typeof(v_given) <> all (v_rule.types)
      or not coalesce(v_given #>> '{}' = any (v_rule.allowed), true)
      or not coalesce((v_given #>> '{}') ~ v_rule.pattern, true)
      or (v_rule.minimum is not null and not coalesce((v_given #>> '{}')::numeric between v_rule.minimum and v_rule.maximum, false))
      or (v_key in ('columns', 'allow_hosts') and (v_given = '[]' or v_given @? 'strict $[*] ? (@.type() <> "string")'
        or jsonb_array_length(v_given) > (select count(distinct e) from jsonb_array_elements(v_given) e))) then
      raise exception using errcode = 'SL005', message = format('%s: %s cannot be %s', p_part, v_key, v_given), hint = v_rule.description;
    end if;
  end loop;
  select * into v_rule from sluice._http_settings() r where r.part = p_part and r.is_required and not v_value ? r.name limit 1;
  if found then
    raise exception using errcode = 'SL005', message = format('%s: %s is missing', p_part, v_rule.name),
      hint = format('%s => %s', v_rule.name, v_rule.description);
  end if;
  return v_value;
end
$$;

comment on function sluice._check_http_part(text, jsonb) is
  'Refuses (SL005) unknown settings, wrong values and missing ones in one part of an HTTP source; returns the part without nulls.';
