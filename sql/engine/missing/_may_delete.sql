create or replace function sluice._may_delete(p_pipeline sluice.pipelines)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
    sluice._why_unread(p_pipeline.target, '{sluice_batch}'),
    'it is loaded by ' || (
      select nullif(string_agg(p.name, ', ' order by p.name), p_pipeline.name) from sluice.pipelines p where p.target = p_pipeline.target and p.backfill_of is null),
    (select 'deletes cascade into it by constraint ' || string_agg(quote_ident(c.conname), ', ' order by c.conname)
     from pg_catalog.pg_constraint c where c.conrelid = t.oid and c.contype = 'f' and c.confdeltype = 'c'),
    (select string_agg(distinct case when g.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end, ', ') || ' may delete, too'
     from aclexplode(t.relacl) g
     where g.privilege_type in ('DELETE', 'TRUNCATE') and g.grantee <> t.relowner
       and pg_get_userbyid(g.grantee) not in (select b.recorded_by from sluice.batches b where b.pipeline_id = any (sluice._with_backfills(p_pipeline.pipeline_id)) and b.recorded_by is not null)))
  from (select parse_ident(p_pipeline.target) as part) name
  left join (pg_catalog.pg_class t join pg_catalog.pg_namespace n on n.oid = t.relnamespace)
    on n.nspname = name.part[1] and t.relname = name.part[2]
$$;

comment on function sluice._may_delete(sluice.pipelines) is
  'Why rows of a target may go without a batch that deletes them, in words: other pipelines, cascading foreign keys, other roles with the right. Null when only its owner could.';
