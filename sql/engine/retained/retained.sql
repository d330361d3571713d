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
$$What is retained of the payloads of a pipeline, or of all: one line per day (UTC), with its size on disk.
Example: select * from sluice.retained('orders')$$;

create or replace function sluice.raw_records(pipeline text, batches bigint[] default null)
returns table (batch bigint, ordinal integer, origin text, "position" bigint, payload text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_live_pipeline(raw_records.pipeline);
  v_relation regclass;
begin
  for v_relation in select t.relation from sluice._raw_tables(v_pipeline.pipeline_id) t loop
    return query execute format($sql$
select c.batch_id, r.ordinal, sluice._origin_of(b.origins, r.ordinal), r.position, r.payload
from %s c
join sluice.batches b using (batch_id)
cross join lateral unnest(c.ordinals, c.positions, c.payloads) r (ordinal, position, payload)
where ($1 is null or c.batch_id = any ($1)) and r.payload is not null
order by c.batch_id, c.first_ordinal, r.ordinal$sql$, v_relation) using raw_records.batches;
  end loop;
end
$$;

comment on function sluice.raw_records(text, bigint[]) is
$$The payloads that a pipeline has retained (see retain_raw), with where they came from: of these batches, or all. What
a batch has set aside is not among them but in quarantine, and what was erased is gone (sluice.erase).
Example: select payload from sluice.raw_records('orders', '{812}') where position = 17$$;
