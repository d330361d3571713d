create or replace function sluice._is_repeatable(p_function oid, p_search_path text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_function pg_proc;
  v_tree     text;
begin
  select * into strict v_function from pg_proc where oid = p_function;
  -- What meta says differs from batch to batch, and what a name means to a catalog type may differ from day to day.
  if v_function.pronargs <> 1 or exists (
    select from pg_attribute a left join pg_type t on t.oid = a.atttypid
    where a.attrelid = sluice._input_type(p_function) and a.attnum > 0
      and (a.atttypid >= 16384 or t.typname ~ '^_?(reg[a-z]+|money|xml)$')) then
    return false;
  end if;
  -- The word of its owner.
  if v_function.provolatile = 'i' then
    return true;
  end if;
  if v_function.prolang <> (select l.oid from pg_language l where l.lanname = 'sql')
    or v_function.proconfig is not null
    -- Literals such as 'now' are no longer visible in a parsed body.
    or v_function.prosrc ~* '\m(now|today|tomorrow|yesterday)\M' then
    return false;
  end if;

  v_tree := v_function.prosqlbody::text;
  if v_tree is null then
    -- Only a body of the newer form is kept parsed: let Postgres parse this one as such.
    if regexp_replace(v_function.prosrc, ';\s*$', '') ~ ';' then
      return false;
    end if;
    begin
      perform set_config('search_path', p_search_path, true);
      perform set_config('citus.enable_ddl_propagation', 'off', true);
      execute format(E'create function pg_temp.sluice_parsed(%s) returns %s language sql begin atomic\n%s\n;\nend',
        pg_catalog.pg_get_function_arguments(p_function), pg_catalog.pg_get_function_result(p_function),
        regexp_replace(v_function.prosrc, ';\s*$', ''));
      select p.prosqlbody::text into v_tree from pg_catalog.pg_proc p
      where p.proname = 'sluice_parsed' and p.pronamespace = pg_catalog.pg_my_temp_schema();
      raise exception using errcode = 'SL999', message = 'the parsed copy always rolls back';
    exception
      when sqlstate 'SL999' then
        null;
      when syntax_error_or_access_rule_violation or feature_not_supported then
        return false; -- cannot be written in that form
    end;
    perform set_config('search_path', 'pg_catalog, pg_temp', true);
  end if;
  return sluice._is_repeatable_tree(v_tree, v_function.proargtypes[0]);
end
$$;

comment on function sluice._is_repeatable(oid, text) is
$$Whether a transform makes the same rows of the same payload whenever it is called. True for a function declared
immutable, and for one in SQL that is built of nothing but immutable functions and those whose result depends only on
settings that transform_batch fixes. When in doubt, false.$$;

-- Whether a parsed function body, in the form of pg_proc.prosqlbody, computes its result from its arguments alone.
-- p_input: the type of its argument, which has been looked at.
create or replace function sluice._is_repeatable_tree(p_tree text, p_input oid)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with nodes as (
    select distinct m[1] as node from regexp_matches(p_tree, '\{([A-Z_]+)', 'g') m
  ), functions as (
    select distinct m[1]::oid as oid from regexp_matches(p_tree, ':(?:funcid|aggfnoid) (\d+)', 'g') m
    union
    select o.oprcode from regexp_matches(p_tree, ':opno (\d+)', 'g') m
    join pg_operator o on o.oid = m[1]::oid
  ), types as (
    select distinct m[1]::oid as oid from regexp_matches(p_tree, ':[a-z_]*type(?:id)? (\d+)', 'g') m where m[1] <> '0'
    union
    select t::oid from regexp_matches(p_tree, ':funccoltypes \(o ([0-9 ]+)\)', 'g') m
    cross join lateral regexp_split_to_table(m[1], ' ') t
  )
  select
    -- Expressions and reads of functions, no table, no current_date and its like.
    not exists (
      select from nodes where node not in (
        'QUERY', 'ALIAS', 'RANGETBLENTRY', 'RTE', 'RANGETBLFUNCTION', 'RANGETBLREF', 'FROMEXPR', 'JOINEXPR',
        'TARGETENTRY', 'VAR', 'PARAM', 'CONST', 'FUNCEXPR', 'OPEXPR', 'DISTINCTEXPR', 'NULLIFEXPR',
        'SCALARARRAYOPEXPR', 'BOOLEXPR', 'SUBLINK', 'CASE', 'CASEEXPR', 'WHEN', 'CASEWHEN', 'CASETESTEXPR',
        'COALESCE', 'COALESCEEXPR', 'MINMAX', 'MINMAXEXPR', 'RELABELTYPE', 'COERCEVIAIO', 'ARRAYCOERCEEXPR',
        'ARRAY', 'ARRAYEXPR', 'ROW', 'ROWEXPR', 'NULLTEST', 'BOOLEANTEST', 'FIELDSELECT', 'SUBSCRIPTINGREF',
        'COLLATE', 'COLLATEEXPR', 'AGGREF', 'SORTGROUPCLAUSE'))
    and p_tree !~ ':rtekind 0 '
    and not exists (
      select from functions f join pg_proc p using (oid)
      where f.oid >= 16384 or p.provolatile = 'v' or (p.provolatile = 's' and p.proname not in (
        -- These depend on TimeZone, DateStyle and IntervalStyle.
        'timestamptz', 'timestamp', 'date', 'timezone', 'date_part', 'extract', 'date_trunc', 'to_timestamp', 'to_date',
        'make_timestamptz', 'timestamptz_pl_interval', 'timestamptz_mi_interval', 'interval_pl_timestamptz',
        -- These call the output functions of their arguments' types, which are looked at below.
        'concat', 'concat_ws', 'array_to_string', 'to_jsonb', 'to_json', 'jsonb_build_object', 'jsonb_build_array',
        'json_build_object', 'json_build_array', 'jsonb_to_record', 'jsonb_to_recordset')))
    -- Built-in types, whose text form depends on those settings at most: not on the catalog
    -- (regclass), nor on the locale (money).
    and not exists (
      select from types t left join pg_type y using (oid)
      where t.oid >= 16384 and t.oid <> p_input or y.oid is null or y.typname ~ '^_?(reg[a-z]+|money|xml)$')
$$;
