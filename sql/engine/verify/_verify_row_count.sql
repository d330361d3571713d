create or replace function sluice._verify_row_count(p_pipeline sluice.pipelines, out is_ok boolean, out detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  v_why    text := sluice._why_rows_may_go(p_pipeline);
  v_ledger record;
  v_rows   bigint;
  v_ids    integer[] := sluice._with_backfills(p_pipeline.pipeline_id);
begin
  is_ok := true;
  if v_why is not null then
    detail := 'not checked: ' || v_why;
    return;
  end if;
  select coalesce(sum(b.inserted), 0) as inserted, coalesce(sum(b.deleted), 0) as deleted,
    coalesce(sum(b.updated + b.deleted), 0) as changed into v_ledger
  from sluice.batches b where b.pipeline_id = any (v_ids);
  execute format($sql$select count(*) from %s t join sluice.batches b on b.batch_id = t.sluice_batch
where b.pipeline_id = any ($1)$sql$, p_pipeline.target)
    into v_rows using v_ids;
  -- Rows that stood there before may have been updated, and are the pipeline's since; or deleted.
  is_ok := v_rows between v_ledger.inserted - v_ledger.deleted and v_ledger.inserted + v_ledger.changed;
  detail := format('rows: %s, inserted less deleted: %s', v_rows, v_ledger.inserted - v_ledger.deleted)
    || case
      when v_rows < v_ledger.inserted - v_ledger.deleted then '; the others were deleted behind the tool''s back'
      when not is_ok then '; no batch wrote the others'
      when v_rows > v_ledger.inserted - v_ledger.deleted then '; the others stood there before and were updated'
      else '' end;
end
$$;

comment on function sluice._verify_row_count(sluice.pipelines) is
$$Whether the target holds as many rows of the pipeline as its batches inserted and did not delete. Not checked where
others may delete.$$;

-- Why rows of a target may go without a batch that deletes them, in words: other pipelines, cascading foreign
-- keys, other roles with the right. Null when only its owner could.
create or replace function sluice._why_rows_may_go(p_pipeline sluice.pipelines)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
    sluice._why_unreadable(p_pipeline.target, '{sluice_batch}'),
    'it is loaded by ' || (
      select nullif(string_agg(p.name, ', ' order by p.name), p_pipeline.name) from sluice.pipelines p
        where p.target = p_pipeline.target and p.backfill_of is null),
    (select 'deletes cascade into it by constraint ' || string_agg(quote_ident(c.conname), ', ' order by c.conname)
     from pg_constraint c where c.conrelid = t.oid and c.contype = 'f' and c.confdeltype = 'c'),
    (select string_agg(distinct case when g.grantee = 0 then 'public'
      else quote_ident(pg_get_userbyid(g.grantee)) end, ', ') || ' may delete, too'
     from aclexplode(t.relacl) g
     where g.privilege_type in ('DELETE', 'TRUNCATE') and g.grantee <> t.relowner
       and pg_get_userbyid(g.grantee) not in (select b.recorded_by from sluice.batches b
         where b.pipeline_id = any (sluice._with_backfills(p_pipeline.pipeline_id)) and b.recorded_by is not null)))
  from (select parse_ident(p_pipeline.target) as part) name
  left join (pg_class t join pg_namespace n on n.oid = t.relnamespace)
    on n.nspname = name.part[1] and t.relname = name.part[2]
$$;
