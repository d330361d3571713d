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
  end
$$;

comment on function sluice._lock_class(text) is
$$First key of the engine's advisory locks (the second: 0, pipeline, pipeline, target, 0). install: upgrades, shared by
batches; guard: one run a pipeline; batch: shared, shows which sessions are in a batch; target: one writer a table;
define: one definition at a time. All are held to the end of a transaction, never of a session.$$;
