create or replace function sluice.quarantined_in_transaction(pipeline text)
returns table (
  pipeline_name text, records bigint, sqlstate text, "column" text, "constraint" text, example text, first_at text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p.name, count(*), q.sqlstate, q.column_name, q.constraint_name, min(q.message),
    min(q.origin || ':' || q.position)
  from sluice.quarantine q join sluice.pipelines p using (pipeline_id)
  where p.name = sluice._live_name(quarantined_in_transaction.pipeline)
    and q.status = 'open' and q.last_seen_at = now()
  group by p.name, q.sqlstate, q.column_name, q.constraint_name
  order by count(*) desc, q.sqlstate
$$;

comment on function sluice.quarantined_in_transaction(text) is
$$What the open transaction has quarantined for a pipeline or its backfill, one line for each kind of error, the most
frequent first. For dry runs, which roll it back.$$;
