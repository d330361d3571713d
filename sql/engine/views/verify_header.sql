-- The system identifier tells a server from its copies by dump; not every role may read it.
create or replace view sluice.verify_header as
select
  to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as verified_at,
  current_setting('server_version') as server_version,
  case when has_function_privilege('pg_catalog.pg_control_system()', 'execute')
    then (select c.system_identifier::text from pg_control_system() c) end as system_identifier,
  current_database() as database,
  (select e.version from sluice.engine e) as engine_version,
  session_user as verified_by;

comment on view sluice.verify_header is
  'When, where and by whom sluice.verify is called: what stands above a report that is filed.';
