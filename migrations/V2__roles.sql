-- Roles of the cluster, made only where that is allowed; without them the owner of the
-- schema does everything. Rights are granted with the functions, at every upgrade.
do $$
declare
  v_role text;
begin
  foreach v_role in array array['sluice_operator', 'sluice_reader'] loop
    begin
      if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
        execute pg_catalog.format('create role %I nologin', v_role);
      end if;
    exception
      when insufficient_privilege then
        raise warning 'role % was not created: % may not create roles; ask your DBA for "create role % nologin" and run "sluice migrate" again, or go on without it',
          v_role, session_user, v_role;
      when duplicate_object or unique_violation then
        null; -- another database of this cluster made it at the same moment
    end;
  end loop;
end
$$;
