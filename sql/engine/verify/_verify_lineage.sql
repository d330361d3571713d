create or replace function sluice._verify_lineage(p_target text, out is_ok boolean, out detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = off
set plan_cache_mode = force_custom_plan -- for the pipeline at hand, see sluice.verify
as $$
declare
  v_unread text := sluice._why_unreadable(p_target, '{sluice_batch}');
  v_rows   bigint;
  v_batch  bigint;
begin
  if v_unread is not null then
    is_ok := v_unread like '% may not read %';
    detail := case when is_ok then 'not checked: ' else '' end || v_unread;
    return;
  end if;
  -- Any pipeline's batch will do, as several may load one target. What was written before the
  -- first of them came from a pipeline that was dropped, and its ledger with it.
  execute format(
    $sql$select coalesce(sum(t.rows), 0), min(t.sluice_batch)
from (select t.sluice_batch, count(*) as rows from %s t where t.sluice_batch >= $1 group by t.sluice_batch) t
where not exists (select from sluice.batches b where b.batch_id = t.sluice_batch)$sql$,
    p_target) into v_rows, v_batch
  using (select min(b.batch_id) from sluice.batches b join sluice.pipelines p using (pipeline_id)
    where p.target = p_target);
  is_ok := v_rows = 0;
  detail := case when is_ok then 'every row was written by a batch of the ledger'
    else format('%s rows name a batch that is not in the ledger: %s', v_rows, v_batch) end;
end
$$;

comment on function sluice._verify_lineage(text) is
  'Whether the rows of a target name batches of the ledger. Rows of other writers name none.';
