create or replace function sluice._error_line(p_sqlstate text, p_column text, p_constraint text, p_message text, p_length integer)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._excerpt(nullif(concat_ws(' ', p_sqlstate, coalesce(p_constraint, p_column || ': ' || p_message, p_message)), ''), p_length)
$$;

comment on function sluice._error_line(text, text, text, text, integer) is
  'An error of a record in one line: a constraint''s name says all, else column and message.';
