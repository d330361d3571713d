create or replace function sluice._lock_state(p_pipeline_id integer, p_epoch bigint, p_batch_seq bigint)
returns sluice.etl_state
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_state sluice.etl_state;
begin
  select * into v_state from sluice.etl_state where pipeline_id = p_pipeline_id for update;
  perform sluice._refuse_deposed(p_pipeline_id, p_epoch, v_state.epoch);
  if v_state.batch_seq + 1 <> p_batch_seq then
    raise exception using errcode = 'SL002',
      message = format('pipeline %s expects batch %s, not %s',
        (select p.name from sluice.pipelines p where p.pipeline_id = p_pipeline_id),
        v_state.batch_seq + 1, p_batch_seq),
      hint = 'nothing of this batch was committed; another writer has had its turn, or two had the same one';
  end if;
  return v_state;
end
$$;

comment on function sluice._lock_state(integer, bigint, bigint) is
$$Locks the state row of a pipeline to the end of the transaction and checks that this run (SL001) may commit this
batch (SL002).$$;
