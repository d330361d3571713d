create or replace function sluice._verify_row_count(p_pipeline sluice.pipelines, out is_ok boolean, out detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_why text := sluice._why_rows_may_go(p_pipeline);
  v     record;
begin
  if v_why is not null then
    detail := 'not checked: ' || v_why;
    return;
  end if;
  v := sluice._count_rows_in_books(p_pipeline.target);
  is_ok := v.gone = 0 and v.rows <= v.inserted + v.changed;
  detail := format('rows: %s, inserted less deleted: %s', v.rows, v.inserted - v.deleted)
    || case
      when v.gone > 0 then '; the others were deleted behind the tool''s back (sluice reconcile)'
      when not is_ok then '; no batch wrote the others'
      when v.rows > v.inserted - v.deleted then '; the others stood there before and were updated'
      else '' end;
end
$$;

comment on function sluice._verify_row_count(sluice.pipelines) is
$$Whether the target holds as many rows as the batches of its pipelines inserted and did not delete. Not checked where
others may delete.$$;

-- Whether a target has no rows at all; not of one that cannot be read.
create or replace function sluice._is_empty(p_target text)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_is_empty boolean;
begin
  if sluice._why_unreadable(p_target, '{sluice_batch}') is not null then
    return false;
  end if;
  execute format('select not exists (select 1 from %s)', p_target) into v_is_empty;
  return v_is_empty;
end
$$;

-- Rows of a target, and what the batches of its pipelines say of them. Rows that stood there before may have been
-- updated, and are the pipelines' since; or deleted. gone: rows that somebody else deleted.
create or replace function sluice._count_rows_in_books(p_target text, out rows bigint, out inserted bigint,
  out deleted bigint, out changed bigint, out gone bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_unknown bigint := 0;
begin
  select coalesce(sum(b.inserted), 0), coalesce(sum(b.deleted), 0), coalesce(sum(b.updated + b.deleted), 0)
    into inserted, deleted, changed
  from sluice.target_books b where b.target = p_target;
  execute format($sql$select count(*) from %s t
join (
  select b.batch from sluice.target_books b where b.target = %L
  union all
  select n.batch_id from sluice.pruned_batches n join sluice.pipelines p using (pipeline_id)
  where sluice._loads(p, %L)) b
  on b.batch = t.sluice_batch$sql$, p_target, p_target, p_target) into rows;
  -- A pipeline that was dropped may have updated rows that another had inserted.
  if rows < inserted - deleted and exists (select from sluice.unknown_batches u where u.target = p_target) then
    v_unknown := (sluice._count_rows_by_origin(p_target)).unknown;
  end if;
  gone := greatest(inserted - deleted - rows - v_unknown, 0);
end
$$;

-- Why rows of a target may go without a batch that deletes them, in words: cascading foreign keys, other roles with
-- the right. Null when only its owner could.
create or replace function sluice._why_rows_may_go(p_pipeline sluice.pipelines)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
    sluice._why_unreadable(p_pipeline.target, '{sluice_batch}'),
    (select 'deletes cascade into it by constraint ' || string_agg(quote_ident(c.conname), ', ' order by c.conname)
     from pg_constraint c where c.conrelid = t.oid and c.contype = 'f' and c.confdeltype = 'c'),
    (select string_agg(distinct case when g.grantee = 0 then 'public'
      else quote_ident(pg_get_userbyid(g.grantee)) end, ', ') || ' may delete, too'
     from aclexplode(t.relacl) g
     where g.privilege_type in ('DELETE', 'TRUNCATE') and g.grantee <> t.relowner
       and pg_get_userbyid(g.grantee) not in (select b.recorded_by from sluice.batches b
         join sluice.pipelines p using (pipeline_id)
         where b.recorded_by is not null and sluice._loads(p, p_pipeline.target))))
  from (select parse_ident(p_pipeline.target) as part) name
  left join (pg_class t join pg_namespace n on n.oid = t.relnamespace)
    on n.nspname = name.part[1] and t.relname = name.part[2]
$$;
