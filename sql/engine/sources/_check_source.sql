create or replace function sluice._check_source(p_source jsonb)
returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_kind  text := p_source ->> 'kind';
  v_rule  record;
  v_names text;
  v_key   text;
  v_value jsonb;
begin
  if v_kind = 'http' then
    perform sluice._check_http_source(p_source);
    return;
  end if;
  select string_agg(r.name, ', ' order by r.name) into v_names from sluice._source_settings(v_kind) r;
  if p_source is null or jsonb_typeof(p_source) <> 'object' or v_names is null then
    raise exception using errcode = 'SL005',
      message = format('unknown source %s', coalesce(p_source::text, 'null')),
      hint = 'make it with sluice.file_source(path => ...), sluice.object_source(url => ...) or sluice.http_source(url => ...)';
  end if;
  for v_key, v_value in select key, value from jsonb_each(p_source) where key <> 'kind' loop
    select * into v_rule from sluice._source_settings(v_kind) r where r.name = v_key;
    if not found then
      raise exception using errcode = 'SL005',
        message = format('%s source: unknown setting %s', v_kind, to_json(v_key)), hint = 'known are ' || v_names;
    end if;
    if jsonb_typeof(v_value) <> v_rule.type
      or not coalesce(v_value #>> '{}' = any (v_rule.allowed), true)
      or not coalesce((v_value #>> '{}') ~ v_rule.pattern, true)
      or (v_rule.type = 'array' and (v_value = '[]' or v_value @? '$[*] ? (@.type() <> "string")'
        or jsonb_array_length(v_value) > (select count(distinct e) from jsonb_array_elements(v_value) e)))
      or (v_rule.maximum is not null and (v_value #>> '{}')::numeric > v_rule.maximum) then
      -- What stands before an @ or behind a ? in an address may be a secret: not repeated.
      raise exception using errcode = 'SL005',
        message = format('%s source: %s cannot be %s', v_kind, v_key,
          case when v_key in ('url', 'endpoint') and v_value #>> '{}' ~ '[@?]' then 'what was given' else v_value::text end),
        hint = v_rule.description;
    end if;
  end loop;
  if v_kind = 'file' and coalesce(p_source ->> 'path', '') = '' then
    raise exception using errcode = 'SL005', message = 'file source: path is missing',
      hint = 'path => a file, a glob such as drop/*.ndjson, a folder, or - for standard input';
  end if;
  if v_kind = 'object' and p_source ->> 'url' is null then
    raise exception using errcode = 'SL005', message = 'object source: url is missing',
      hint = (select 'url => ' || r.description from sluice._object_settings() r where r.name = 'url');
  end if;
  if p_source ->> 'endpoint' like 'http://%' and p_source ->> 'allow_http' is distinct from 'true' then
    raise exception using errcode = 'SL005', message = format('object source: endpoint %s is not encrypted', p_source ->> 'endpoint'),
      hint = 'use https, or say allow_http => true: then anyone on the way can read what is sent';
  end if;
  if p_source ->> 'header' = 'false' and p_source -> 'columns' is null then
    raise exception using errcode = 'SL005', message = format('%s source: header => false leaves the fields without names', v_kind),
      hint = 'name them: columns => ''{id,name}''';
  end if;
end
$$;

comment on function sluice._check_source(jsonb) is
  'Refuses (SL005) a source with unknown settings or values out of range.';
