create or replace function sluice._checked(p_what text, p_value jsonb)
returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_tag      text := nullif(sluice._tag_of(p_what), '');
  v_part     text := concat_ws(' ', p_value ->> v_tag, p_what);
  v_names    text := (select string_agg(s.name, ', ') from sluice._settings() s where v_part = any (s.parts));
  v_checked  jsonb;
  -- Names of the parameters in the URL, for the paths of _conflicts.
  v_in_url   jsonb;
  v_setting  record;
  v_conflict record;
  v_key      text;
  v_given    jsonb;
begin
  if jsonb_typeof(p_value) is distinct from 'object' or v_names is null then
    -- Of an object only its kind is repeated: what else stands in it may be a secret.
    raise exception using errcode = 'SL005',
      message = case when p_what = 'connection' then 'connection cannot be what was given'
        else format('unknown %s %s', p_what, coalesce(case
          when jsonb_typeof(p_value) = 'object' then coalesce(p_value -> v_tag, '{}') else p_value end::text,
          'null')) end,
      hint = (
        select 'make it with one of '
          || string_agg(format('sluice.%s(...)', replace(part, ' ', '_')), ', ' order by part)
        from (select distinct unnest(s.parts) as part from sluice._settings() s) p where part like '%' || p_what);
  end if;
  v_checked := coalesce((select jsonb_object_agg(key, value) from jsonb_each(p_value) where value <> 'null'), '{}');

  for v_key, v_given in select key, value from jsonb_each(v_checked) where key is distinct from v_tag loop
    select s.* into v_setting from sluice._settings() s where v_part = any (s.parts) and s.name = v_key;
    if not found then
      raise exception using errcode = 'SL005', message = format('%s: unknown setting %s', v_part, to_json(v_key)),
        hint = 'known are ' || v_names;
    elsif sluice._tag_of(v_setting.shape) is not null then
      v_checked := v_checked || jsonb_build_object(v_key, sluice._checked(v_setting.shape, v_given));
    elsif v_setting.shape = 'encoding' then
      v_checked := v_checked || jsonb_build_object(v_key, sluice._encoding(v_part, v_given));
    elsif not sluice._fits(v_given, v_setting.shape, v_setting.range) then
      -- What stands before an @ or after a ? in an address may be a secret, and so may what is no variable's name.
      raise exception using errcode = 'SL005',
        message = format('%s: %s cannot be %s', v_part, v_key, case
          when v_setting.shape in ('url', 'store', 'endpoint') and v_given #>> '{}' ~ '[@?]' then 'what was given'
          when v_setting.shape = 'variable' then 'what was given'
          else v_given::text end),
        hint = coalesce(v_setting.sentence, nullif(v_setting.shape, 'boolean'), 'true or false');
    elsif v_setting.shape = 'conditions' then
      v_checked := v_checked || jsonb_build_object(v_key, sluice._conditions(v_given));
    end if;
  end loop;
  select s.* into v_setting from sluice._settings() s
  where v_part = any (s.parts) and s.is_required and not v_checked ? s.name limit 1;
  if found then
    raise exception using errcode = 'SL005', message = format('%s: %s is missing', v_part, v_setting.name),
      hint = format('%s => %s', v_setting.name, v_setting.sentence);
  end if;

  select jsonb_build_object('in_url', coalesce(jsonb_agg(m[1]), '[]')) into v_in_url
  from regexp_matches(v_checked ->> 'url', '[?&]([^=&#]+)', 'g') m;
  select c.message, c.hint, f.found into v_conflict
  from sluice._conflicts() c cross join lateral jsonb_path_query(v_checked, c.path, v_in_url) f (found)
  where v_part = any (c.parts) limit 1;
  if found then
    raise exception using errcode = 'SL005', hint = v_conflict.hint,
      message = format('%s: ' || v_conflict.message, v_part,
        coalesce(v_conflict.found ->> 'key', v_conflict.found #>> '{}'), v_conflict.found -> 'value');
  end if;
  if v_part in ('http source', 'http delivery', 'oauth2 auth') then
    perform sluice._refuse_credentials(v_part, v_checked);
  end if;
  return v_checked;
end
$$;

comment on function sluice._checked(text, jsonb) is
$$Refuses (SL005) a source or a delivery, or a paging, auth, since or signature of one, with unknown settings, wrong
values, missing ones, or settings that do not fit together. Returns it as it is kept: without nulls, in one form.$$;

-- Whether a value looks like what a setting takes.
create or replace function sluice._fits(p_value jsonb, p_shape text, p_range numrange)
returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_shape like 'one of %' then p_value #>> '{}' = any (string_to_array(substr(p_shape, 8), ', '))
    when p_shape = 'conditions' then sluice._conditions(p_value) is not null
    when p_shape = 'strings' then p_value @? 'strict $ ? (!exists(@[*] ? (@.type() != "string")))'
      and jsonb_typeof(p_value) = 'array'
    when p_shape = 'names' then
      p_value @? 'strict $ ? (@.size() > 0) ? (!exists(@[*] ? (@.type() != "string" || @ == "")))'
      and jsonb_array_length(p_value) = (select count(distinct name) from jsonb_array_elements(p_value) name)
    when p_shape = 'statuses' then p_value @?
      'strict $ ? (@.size() > 0) ? (!exists(@[*] ? (@.type() != "number" || @ < 200 || @ > 599 || @ != @.floor())))'
    else coalesce(jsonb_typeof(p_value) = any (s.types) and p_value #>> '{}' ~ s.pattern, false)
      and case jsonb_typeof(p_value)
        when 'number' then coalesce((p_value #>> '{}')::numeric <@ p_range, true) else true end end
  from (values (p_shape)) given (shape)
  left join (values
    ('string', '{string}'::text[], ''),
    ('text', '{string}', '[^[:space:]]'),
    ('word', '{string}', '^[A-Za-z0-9-]+$'),
    ('file name', '{string}', '^(?!\.\.?$)[^/]+$'),
    ('character', '{string}', '^[\x01-\x09\x0b\x0c\x0e-\x7f]$'),
    ('character or nothing', '{string}', '^[\x01-\x09\x0b\x0c\x0e-\x7f]?$'),
    ('variable', '{string}', '^[A-Za-z_][A-Za-z0-9_]*$'),
    -- A header's name; a place in a document (RFC 6901); either of them; a place below the whole document.
    ('token', '{string}', '^[A-Za-z0-9!#$%&''*+.^_`|~-]+$'),
    ('pointer', '{string}', '^(/([^~/]|~[01])*)*$'),
    ('place', '{string}', '^((/([^~/]|~[01])*)+|[A-Za-z0-9!#$%&''*+.^_`|~-]+)$'),
    ('member', '{string}', '^(/([^~/]|~[01])*)+$'),
    ('url', '{string}', '^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@[:space:]]+([/?#][^[:space:]]*)?$'),
    ('endpoint', '{string}', '^https?://[^/?@]+(/[^?@]*)?$'),
    ('store', '{string}', '^((s3a?|gs)://[^/:?@]+(/[^?]*)?|(az|azure|abfss?)://[^/:?]+(/[^?]*)?|file:///.*)$'),
    -- ** stands alone between two slashes, and a bracket is closed.
    ('glob', '{string}', '^(?!$)(/|(?<![^/])\*\*(?![^/])|[^*[/]|\*(?!\*)|\[(!.|[^!])[^]]*\])*$'),
    ('boolean', '{boolean}', ''),
    ('number', '{number}', ''),
    ('integer', '{number}', '^[0-9]{1,10}$'),
    ('object', '{object}', ''),
    ('object or array', '{object,array}', '')) s (shape, types, pattern) using (shape)
$$;

-- retry_when and fail_when in one form: a list of JSON pointers, each with values or without. Null for what is none.
create or replace function sluice._conditions(p_given jsonb)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case when count(*) > 0 and bool_and(
      sluice._fits(c -> 'pointer', 'pointer', null) and c - 'pointer' - 'values' = '{}'
      and jsonb_typeof(coalesce(c -> 'values', '[0]')) = 'array' and c -> 'values' is distinct from '[]')
    then jsonb_agg(c) end
  from (
    select case jsonb_typeof(e) when 'object' then e else jsonb_build_object('pointer', e) end
    from jsonb_array_elements(case jsonb_typeof(p_given) when 'array' then p_given else '[]' end) e
    union all
    select jsonb_build_object('pointer', key, 'values',
      case jsonb_typeof(value) when 'array' then value else jsonb_build_array(value) end)
    from jsonb_each(case jsonb_typeof(p_given) when 'object' then p_given else '{}' end)) given (c)
$$;
