create or replace function sluice._differs_sql(p_target oid)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- plpgsql keeps the plan.
declare
  v_target text := sluice._qualified_name(p_target);
begin
  return (
    select case when count(*) = 0 then 't.sluice_hash is distinct from s.sluice_hash'
      else format('(t.sluice_hash is distinct from s.sluice_hash or t.sluice_batch operator(pg_catalog.<@) '
        '%L::pg_catalog.int8multirange)', range_agg(r.ids)) end
    from sluice.unknown_batches u cross join lateral unnest(u.batch_ids) r (ids)
    where u.target = v_target);
end
$$;

comment on function sluice._differs_sql(oid) is
$$The condition for a row "s" of the batch to differ from its row "t" of the target. The hash of a row that no batch
of the ledger wrote proves nothing.$$;
