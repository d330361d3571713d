create or replace function sluice._has_row(p_record sluice.quarantine, p_version sluice.transforms, p_pipeline sluice.pipelines)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = off
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_target   regclass := p_pipeline.target;
  v_function regprocedure := to_regprocedure(p_version.function);
  v_sql      text;
  v_has_row  boolean;
begin
  if not coalesce(sluice._function_sha256(v_function) = p_version.sha256 and has_function_privilege(v_function, 'execute'), false) then
    return false; -- nobody can tell what it made
  end if;
  v_sql := format($sql$select exists (
  select from (select $1::pg_catalog.jsonb as sluice_doc, $2::pg_catalog.jsonb as sluice_meta offset 0) s
  cross join lateral (select %s from %s(%s) r offset 0) t
  join %s x on %s and x.sluice_hash = %s and x.sluice_batch in ($3, $4))$sql$,
    (select string_agg(format('%s as %I', c.coercion, c.column_name), ', ') from sluice._target_columns(v_target, p_version.columns) c),
    regexp_replace(v_function::text, '[(][a-z,]*[)]$', ''), case when p_version.takes_meta then 's.sluice_doc, s.sluice_meta' else 's.sluice_doc' end,
    v_target, sluice._key_condition(v_target, p_version.key, 'x', 't'), sluice._hash_sql(v_target, p_version.columns));
  perform set_config('search_path', p_version.search_path, true);
  execute v_sql into v_has_row using convert_from(coalesce(p_record.original_payload, p_record.payload), 'UTF8'),
    (select o.meta from sluice._origins(jsonb_build_array(jsonb_build_object('origin', p_record.origin))) o)
      || jsonb_build_object('position', p_record.position, 'pipeline', p_pipeline.name,
      'batch', p_record.last_batch_id, 'version', p_version.version, 'run_started_at', (
        select r.started_at from sluice.batches b join sluice.runs r using (run_id) where b.batch_id = p_record.last_batch_id)),
    p_record.first_batch_id, p_record.last_batch_id;
  return v_has_row;
exception when others then
  if sluice._is_run_fault(sqlstate) then
    raise;
  end if;
  return false; -- it makes no row at all
end
$$;

comment on function sluice._has_row(sluice.quarantine, sluice.transforms, sluice.pipelines) is
  'Whether the target holds a row that this record makes, written by the batch that set the record aside.';
