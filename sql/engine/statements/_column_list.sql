create or replace function sluice._column_list(p_columns text[], p_alias text default null)
returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
-- plpgsql keeps the plan; a compilation asks a dozen times.
begin
  return (
    select string_agg(concat(p_alias || '.', quote_ident(c)), ', ' order by n)
    from unnest(p_columns) with ordinality as columns (c, n));
end
$$;

comment on function sluice._column_list(text[], text) is
  'Columns, of a row given by its alias, separated by commas: t.order_id, t.line_no.';
