create or replace function sluice._is_repeatable_tree(p_tree text)
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
    join pg_catalog.pg_operator o on o.oid = m[1]::oid
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
        'QUERY', 'ALIAS', 'RANGETBLENTRY', 'RTE', 'RANGETBLFUNCTION', 'RANGETBLREF', 'FROMEXPR', 'JOINEXPR', 'TARGETENTRY',
        'VAR', 'PARAM', 'CONST', 'FUNCEXPR', 'OPEXPR', 'DISTINCTEXPR', 'NULLIFEXPR', 'SCALARARRAYOPEXPR', 'BOOLEXPR',
        'SUBLINK', 'CASE', 'CASEEXPR', 'WHEN', 'CASEWHEN', 'CASETESTEXPR', 'COALESCE', 'COALESCEEXPR', 'MINMAX', 'MINMAXEXPR',
        'RELABELTYPE', 'COERCEVIAIO', 'ARRAYCOERCEEXPR', 'ARRAY', 'ARRAYEXPR', 'ROW', 'ROWEXPR', 'NULLTEST', 'BOOLEANTEST',
        'SUBSCRIPTINGREF', 'COLLATE', 'COLLATEEXPR', 'AGGREF', 'SORTGROUPCLAUSE'))
    and p_tree !~ ':rtekind 0 '
    and not exists (
      select from functions f join pg_catalog.pg_proc p using (oid)
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
      select from types t left join pg_catalog.pg_type y using (oid)
      where t.oid >= 16384 or y.oid is null or y.typname ~ '^_?(reg[a-z]+|money|xml)$')
$$;

comment on function sluice._is_repeatable_tree(text) is
  'Whether a parsed function body, in the form of pg_proc.prosqlbody, computes its result from its arguments alone.';
