create or replace function sluice._write_ledger(p_batch sluice.batches)
returns sluice.batches
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_batch sluice.batches := p_batch;
begin
  v_batch.recorded_by := session_user;
  v_batch.objects := coalesce(v_batch.objects, '[]');
  v_batch.origins := coalesce(v_batch.origins, '[]');
  v_batch.retried := coalesce(v_batch.retried, 0);
  v_batch.committed_at := clock_timestamp();
  begin
    insert into sluice.batches select v_batch.*;
  exception when check_violation then
    raise exception using errcode = 'SL004',
      message = format('the books of batch %s do not balance: %s',
        coalesce(v_batch.batch_seq, v_batch.batch_id), to_jsonb(v_batch) - 'objects'),
      hint = 'nothing of this batch was committed; this is a bug in the engine, please report it';
  end;

  update sluice.transforms t set first_used_at = now()
  from sluice.pipelines p
  where p.pipeline_id = v_batch.pipeline_id and t.pipeline_id in (p.pipeline_id, p.backfill_of)
    and t.version = v_batch.version and t.first_used_at is null;
  return v_batch;
end
$$;

comment on function sluice._write_ledger(sluice.batches) is
$$Writes the ledger row; its check constraints are the books (SL004). From now on its version cannot be changed, nor
that of the pipeline it is a backfill of.$$;
