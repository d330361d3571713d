create or replace function sluice._made_for(p_pipeline_id integer)
returns uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  -- By content, not by when it was written: the same definition applied again is the same. The server belongs to it,
  -- as its row versions do: a restored dump has others.
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

-- Whether, as far as the target is concerned, a full transform could only find the row of a known record unchanged.
create or replace function sluice._may_skip_known(p_target oid, p_columns text[])
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- plpgsql keeps the plan; a compilation asks once, and doctor for every pipeline.
begin
  return (
    select
      -- A place names one row: one heap, no partitions, no children, no shards.
      not sluice._is_distributed(p_target) and exists (
        select from pg_class c join pg_am a on a.oid = c.relam
        where c.oid = p_target and c.relkind = 'r' and not c.relhassubclass and a.amname = 'heap')
      -- Types whose every change shows in the fingerprint: no user types, not even under a domain.
      and not exists (
        select from pg_attribute a
        join pg_type t on t.oid = a.atttypid
        cross join lateral sluice._base_type(a.atttypid, a.atttypmod) b
        where a.attrelid = p_target and a.attname = any (p_columns)
          and (b.base_type >= 16384 and t.typtype <> 'e' or t.typtype = 'd' and t.typbasetype <> b.base_type))
      -- Constraints whose verdict on an existing row cannot have changed.
      and not exists (
        select from pg_constraint c
        where c.oid in (
            select k.oid from pg_constraint k where k.conrelid = p_target
            union all
            select k.oid from pg_attribute a join pg_constraint k on k.contypid = a.atttypid
            where a.attrelid = p_target and a.attname = any (p_columns))
          and (not c.convalidated or exists (
            select from pg_depend d
            where d.classid = 'pg_catalog.pg_constraint'::regclass and d.objid = c.oid
              and d.refclassid = 'pg_catalog.pg_proc'::regclass))));
end
$$;
