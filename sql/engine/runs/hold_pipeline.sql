create or replace function sluice.hold_pipeline(pipeline text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(hold_pipeline.pipeline);
begin
  perform set_config('idle_in_transaction_session_timeout', '0', true);
  if current_setting('transaction_timeout', true) is not null then
    perform set_config('transaction_timeout', '0', true); -- PostgreSQL 17
  end if;
  return pg_try_advisory_xact_lock(sluice._lock_class('guard'), v_pipeline.pipeline_id);
end
$$;

comment on function sluice.hold_pipeline(text) is
$$Holds the pipeline to the end of the transaction: one run at a time. A politeness: what makes a second run harmless is
the fence in load_batch. False when another session holds it (see pipeline_holder).$$;
