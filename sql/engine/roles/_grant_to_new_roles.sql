create or replace function sluice._grant_to_new_roles()
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from pg_catalog.pg_roles r
    where (r.rolname = 'sluice_reader' and not has_table_privilege(r.oid, 'sluice.status', 'select'))
      or (r.rolname = 'sluice_operator' and not has_function_privilege(r.oid, 'sluice.verify(text, boolean)', 'execute'))
  ) then
    return false;
  end if;
  perform sluice._grant_rights();
  return true;
end
$$;

comment on function sluice._grant_to_new_roles() is
  'Grants the engine''s rights when a DBA made its roles after the installation; says whether there was anything to grant.';
