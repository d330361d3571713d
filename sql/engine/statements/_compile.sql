create or replace function sluice._compile(p_pipeline_id integer, p_version integer)
returns sluice.compiled
language plpgsql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
declare
  v             sluice.compiled;
  v_pipeline    sluice.pipelines;
  v_transform   sluice.transforms;
  v_function    oid;
  v_has_reject  boolean;
begin
  select * into strict v_pipeline from sluice.pipelines where pipeline_id = p_pipeline_id;
  select t.* into v_transform from sluice.transforms t
  where t.pipeline_id = p_pipeline_id and t.version = coalesce(p_version, v_pipeline.active_version);
  if not found then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s has no version %s', v_pipeline.name, p_version),
      hint = 'it has ' || (select string_agg('v' || t.version, ', ' order by t.version) from sluice.transforms t where t.pipeline_id = p_pipeline_id);
  end if;
  v.version := v_transform.version;
  v.search_path := v_transform.search_path;
  v.key := v_transform.key;
  v.order_by := v_transform.order_by;

  v_function := pg_catalog.to_regprocedure(v_transform.function);
  if v_function is null or sluice._function_sha256(v_function) <> v_transform.sha256 then
    raise exception using errcode = 'SL006',
      message = case when v_function is null
        then format('pipeline %s: transform %s was dropped', v_pipeline.name, v_transform.function)
        else format('pipeline %s: transform %s is not what version %s was registered with', v_pipeline.name, v_transform.function, v_transform.version) end,
      hint = format('put the registered text back, in psql: select function_text from sluice.versions_details where pipeline = %L and version = %s \gexec -- or define the new text as version %s, under a new name',
        sluice._live_name(v_pipeline.name), v_transform.version,
        (select max(t.version) + 1 from sluice.transforms t where t.pipeline_id = coalesce(v_pipeline.backfill_of, p_pipeline_id)));
  end if;

  v.target := sluice._check_target(v_pipeline.name, v_pipeline.target, v_transform.key, v_transform.order_by, v_transform.columns);
  if (select count(*) from pg_catalog.pg_attribute a where a.attrelid = v.target and not a.attisdropped
      and (a.attname, a.atttypid) in (('sluice_hash', 'bytea'::regtype), ('sluice_batch', 'bigint'::regtype))) <> 2 then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: target %s has lost its bookkeeping columns', v_pipeline.name, v_pipeline.target),
      hint = 'run "sluice apply" on the pipeline''s file again';
  end if;
  select bool_or(c.column_name = 'sluice_reject'), bool_or(c.column_name = 'sluice_deleted')
    into v_has_reject, v.has_deleted
  from sluice._transform_columns(v_function) c;

  -- In table order, in which the statements name them too.
  v.columns := array(select c.column_name from sluice._target_columns(v.target, v_transform.columns) c);
  select string_agg(format('%I %s%s', c.column_name, c.type_name, c.collation_clause), ', ') into v.rows_definition
  from sluice._target_columns(v.target, v.columns) c;
  select coalesce(jsonb_agg(to_jsonb(r) - 'condition' order by r.rule), '[]') into v.rules
  from sluice._row_rules(v.target, v.columns, v.key) r;

  select s.transform_sql, s.transform_past_faults_sql, s.trial_sql, s.probe_sql
    into v.transform_sql, v.transform_past_faults_sql, v.trial_sql, v.probe_sql
  from sluice._transform_sql(v_function, v_transform.takes_meta, v_has_reject, v.has_deleted, v.target, v.columns, v.key) s;
  v.reference_checks := sluice._reference_checks(v.target, v.columns);
  v.superseded_sql   := sluice._superseded_sql(v.target, v.key, v.order_by);
  v.matched_sql      := format(
    E'select pg_catalog.array_agg(t.ctid) from pg_temp.sluice_rows s join %s t on %s where s.sluice_state is distinct from \'f\'',
    v.target::pg_catalog.regclass, sluice._key_condition(v.target, v.key, 't', 's'));
  v.overlap_sql      := sluice._overlap_sql(v.target, v.key);
  v.insert_sql       := sluice._insert_sql(v.target, v.columns);
  v.outcomes_sql     := sluice._outcomes_sql(v.target, v.columns, v.key, v.order_by);
  v.count_sql        := format($sql$select
  pg_catalog.count(*) filter (where o.outcome = 'insert') as inserted,
  pg_catalog.count(*) filter (where o.outcome = 'update') as updated,
  pg_catalog.count(*) filter (where o.outcome = 'delete') as deleted,
  pg_catalog.count(*) filter (where o.outcome = 'unchanged') as unchanged,
  pg_catalog.count(*) filter (where o.outcome = 'stale') as stale
from (
%s) o
where o.state is null$sql$, v.outcomes_sql);
  v.merge_sql        := sluice._merge_sql(v.target, v.columns, v.key, v.order_by, v.has_deleted, false);
  v.trial_merge_sql  := sluice._merge_sql(v.target, v.columns, v.key, v.order_by, v.has_deleted, true);
  v.remember_sql     := sluice._remember_sql(v.target, v.key, v.order_by);
  if v_pipeline.missing <> 'keep' then
    v.batch_keys_sql := sluice._batch_keys_sql(v.target, v.key);
  end if;

  v.filenode := pg_catalog.pg_relation_filenode(v.target);
  if v_pipeline.skip_known and v_transform.is_repeatable and sluice._may_skip_known(v.target, v.columns)
    and v.version = v_pipeline.active_version then
    v.made_for := sluice._made_for(p_pipeline_id);
  end if;
  -- A trigger may change what it inserts: then only a look at the row tells what became of it.
  v.keeps_places := v.made_for is not null and sluice._merge_order(v.target) = '';
  return v;
end
$$;

comment on function sluice._compile(integer, integer) is
  'Checks a pipeline version (null: the active one) against the catalog as it is now (SL005, SL006 when it no longer fits) and writes every statement its batches run.';
