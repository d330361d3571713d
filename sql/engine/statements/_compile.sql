create or replace function sluice._compile(
  p_pipeline_id integer, p_version integer,
  out pipeline text, out version integer, out target oid, out search_path text,
  out rows_definition text, out rules jsonb,
  out load_sql text, out load_past_faults_sql text, out trial_sql text, out probe_sql text,
  out reference_checks text[], out superseded_sql text, out matched_sql text,
  out count_sql text, out meets_sql text, out insert_sql text, out merge_sql text, out trial_merge_sql text,
  out skips_known boolean, out remember_sql text, out keeps_places boolean, out has_deleted boolean, out columns text[], out key text[], out order_by text, out seen_sql text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
declare
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
  pipeline := v_pipeline.name;
  version := v_transform.version;
  search_path := v_transform.search_path;
  key := v_transform.key;
  order_by := v_transform.order_by;

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

  target := sluice._check_target(v_pipeline.name, v_pipeline.target, v_transform.key, v_transform.order_by, v_transform.columns);
  if (select count(*) from pg_catalog.pg_attribute a where a.attrelid = target and not a.attisdropped
      and (a.attname, a.atttypid) in (('sluice_hash', 'bytea'::regtype), ('sluice_batch', 'bigint'::regtype))) <> 2 then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: target %s has lost its bookkeeping columns', v_pipeline.name, v_pipeline.target),
      hint = 'run "sluice apply" on the pipeline''s file again';
  end if;
  select bool_or(c.column_name = 'sluice_reject'), bool_or(c.column_name = 'sluice_deleted')
    into v_has_reject, has_deleted
  from sluice._transform_columns(v_function) c;

  -- In table order, in which the statements name them too.
  columns := array(select c.column_name from sluice._target_columns(target, v_transform.columns) c);
  select string_agg(format('%I %s%s', c.column_name, c.type_name, c.collation_clause), ', ') into rows_definition
  from sluice._target_columns(target, columns) c;
  select coalesce(jsonb_agg(to_jsonb(r) - 'condition' order by r.rule), '[]') into rules
  from sluice._row_rules(target, columns, v_transform.key) r;

  load_sql  := sluice._transform_sql('load', v_function::pg_catalog.regprocedure::text, v_transform.takes_meta, v_has_reject, has_deleted, target, columns, v_transform.key);
  load_past_faults_sql := sluice._load_past_faults_sql(target, columns);
  trial_sql := sluice._transform_sql('trial', v_function::pg_catalog.regprocedure::text, v_transform.takes_meta, v_has_reject, has_deleted, target, columns, v_transform.key);
  probe_sql := sluice._transform_sql('probe', v_function::pg_catalog.regprocedure::text, v_transform.takes_meta, v_has_reject, has_deleted, target, columns, v_transform.key);
  reference_checks := sluice._reference_checks(target, columns);
  superseded_sql   := sluice._superseded_sql(target, v_transform.key, v_transform.order_by);
  matched_sql      := format(E'select pg_catalog.array_agg(t.ctid) from pg_temp.sluice_rows s join %s t on %s where s.sluice_state is distinct from ''f''',
    target::pg_catalog.regclass, sluice._key_condition(target, v_transform.key, 't', 's'));
  count_sql        := sluice._count_sql(target, v_transform.key, v_transform.order_by);
  meets_sql        := sluice._meets_sql(target, v_transform.key);
  insert_sql       := sluice._insert_sql(target, columns);
  merge_sql        := sluice._merge_sql(target, columns, v_transform.key, v_transform.order_by, has_deleted, false);
  trial_merge_sql  := sluice._merge_sql(target, columns, v_transform.key, v_transform.order_by, has_deleted, true);
  skips_known      := v_pipeline.skip_known and v_transform.is_repeatable and sluice._may_skip_known(target, columns);
  remember_sql     := sluice._remember_sql(target, v_transform.key, v_transform.order_by);
  if v_pipeline.missing <> 'keep' then
    seen_sql       := sluice._seen_sql(target, v_transform.key);
  end if;
  -- A trigger may change what it inserts: then only a look at the row tells what became of it.
  keeps_places     := skips_known and sluice._merge_order(target) = '';
end
$$;

comment on function sluice._compile(integer, integer) is
  'Checks a pipeline version against the catalog as it is now (SL005, SL006 when it no longer fits) and writes every statement its batches run.';
