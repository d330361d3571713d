create or replace function sluice._made_for(p_fingerprint text)
returns uuid
language plpgsql stable
set search_path = ''
as $$
begin
  -- A dump restored elsewhere has other row versions, but might have the same fingerprint.
  return md5(concat_ws('/', '1', (select c.system_identifier from pg_catalog.pg_control_system() c),
    (select d.oid from pg_catalog.pg_database d where d.datname = current_database()),
    current_setting('server_version_num'), p_fingerprint))::uuid;
exception when insufficient_privilege then
  return null;
end
$$;

comment on function sluice._made_for(text) is
  'Identifies everything that the rows of a pipeline depend on besides their payloads, and the server whose row versions are remembered. Null, and nothing is remembered, where the server does not identify itself.';
