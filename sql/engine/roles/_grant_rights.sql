create or replace function sluice._grant_rights()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_routine text;
begin
  for v_routine in
    select p.oid::pg_catalog.regprocedure::text from pg_catalog.pg_proc p
    where p.pronamespace = 'sluice'::regnamespace and pg_has_role(p.proowner, 'usage')
  loop
    execute format('revoke all on function %s from public', v_routine);
  end loop;
  -- Any user may own a transform that rejects.
  grant usage on schema sluice to public;
  grant execute on function sluice.reject(text, text) to public;

  if exists (select from pg_catalog.pg_roles where rolname = 'sluice_reader') then
    grant select on all tables in schema sluice to sluice_reader;
    for v_routine in
      select p.oid::pg_catalog.regprocedure::text from pg_catalog.pg_proc p
      where p.pronamespace = 'sluice'::regnamespace and p.provolatile <> 'v' and pg_has_role(p.proowner, 'usage')
    loop
      execute format('grant execute on function %s to sluice_reader', v_routine);
    end loop;
  end if;
  if exists (select from pg_catalog.pg_roles where rolname = 'sluice_operator') then
    grant select, insert, update, delete on all tables in schema sluice to sluice_operator;
    revoke insert, update, delete on sluice.engine from sluice_operator;
    grant usage on all sequences in schema sluice to sluice_operator;
    grant execute on all functions in schema sluice to sluice_operator;
  end if;
end
$$;

comment on function sluice._grant_rights() is
  'Rights of the engine''s roles: sluice_reader sees (tables, views, and the functions that only read), sluice_operator defines and runs. Nobody else may call the functions, but for reject.';
