create or replace function sluice._made_for(p_pipeline_id integer)
returns uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  -- By what it says, not by when it was written: the same definition applied again is the
  -- same. The server belongs to it, as its row versions do: a dump has others when restored.
  return (
    select encode(substr(sha256(convert_to(concat_ws('/', '1',
      (select c.system_identifier from pg_control_system() c),
      (select d.oid from pg_database d where d.datname = current_database()),
      current_setting('server_version_num'), (select e.bundle_sha256 from sluice.engine e),
      p.pipeline_id, t.version, t.function, t.sha256, t.search_path, t.columns, t.key, t.order_by,
      sluice._target_fingerprint(to_regclass(p.target))), 'UTF8')), 1, 16), 'hex')::uuid
    from sluice.pipelines p
    join sluice.transforms t on t.pipeline_id = p.pipeline_id and t.version = p.active_version
    where p.pipeline_id = p_pipeline_id);
exception when insufficient_privilege then
  return null;
end
$$;

comment on function sluice._made_for(integer) is
$$Identifies everything that the rows of a pipeline depend on besides their payloads, and the server whose row versions
are remembered. Null, and nothing is remembered, where the server does not identify itself.$$;
