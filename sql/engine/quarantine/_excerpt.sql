create or replace function sluice._excerpt(p_text text, p_length integer)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  -- Plain dots: not every client_encoding can show an ellipsis.
  select case
    when length(line) <= abs(p_length) then line
    when p_length > 0 then left(line, p_length - 3) || '...'
    else '...' || right(line, -p_length - 3) end
  from regexp_replace(p_text, '\s+', ' ', 'g') as line
$$;

comment on function sluice._excerpt(text, integer) is
  'A text as one line of at most p_length characters: its start, or its end if p_length is negative.';

-- A record's error in one line: the name of a constraint says it all, else column and message.
create or replace function sluice._error_line(
  p_sqlstate text, p_column text, p_constraint text, p_message text, p_length integer)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._excerpt(nullif(concat_ws(' ', p_sqlstate,
    coalesce(p_constraint, p_column || ': ' || p_message, p_message)), ''), p_length)
$$;

-- How many of p_width characters the names of the pipelines leave.
create or replace function sluice._width_left(p_width integer)
returns integer
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select greatest(p_width - greatest(max(length(p.name)), length('pipeline')), 10)
  from sluice.pipelines p where p.backfill_of is null
$$;

-- Whether bytes can be shown as text.
create or replace function sluice._is_text(p_payload bytea)
returns boolean
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform convert_from(p_payload, 'UTF8');
  return true;
exception when character_not_in_repertoire or untranslatable_character then
  return false;
end
$$;

-- Bytes as text; what is none is escaped.
create or replace function sluice._payload_text(p_payload bytea)
returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return convert_from(p_payload, 'UTF8');
exception when character_not_in_repertoire or untranslatable_character then
  return encode(p_payload, 'escape');
end
$$;

-- Lines of at most p_length characters, broken at blanks if there are any. Lines long enough to have been broken are
-- joined first, unless the next one begins a list item: "key: ", "parent, children (keep): ".
create or replace function sluice._wrapped(p_text text, p_length integer)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select rtrim(regexp_replace(regexp_replace(p_text, format('([^\n]{90,})\n(?: +|(?!(?:Example|%1$s(?:, %1$s)*): ))',
      '[a-z_]+(?: [a-z_]+)?(?: \([^)\n]*\))?'), E'\\1 ', 'g'),
    format('(.{1,%s})(?: |\n|$)', p_length), E'\\1\n', 'gn'), E'\n')
$$;
