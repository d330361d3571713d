create or replace function sluice._raw_tables(p_pipeline_id integer)
returns table (relation regclass, retained_on date)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select to_regclass(sluice._raw_table(d.pipeline_id, d.retained_on)), d.retained_on
  from sluice.raw_days d where d.pipeline_id = p_pipeline_id order by d.retained_on
$$;

comment on function sluice._raw_tables(integer) is
  'The tables of payloads that a pipeline has retained, one a day, the oldest first.';

-- How many payloads are retained of each of the batches, or of all that have any.
create or replace function sluice._raw_counts(p_pipeline_id integer, p_batches bigint[])
returns table (batch_id bigint, records bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_relation regclass;
begin
  for v_relation in select t.relation from sluice._raw_tables(p_pipeline_id) t loop
    return query execute format($sql$select c.batch_id, sum(cardinality(c.ordinals)) from %s c
where $1 is null or c.batch_id = any ($1) group by c.batch_id$sql$, v_relation) using p_batches;
  end loop;
end
$$;

-- Puts the retained payloads of a batch into the open batch, in their order and under their ordinals; returns how many.
create or replace function sluice._stage_retained(p_pipeline_id integer, p_batch_id bigint)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set work_mem = '64MB' -- the payloads of one batch
as $$
declare
  v_relation regclass;
  v_staged   bigint;
  v_total    bigint := 0;
begin
  for v_relation in select t.relation from sluice._raw_tables(p_pipeline_id) t loop
    execute format($sql$insert into pg_temp.sluice_staging (ordinal, position, payload)
select r.ordinal, r.position, r.payload
from (select c.* from %s c where c.batch_id = $1 order by c.first_ordinal) c
cross join lateral unnest(c.ordinals, c.positions, c.payloads) r (ordinal, position, payload)
where r.payload is not null -- it was erased
order by r.ordinal$sql$, v_relation) using p_batch_id;
    get diagnostics v_staged = row_count;
    v_total := v_total + v_staged;
  end loop;
  return v_total;
end
$$;

-- What a pipeline has retained, for errors about what it has not.
create or replace function sluice._retained_hint(p_pipeline sluice.pipelines)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when count(*) > 0 then format('retained are batches %s to %s, since %s (select * from sluice.retained(%L))',
      min(r.first_batch), max(r.last_batch), min(r.retained_on), p_pipeline.name)
    when p_pipeline.retain_raw is null then 'nothing is retained: define_pipeline(..., retain_raw => ''7 days'') keeps'
      ' the payloads of batches to come; what came before can be read again by a rewind or a backfill'
    else format('nothing is retained yet: the payloads of batches to come are kept for %s', p_pipeline.retain_raw) end
  from sluice.retained(p_pipeline.name) r
$$;
