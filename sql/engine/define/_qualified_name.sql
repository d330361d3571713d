create or replace function sluice._qualified_name(p_class oid)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off -- it is compared with what other sessions wrote
as $$
-- plpgsql keeps the plan.
begin
  return (
    select format('%I.%I', n.nspname, c.relname)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.oid = p_class);
end
$$;

comment on function sluice._qualified_name(oid) is
  'A table''s name with its schema, quoted where needed.';
