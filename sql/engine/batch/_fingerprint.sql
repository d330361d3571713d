create or replace function sluice._fingerprint(p_pipeline_id integer, p_version integer)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- A catalog row gets a new xmin whenever it changes, and a new ctid even within one transaction.
  select concat_ws('/', p.pipeline_id, p.xmin, t.version, t.sha256, t.search_path, t.columns, t.key, t.order_by, t.takes_meta, t.is_repeatable, (select e.xmin from sluice.engine e),
    f.oid, f.xmin, f.ctid, sluice._target_fingerprint(to_regclass(p.target)))
  from sluice.pipelines p
  join sluice.transforms t on t.pipeline_id = p.pipeline_id and t.version = coalesce(p_version, p.active_version)
  left join pg_catalog.pg_proc f on f.oid = to_regprocedure(t.function)
  where p.pipeline_id = p_pipeline_id
$$;

comment on function sluice._fingerprint(integer, integer) is
  'Changes whenever anything changes that _compile looks at for a version (null: the active one): the definition, the function, the target and what hangs on it, the engine.';
