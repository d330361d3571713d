create or replace function sluice._find_missing(
  p_pipeline sluice.pipelines, p_target oid, p_key text[], p_read sluice.snapshots,
  out missing bigint, out back bigint, out held bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_min_messages = warning
-- Many rows are each looked up among many keys, about which the planner knows nothing.
set enable_nestloop = off
set enable_mergejoin = off
set jit = off
as $$
begin
  if to_regclass('pg_temp.sluice_missing') is not null then
    drop table pg_temp.sluice_missing; -- of an earlier call in this same transaction
  end if;
  create temporary table sluice_missing (
    class oid not null, place tid not null, key_hash bytea not null, is_missing boolean not null) on commit drop;
  if sluice._is_distributed(p_target) then
    perform sluice._fetch_met(p_target, '{}');
    execute sluice._fetch_missing_sql(p_target, p_key, p_pipeline.mark_column) using p_read.pipeline_id;
  end if;
  execute sluice._missing_sql(p_target, p_key, p_pipeline.mark_column)
    using p_read.pipeline_id, p_read.first_seq, p_read.began_at;
  select count(*) filter (where m.is_missing), count(*) filter (where not m.is_missing) into missing, back
  from pg_temp.sluice_missing m;
  if missing > 0 then
    -- Against the rows there were before, or an exchanged source would pass because of its new rows.
    execute format('select count(*) from %s t
where t.sluice_batch in (select b.batch_id from sluice._all_batches() b where b.pipeline_id = $1)%s',
      p_target::regclass, coalesce(' and ' || sluice._unmarked_condition(p_target, p_pipeline.mark_column), ''))
      into held using p_read.pipeline_id;
    held := greatest(missing, held - (
      select coalesce(sum(b.inserted), 0) from sluice.batches b
      where b.pipeline_id = p_read.pipeline_id
        and coalesce(b.batch_seq >= p_read.first_seq, b.committed_at >= p_read.began_at)));
  end if;
  analyze pg_temp.sluice_missing;
end
$$;

comment on function sluice._find_missing(sluice.pipelines, oid, text[], sluice.snapshots) is
$$Notes the rows in sluice_missing. missing, back: how many, and how many are marked though they are there; held: how
many rows the pipeline had when the read began.$$;
