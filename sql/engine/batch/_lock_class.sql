create or replace function sluice._lock_class(p_kind text)
returns integer
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select 1936487680 + case p_kind
    when 'install' then 0
    when 'guard'   then 1
    when 'batch'   then 2
    when 'target'  then 3
    when 'define'  then 4
    when 'deliver' then 5
    when 'sending' then 6
  end
$$;

comment on function sluice._lock_class(text) is
$$First key of the engine's advisory locks (the second: 0, pipeline, pipeline, target, 0, pipeline, pipeline).
install: upgrades, shared by batches; guard: one run a pipeline; batch: shared, shows which sessions are in a batch;
target: one writer a table; define: one definition at a time; deliver: one sender a pipeline; sending: shared, shows
which sessions are at its deliveries. All are held to the end of a transaction, never of a session.$$;

-- The processes that hold one of these locks for a pipeline. Without settings of its own: it becomes part of the query
-- of a view.
create or replace function sluice._holders(p_kind text, p_pipeline_id integer)
returns setof integer
language sql stable
as $$
  select l.pid from pg_catalog.pg_locks l
  where l.locktype = 'advisory' and l.granted and l.objsubid = 2
    and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
    and l.classid = sluice._lock_class(p_kind)::pg_catalog.int8 and l.objid = p_pipeline_id::pg_catalog.int8
$$;

-- Ends those of them that are ours: of the same role, and by their name a sluice. One that is frozen in copy obeys
-- neither timeouts nor pg_cancel_backend. Returns how many.
create or replace function sluice._end_holders(p_kinds text[], p_pipeline_id integer)
returns integer
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select count(*) filter (where pg_terminate_backend(a.pid))::integer
  from pg_stat_activity a
  where a.pid in (select h from unnest(p_kinds) k cross join lateral sluice._holders(k, p_pipeline_id) h)
    and a.application_name like 'sluice%' and a.pid <> pg_backend_pid() and a.usename = session_user
$$;

-- Lets this session hold a lock for as long as its transaction is open, however long it says nothing.
create or replace function sluice._allow_silence()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('idle_in_transaction_session_timeout', '0', true);
  if current_setting('transaction_timeout', true) is not null then
    perform set_config('transaction_timeout', '0', true); -- PostgreSQL 17
  end if;
end
$$;

-- One writer per target at a time, whichever pipeline, replay or backfill it belongs to: to the end of the
-- transaction.
create or replace function sluice._lock_target(p_target oid)
returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_xact_lock(sluice._lock_class('target'), (p_target::bigint & 2147483647)::integer)
$$;

-- Locks the state row of a pipeline until the transaction ends and checks that this run (SL001) may commit this batch
-- (SL002). Batches of one run take turns, so the row is free, unless a session of ours that was cut off got to it
-- late: the wait has an end (55P03), after which the loader ends that session (evict_loader).
create or replace function sluice._lock_state(p_pipeline_id integer, p_epoch bigint, p_batch_seq bigint)
returns sluice.etl_state
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s'
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

-- The fence: refuses (SL001) a run whose epoch is no longer the current one.
create or replace function sluice._refuse_deposed(p_pipeline_id integer, p_epoch bigint, p_current bigint)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_epoch is distinct from p_current then
    raise exception using errcode = 'SL001',
      message = format('deposed: %s', coalesce(
        (select format('run %s of pipeline %s took over at %s', r.run_id, p.name, r.started_at)
         from sluice.runs r join sluice.pipelines p using (pipeline_id)
         where r.pipeline_id = p_pipeline_id and r.epoch = p_current),
        (select format('the state of pipeline %s was moved by hand', p.name)
         from sluice.pipelines p where p.pipeline_id = p_pipeline_id),
        'the pipeline was dropped')),
      hint = 'nothing of this batch was committed; whoever holds the pipeline now reads its records again';
  end if;
end
$$;
