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
order by r.ordinal$sql$, v_relation) using p_batch_id;
    get diagnostics v_staged = row_count;
    v_total := v_total + v_staged;
  end loop;
  return v_total;
end
$$;

comment on function sluice._stage_retained(integer, bigint) is
  'Puts the retained payloads of a batch into the open batch, in their order and under their ordinals; returns how many there are.';
