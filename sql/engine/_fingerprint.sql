create or replace function sluice._fingerprint(p_pipeline_id integer)
returns text
language sql stable
set search_path = ''
as $$
  -- A catalog row gets a new xmin whenever it changes, and a new ctid even within one transaction.
  with pipeline as (
    select p.pipeline_id, p.xmin as pipeline_xmin, t.xmin as transform_xmin, t.version,
      to_regclass(p.target)::oid as target, to_regprocedure(t.function)::oid as function
    from sluice.pipelines p
    join sluice.transforms t on t.pipeline_id = p.pipeline_id and t.version = p.active_version
    where p.pipeline_id = p_pipeline_id)
  select concat_ws('/', pipeline.pipeline_id, pipeline_xmin, version, transform_xmin, target, function,
    (select e.xmin from sluice.engine e),
    (select f.xmin::text || f.ctid from pg_catalog.pg_proc f where f.oid = function),
    (select string_agg(c.xmin::text || c.ctid, ',' order by c.oid) from pg_catalog.pg_class c
     where c.oid = target or c.oid in (select k.confrelid from pg_catalog.pg_constraint k where k.conrelid = target)),
    (select string_agg(a.xmin::text || a.ctid, ',' order by a.attnum) from pg_catalog.pg_attribute a where a.attrelid = target and a.attnum > 0),
    (select string_agg(k.xmin::text || k.ctid, ',' order by k.oid) from pg_catalog.pg_constraint k where k.conrelid = target),
    (select string_agg(i.xmin::text || i.ctid, ',' order by i.indexrelid) from pg_catalog.pg_index i where i.indrelid = target),
    (select string_agg(g.xmin::text || g.ctid, ',' order by g.oid) from pg_catalog.pg_trigger g where g.tgrelid = target),
    (select string_agg(concat_ws(':', y.xmin, y.ctid, e.xmin, e.ctid, k.xmin, k.ctid), ',' order by y.oid, e.oid, k.oid)
     from pg_catalog.pg_attribute a
     join pg_catalog.pg_type y on y.oid = a.atttypid and y.oid >= 16384
     left join pg_catalog.pg_enum e on e.enumtypid = y.oid
     left join pg_catalog.pg_constraint k on k.contypid = y.oid
     where a.attrelid = target and a.attnum > 0))
  from pipeline
$$;

comment on function sluice._fingerprint(integer) is
  'Changes whenever anything changes that _compile looks at: the definition, the function, the target with its constraints, indexes, triggers and types, the tables it references, the engine.';
