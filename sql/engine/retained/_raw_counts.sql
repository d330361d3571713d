create or replace function sluice._raw_counts(p_pipeline_id integer, p_batches bigint[])
returns table (batch_id bigint, records bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_relation regclass;
begin
  for v_relation in select t.relation from sluice._raw_tables(p_pipeline_id) t loop
    return query execute format('select c.batch_id, sum(cardinality(c.ordinals)) from %s c where $1 is null or c.batch_id = any ($1) group by c.batch_id', v_relation)
      using p_batches;
  end loop;
end
$$;

comment on function sluice._raw_counts(integer, bigint[]) is
  'How many payloads are retained of each of the batches, or of all that have any.';
