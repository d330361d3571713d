create or replace function sluice._check_source(p_source jsonb)
returns void
language plpgsql immutable
set search_path = ''
as $$
declare
  v_rule  record;
  v_names text;
  v_key   text;
  v_value jsonb;
begin
  if p_source ->> 'kind' = 'http' then
    perform sluice._check_http_source(p_source);
    return;
  end if;
  if p_source is null or jsonb_typeof(p_source) <> 'object' or p_source ->> 'kind' is distinct from 'file' then
    raise exception using errcode = 'SL005',
      message = format('unknown source %s', coalesce(p_source::text, 'null')),
      hint = 'make it with sluice.file_source(path => ...) or sluice.http_source(url => ...)';
  end if;
  select string_agg(r.name, ', ' order by r.name) into v_names from sluice._file_settings() r;
  for v_key, v_value in select key, value from jsonb_each(p_source) where key <> 'kind' loop
    select * into v_rule from sluice._file_settings() r where r.name = v_key;
    if not found then
      raise exception using errcode = 'SL005',
        message = format('file source: unknown setting %s', to_json(v_key)), hint = 'known are ' || v_names;
    end if;
    if jsonb_typeof(v_value) <> v_rule.type
      or not coalesce(v_value #>> '{}' = any (v_rule.allowed), true)
      or not coalesce((v_value #>> '{}') ~ v_rule.pattern, true)
      or (v_rule.type = 'array' and (v_value = '[]' or v_value @? '$[*] ? (@.type() <> "string")'
        or jsonb_array_length(v_value) > (select count(distinct e) from jsonb_array_elements(v_value) e)))
      or (v_rule.maximum is not null and (v_value #>> '{}')::numeric > v_rule.maximum) then
      raise exception using errcode = 'SL005',
        message = format('file source: %s cannot be %s', v_key, v_value), hint = v_rule.description;
    end if;
  end loop;
  if coalesce(p_source ->> 'path', '') = '' then
    raise exception using errcode = 'SL005', message = 'file source: path is missing',
      hint = 'path => a file, a glob such as drop/*.ndjson, a folder, or - for standard input';
  end if;
  if p_source ->> 'header' = 'false' and p_source -> 'columns' is null then
    raise exception using errcode = 'SL005', message = 'file source: header => false leaves the fields without names',
      hint = 'name them: columns => ''{id,name}''';
  end if;
end
$$;

comment on function sluice._check_source(jsonb) is
  'Refuses (SL005) a source with unknown settings or values out of range.';
