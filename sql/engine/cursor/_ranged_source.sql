create or replace function sluice._ranged_source(p_source jsonb, p_range jsonb)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
declare
  v_named   record;
  v_since   jsonb := p_source -> 'since';
  v_mark    text := coalesce(v_since ->> 'kind', 'timestamp');
  v_objects text := p_range ->> 'objects';
  v_from    text := p_range ->> 'from';
  v_to      text := p_range ->> 'to';
  v_moment  text := '^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)? ?(Z|z|UTC|[+-]\d\d(:?\d\d)?)?$';
  v_number  text := '^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$';
  v_is_past boolean := false;
begin
  select * into v_named from sluice._source_units() u where u.kind = p_source ->> 'kind';
  if found then
    if v_objects is null or p_range - 'objects' <> '{}' then
      raise exception using errcode = 'SL005',
        message = case
          when p_range = '{}' then 'a backfill needs a range'
          else format('%s is no range of %s: they have names, and no marks', p_range, v_named.units) end,
        hint = 'objects => a name or a glob, as in ' || v_named.example;
    end if;
    if v_objects !~ '[^[:space:]]' or v_objects = '-' then
      raise exception using errcode = 'SL005', message = format('objects cannot be %s', to_json(v_objects)),
        hint = 'the name of a file or object that can be read again, or a glob';
    end if;
    return case
      when not v_named.is_address or v_objects !~ '^[a-z0-9]+://'
        then p_source - '{pattern,subfolders,after}'::text[] || jsonb_build_object(v_named.setting, v_objects)
      when v_objects !~ '[*?[]'
        then p_source - '{pattern,subfolders,after}'::text[] || jsonb_build_object('url', v_objects)
      else p_source - '{subfolders,after}'::text[] || jsonb_build_object(
        'url', substring(v_objects from '^([^*?[]*/)[^/]*[*?[]'),
        'pattern', substring(v_objects from '^[^*?[]*/([^/]*[*?[].*)$')) end;
  end if;

  if p_source ? 'cursor' then
    if v_objects is not null or p_range = '{}' or v_from !~ '[^[:space:]]' or v_to !~ '[^[:space:]]' then
      raise exception using errcode = 'SL005', message = case
          when p_range = '{}' then 'a backfill needs a range'
          else format('%s is no range of a database', p_range) end,
        hint = format('from_mark, to_mark or both: values of the column %s', p_source ->> 'cursor');
    end if;
    -- What its values are, only the source can tell.
    return p_source || jsonb_build_object('range', p_range);
  end if;
  if v_since is null then
    raise exception using errcode = 'SL005', message = 'this source knows no ranges: it always reads everything',
      hint = 'a source with since => sluice.since(...), or of a database with a cursor, knows marks;'
        ' to read all of this one again: sluice.rewind(..., to_start => true)';
  end if;
  if v_objects is not null or p_range = '{}' then
    raise exception using errcode = 'SL005', message = case
        when p_range = '{}' then 'a backfill needs a range'
        else format('%s is no range of an API with since', p_range) end,
      hint = format('from_mark, to_mark or both: values of %s, for the parameter %s',
        coalesce(v_since ->> 'field', 'the header ' || (v_since ->> 'header')), v_since ->> 'param');
  end if;
  if v_from !~ '[^[:space:]]' or not (case
    when v_mark = 'timestamp' then coalesce(v_to ~ v_moment, true)
    when v_mark = 'text' then coalesce(v_to ~ '[^[:space:]]', true)
    else coalesce(v_from ~ v_number, true) and coalesce(v_to ~ v_number, true) end) then
    raise exception using errcode = 'SL005', message = format('marks of the kind %s cannot be %s', v_mark, p_range),
      hint = case v_mark when 'timestamp' then 'to_mark is a moment and not a day: 2026-02-28T23:59:59Z'
        when 'text' then 'both are texts that are not empty' else 'both are numbers' end;
  end if;
  begin
    v_is_past := case
      when v_mark = 'text' then v_to collate "C" < v_from collate "C"
      when v_mark <> 'timestamp' then v_to::numeric < v_from::numeric
      else replace(v_to, ',', '.')::timestamptz
        < case when v_from ~ v_moment or v_from ~ '^\d{4}-\d\d-\d\d$'
          then replace(v_from, ',', '.')::timestamptz end end;
  exception when data_exception then
    raise exception using errcode = 'SL005',
      message = format('marks of the kind %s cannot be %s', v_mark, p_range), hint = sqlerrm;
  end;
  if v_is_past then
    raise exception using errcode = 'SL005', message = format('the range %s ends before it begins', p_range),
      hint = 'from_mark is the older one; both belong to the range';
  end if;
  if v_to is not null and not v_since ? 'field' and not v_since ? 'until_param' then
    raise exception using errcode = 'SL005', message = 'to_mark cannot be told: the records hold no mark',
      hint = 'name the API''s parameter for an upper bound: sluice.since(..., until_param => ''updated_before'')';
  end if;
  return p_source || jsonb_build_object('range', p_range);
end
$$;

comment on function sluice._ranged_source(jsonb, jsonb) is
  'A source narrowed to the range of a backfill; SL005, naming the ranges it knows, when that is none of them.';
