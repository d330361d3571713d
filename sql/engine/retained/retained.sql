create or replace function sluice.retained(pipeline text default null)
returns table (
  pipeline_name text, retained_on date, first_batch bigint, last_batch bigint, batches bigint, records bigint,
  bytes bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_table record;
begin
  if retained.pipeline is not null then
    perform sluice._find_pipeline(retained.pipeline);
  end if;
  for v_table in
    select p.name, t.relation, t.retained_on
    from sluice.pipelines p cross join lateral sluice._raw_tables(p.pipeline_id) t
    where retained.pipeline is null or p.name = retained.pipeline
    order by p.name, t.retained_on
  loop
    return query execute format($sql$select $1, $2, min(c.batch_id), max(c.batch_id), count(distinct c.batch_id),
  coalesce(sum(cardinality(c.ordinals)), 0), pg_total_relation_size(%L::regclass) from %1$s c$sql$, v_table.relation)
      using v_table.name, v_table.retained_on;
  end loop;
end
$$;

comment on function sluice.retained(text) is
$$What is retained of the payloads of a pipeline, or of all: one line a day (UTC), with its size on disk.
Example: select * from sluice.retained('orders')$$;
