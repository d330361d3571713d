-- Every check looks at the same snapshot, the caller's: runs may go on meanwhile. Statements are planned for the
-- pipeline that is looked at (force_custom_plan), as one pipeline may have nearly all of the ledger or the quarantine,
-- and the statistics then say of each of the others that it has.
create or replace function sluice.verify(pipeline text default null, deep boolean default false)
returns table (pipeline_name text, check_name text, is_ok boolean, detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
#variable_conflict use_column
declare
  v_pipeline    sluice.pipelines;
  v_is_backfill boolean;
begin
  if verify.pipeline is not null then
    perform sluice._find_pipeline(verify.pipeline);
  end if;
  for v_pipeline in
    select p.* from sluice.pipelines p left join sluice.pipelines o on o.pipeline_id = p.backfill_of
    where verify.pipeline is null or verify.pipeline in (p.name, o.name)
    order by coalesce(o.name, p.name), p.backfill_of is not null, p.pipeline_id
  loop
    -- A backfill has target, versions and quarantine from its pipeline.
    v_is_backfill := v_pipeline.backfill_of is not null;
    return query
    with targets as materialized (
      select t.*, case when t.is_first then '' else ' of ' || t.target end as of_target
      from sluice._targets_of(v_pipeline) t where not v_is_backfill)
    select v_pipeline.name, c.check_name, c.is_ok, c.detail from (
      select 1 as place, 'cursor chain' as check_name, * from sluice._verify_cursors(v_pipeline.pipeline_id)
      union all select 2, 'objects', * from sluice._verify_objects(v_pipeline.pipeline_id)
      union all select 3, 'books', * from sluice._verify_books(v_pipeline.pipeline_id)
      union all select 4, 'quarantine', * from sluice._verify_quarantine(v_pipeline) where not v_is_backfill
      union all select 5, 'lineage' || t.of_target, l.* from targets t, sluice._verify_lineage(t.target) l
      union all select 6, 'tombstones', * from sluice._verify_tombstones(v_pipeline) where not v_is_backfill
      union all select 7, 'function checksums', * from sluice._verify_functions(v_pipeline.pipeline_id)
        where not v_is_backfill
      union all select 8, 'deliveries', * from sluice._verify_deliveries(v_pipeline) where not v_is_backfill
        and exists (select from sluice.delivery_state s where s.pipeline_id = v_pipeline.pipeline_id)
      union all select 9, 'row count' || t.of_target, r.* from targets t, sluice._verify_row_count(t.as_only) r
        where (verify.deep or sluice._is_empty(t.target)) and (verify.deep or not r.is_ok)
      union all select 10, 'row hashes' || t.of_target, h.* from targets t, sluice._verify_hashes(t.as_only) h
        where verify.deep) c
    order by c.place, c.check_name;
  end loop;
end
$$;

comment on function sluice.verify(text, boolean) is
$$Proves the state of one pipeline, or of all, and of their backfills. One line a check: the cursors of the ledger form
one chain that ends at the state; files and objects are as far as it says; records and rows add up in every batch and
run, and with the quarantine; quarantined records are closed by what may close them, and not in the target while they
are open; every row of the target names a batch of the ledger (reads all of it); deleted keys are not there; functions
are what was registered; of deliveries none has overtaken an older one of its key; a target without rows was not emptied
behind the tool's back. deep: also counts the rows, and computes the hash of every row again, which names rows that were
edited behind the tool's back. is_ok: null where a check, or a part of it, could not be made; the detail says why.
Example: select * from sluice.verify('orders', deep => true) where is_ok is not true$$;
