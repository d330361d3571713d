create or replace function sluice._lock_target(p_target oid)
returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_xact_lock(sluice._lock_class('target'), (p_target::bigint & 2147483647)::integer)
$$;

comment on function sluice._lock_target(oid) is
$$One writer per target at a time, whichever pipeline, replay or backfill it belongs to: to the end of the
transaction.$$;
