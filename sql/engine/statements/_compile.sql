create or replace function sluice._compile(p_pipeline_id integer, p_version integer, p_number integer default 1)
returns sluice.compiled
language plpgsql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
declare
  v                 sluice.compiled;
  v_pipeline        sluice.pipelines;
  v_only            sluice.pipelines;
  v_transform       record;
  v_function        oid;
  v_has_reject      boolean;
  v_is_in_any_order boolean;
  v_others          oid[];
begin
  select * into strict v_pipeline from sluice.pipelines where pipeline_id = p_pipeline_id;
  select t.* into v_transform from sluice._version_targets(p_pipeline_id, p_version) t where t.number = p_number;
  if not found then
    perform sluice._refuse_unknown_version(v_pipeline, p_version);
  end if;
  v.number := p_number;
  v.version := v_transform.version;
  v.search_path := v_transform.search_path;
  v.key := v_transform.key;
  v.order_by := v_transform.order_by;

  v_function := sluice._find_function(v_transform.function);
  if v_function is null or sluice._transform_sha256(v_function) <> v_transform.sha256 then
    raise exception using errcode = 'SL006',
      message = format('pipeline %s: transform %s ', v_pipeline.name, v_transform.function) || case
        when v_function is null then 'was dropped'
        when sluice._function_text(v_function) = v_transform.function_text then format(
          'takes rows of other columns than version %s was registered with', v_transform.version)
        else format('is not what version %s was registered with', v_transform.version) end,
      detail = case when sluice._function_text(v_function) = v_transform.function_text then format(
        'It was (%s), now it is (%s).', v_transform.input_definition, sluice._input_definition(v_function)) else '' end,
      hint = case when sluice._function_text(v_function) = v_transform.function_text
        then 'give the type its columns back, or make another type for the transform of the next version'
        else format('put the registered text back, in psql: select function_text from sluice.versions_details where '
          'pipeline = %L and version = %s \gexec -- or define the new text as version %s, under a new name',
        sluice._live_name(v_pipeline.name), v_transform.version, (
          select max(t.version) + 1 from sluice.transforms t
          where t.pipeline_id = coalesce(v_pipeline.backfill_of, p_pipeline_id))) end;
  end if;

  v_only := sluice._as_if_only(v_pipeline, v_transform.target);
  v.target := sluice._check_target(
    v_pipeline.name, v_transform.target, v_transform.key, v_transform.order_by, v_transform.columns);
  if (select count(*) from pg_attribute a where a.attrelid = v.target and not a.attisdropped
      and (a.attname, a.atttypid) in (('sluice_hash', 'bytea'::regtype), ('sluice_batch', 'bigint'::regtype))) <> 2 then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: target %s has lost its bookkeeping columns', v_pipeline.name, v_transform.target),
      hint = 'run "sluice apply" on the pipeline''s file again';
  end if;
  select bool_or(c.column_name = 'sluice_reject'), bool_or(c.column_name = 'sluice_deleted')
    into v_has_reject, v.has_deleted
  from sluice._transform_columns(v_function) c;
  -- Those of the version besides this one.
  v_others := array(
    select to_regclass(t.target)::oid from sluice._version_targets(p_pipeline_id, v.version) t
    where t.number <> p_number);

  -- In table order, in which the statements name them too.
  v.columns := array(select c.column_name from sluice._target_columns(v.target, v_transform.columns) c);
  select string_agg(format('%I %s%s', c.column_name, c.type_name, c.collation_clause), ', ') into v.rows_definition
  from sluice._target_columns(v.target, v.columns) c;
  select coalesce(jsonb_agg(to_jsonb(r) - 'condition' order by r.rule), '[]') into v.rules
  from sluice._row_rules(v.target, v.columns, v.key, v.has_deleted) r;

  select s.transform_sql, s.transform_past_faults_sql, s.trial_sql, s.probe_sql
    into v.transform_sql, v.transform_past_faults_sql, v.trial_sql, v.probe_sql
  from sluice._transform_sql(
    v_function, sluice._makes_one_row(v_function, v.search_path), v_has_reject, v.has_deleted, v.target, v.columns,
    v.key) s;
  v.has_deleted := v.has_deleted or sluice._follows_deletes(p_pipeline_id, v.version, p_number);
  v.input_columns := sluice._input_columns(v_function);
  if v.input_columns is not null then
    select string_agg(format('%I text', c), ', ' order by n) into v.fields_definition
    from unnest(v.input_columns) with ordinality x (c, n);
    v.slice_sql := format($sql$insert into pg_temp.sluice_fields (sluice_ordinal, sluice_position, sluice_digest, %s)
select s.ordinal, s.position, s.digest, r.*
from pg_temp.sluice_staging s
cross join lateral %s
where ($1 is null or s.ordinal = any ($1))
  and s.ordinal not in (select ordinal from pg_temp.sluice_faults)
  and s.ordinal not in (select ordinal from pg_temp.sluice_known)$sql$,
      sluice._column_list(v.input_columns), sluice._fields_of_json_sql(v_function, 's.payload'));
  end if;
  v.fetch_sql := sluice._fetch_by_key_sql(v.target, v.key);
  v.reference_checks := sluice._reference_checks(v.target, v.columns, v_others);
  v.superseded_sql := sluice._superseded_sql(v.target, v.key, v.order_by);
  select o.count_sql, o.outcomes_sql, o.outbox_sql into v.count_sql, v.outcomes_sql, v.outbox_sql
  from sluice._outcomes_sql(v.target, v.columns, v.key, v.order_by, v_only, v_others <> '{}' and p_number = 1) o;
  v.route := case when v.outbox_sql is not null then sluice._route(v_only) end;
  select m.overlap_sql, m.insert_sql, m.merge_sql, m.trial_merge_sql, m.revive_sql, m.bury_sql, m.is_in_any_order
    into v.overlap_sql, v.insert_sql, v.merge_sql, v.trial_merge_sql, v.revive_sql, v.bury_sql, v_is_in_any_order
  from sluice._merge_sql(v.target, v.columns, v.key, v.order_by, v.has_deleted, v_others <> '{}' and p_number = 1) m;
  select k.matched_sql, k.remember_sql, case when v_pipeline.missing <> 'keep' then k.batch_keys_sql end
    into v.matched_sql, v.remember_sql, v.batch_keys_sql
  from sluice._known_sql(v.target, v.key, v.order_by) k;

  v.filenode := pg_relation_filenode(v.target);
  if v_pipeline.skip_known and v_transform.is_repeatable and sluice._may_skip_known(v.target, v.columns)
    and v.version = v_pipeline.active_version then
    v.made_for := sluice._made_for(p_pipeline_id);
  end if;
  -- A trigger may change what it inserts: then only a look at the row shows the result.
  v.keeps_places := v.made_for is not null and v_is_in_any_order;
  return case when v_others = '{}' then v else sluice._among_targets(v, p_pipeline_id) end;
