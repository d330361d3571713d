create or replace function sluice._verify_functions(p_pipeline_id integer, out is_ok boolean, out detail text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select count(*) filter (where not is_same) = 0,
    coalesce(sluice._first_and_more(array_agg(format('version %s: %s is not what was registered', version, function)
      order by version) filter (where not is_same)),
      format('versions: %s, as registered', count(distinct version)))
  from (
    select t.version, t.function, coalesce(sluice._transform_sha256(f.oid) = t.sha256, false) as is_same
    from sluice.transforms x
    cross join lateral sluice._version_targets(x.pipeline_id, x.version) t
    left join (pg_proc f join pg_namespace n on n.oid = f.pronamespace)
      -- By the catalog: to_regprocedure raises where the schema may not be used.
      on sluice._qualified_function(f.oid) = t.function and f.proname = (parse_ident(t.function, false))[2]
    where x.pipeline_id = p_pipeline_id) versions
$$;

comment on function sluice._verify_functions(integer) is
  'Whether the transform of every version is what it was registered with.';
