-- What is different with several targets: each has its rows in a table of its own, the first one has children, and
-- the others are children.
create or replace function sluice._among_targets(p_compiled sluice.compiled, p_pipeline_id integer)
returns sluice.compiled
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v       sluice.compiled := p_compiled;
  v_first record;
begin
  -- Every statement calls them sluice_rows, as if they were all there are.
  v := jsonb_populate_record(v, (
    select jsonb_object_agg(s.key, sluice._of_target(s.value::text, v.number)::jsonb)
    from jsonb_each(to_jsonb(v)) s where s.key in ('reference_checks', 'fetch_sql') or s.key like '%\_sql'));
  -- A payload may be known to have made one row, not several in several targets.
  v.made_for := null;
  v.keeps_places := false;
  v.matched_sql := null;
  v.remember_sql := null;
  v.wait_sql := sluice._wait_sql(p_pipeline_id, v.version, v.number, v.target, v.key);
  if v.number = 1 then
    v.rows_definition := 'sluice_is_touched boolean not null default false, ' || v.rows_definition;
    v.older_sql := sluice._older_sql(v.target, v.key, v.order_by);
    return v;
  end if;
  select to_regclass(f.target)::oid as target, f.key, c.parent, c.children into strict v_first
  from sluice._version_targets(p_pipeline_id, v.version) f, sluice._version_targets(p_pipeline_id, v.version) c
  where f.number = 1 and c.number = v.number;
  v.parent := v_first.parent;
  v.children := v_first.children;
  v.transform_past_faults_sql := replace(v.transform_past_faults_sql, '_rows_past_faults($1)',
    format('_rows_past_faults($1, %s)', v.number));
  -- Only the parent keeps a memory of what was deleted.
  v.revive_sql := null;
  v.bury_sql := null;
  v.batch_keys_sql := null;
  select s.orphans_sql, s.follow_sql, s.dropped_sql, s.drop_sql, s.touch_sql,
    case when v.fetch_sql is not null then array_remove(v.fetch_sql || s.fetch_sql, null) end
    into v.orphans_sql, v.follow_sql, v.dropped_sql, v.drop_sql, v.touch_sql, v.fetch_sql
  from sluice._children_sql(v.number, v_first.target, v_first.key, v.target, v.key, v.parent, v.children) s;
  return v;
end
$$;

comment on function sluice._among_targets(sluice.compiled, integer) is
  'A target as it is compiled by itself, made one of several.';

-- All targets of a version, the first one first.
create or replace function sluice._compile_all(p_pipeline_id integer, p_version integer)
returns sluice.compiled[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_targets sluice.compiled[] := '{}';
begin
  -- Without any, _compile says what is wrong.
  for v_number in 1 .. coalesce((select max(t.number) from sluice._version_targets(p_pipeline_id, p_version) t), 1) loop
    v_targets := v_targets || sluice._compile(p_pipeline_id, p_version, v_number);
  end loop;
  return v_targets;
end
$$;

-- Turns a statement about sluice_rows into one about the rows of one of several targets.
create or replace function sluice._of_target(p_statement text, p_number integer)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select replace(p_statement, 'pg_temp.sluice_rows', 'pg_temp.' || sluice._rows_name(p_number, 2))
$$;

-- Whether a target deletes because its parent does.
create or replace function sluice._follows_deletes(p_pipeline_id integer, p_version integer, p_number integer)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p_number > 1 and exists (
    select from sluice._version_targets(p_pipeline_id, p_version) t
    cross join lateral sluice._transform_columns(sluice._find_function(t.function)) c
    where t.number = 1 and c.column_name = 'sluice_deleted')
$$;