end
$$;

comment on function sluice._compile(integer, integer, integer) is
$$Checks a pipeline version (null: the active one) against the catalog as it is now (SL005, SL006 when it no longer
fits) and writes every statement its batches run on one of its targets.$$;

-- Marks all but the newest row of each key in the batch: by order_by, then by arrival.
create or replace function sluice._superseded_sql(p_target oid, p_key text[], p_order_by text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$update pg_temp.sluice_rows set sluice_state = 's'
where ctid = any (array(
  select d.row_id from (
    select r.ctid as row_id,
      pg_catalog.row_number() over (partition by %1$s order by %2$sr.sluice_ordinal desc, r.sluice_line desc) as place
    from pg_temp.sluice_rows r
    where r.sluice_state is null%4$s and exists (
      select from (
        select %1$s from pg_temp.sluice_rows where sluice_state is null group by %1$s having pg_catalog.count(*) > 1) g
      where %3$s)) d
  where d.place > 1))$sql$,
    sluice._column_list(p_key),
    case when p_order_by is not null then format('r.%I desc nulls last, ', p_order_by) else '' end,
    sluice._key_condition(p_target, p_key, 'g', 'r'),
    case when sluice._sorts_cheaply(p_target, p_key) then format($sql$ and (
      select pg_catalog.count(*) > pg_catalog.count(distinct %I)
      from pg_temp.sluice_rows where sluice_state is null)$sql$, p_key[1]) else '' end)
$$;
