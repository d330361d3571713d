create or replace function sluice._mark_outdated_rows()
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_may_be boolean;
  v        record;
begin
  for v in
    select t.target, t.fetch_sql from pg_temp.sluice_targets t where t.fetch_sql is not null order by t.number
  loop
    perform sluice._fetch_met(v.target, v.fetch_sql);
  end loop;
  v_may_be := sluice._mark_older_arrivals();
  if not v_may_be and not (select b.has_children from pg_temp.sluice_batch b) then
    return 0;
  end if;
  for v in
    select t.older_sql, t.follow_sql from pg_temp.sluice_targets t
    where t.older_sql is not null or t.follow_sql is not null order by t.number
  loop
    if v.older_sql is not null then
      perform sluice._execute_by_hash(v.older_sql, null, null);
    end if;
    if v.follow_sql is not null then
      perform sluice._follow_parents(v.follow_sql);
    end if;
  end loop;
  return (select count(*) from pg_temp.sluice_rows where sluice_state in ('o', 'u'));
end
$$;

comment on function sluice._mark_outdated_rows() is
$$Leaves rows out of the merge that must not overwrite or bring back newer ones (see _outdated_sql, and for parents and
their children _children_sql); returns how many in all.$$;

-- Marks what the merge cannot see, for the first target; returns whether there may have been any.
create or replace function sluice._mark_older_arrivals()
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_batch          record;
  v_target         text;
  v_has_tombstones boolean;
begin
  select b.pipeline_id, b.precedence, b.has_children, c.target, c.key, c.columns, c.order_by into v_batch
  from pg_temp.sluice_batch b, pg_temp.sluice_compiled c;
  v_target := sluice._qualified_name(v_batch.target);
  v_has_tombstones := exists (select from sluice.tombstones d where d.target = v_target and d.is_final)
    or (v_batch.precedence <> 'live' or v_batch.order_by is not null)
      and exists (select from sluice.tombstones d where d.target = v_target);
  if v_batch.precedence = 'live' and not v_has_tombstones then
    return false;
  end if;
  if v_batch.precedence <> 'live' then
    perform sluice._note_replayed_keys(v_batch.target);
  end if;
  execute sluice._outdated_sql(v_batch.target, v_batch.key, v_batch.columns, v_batch.order_by, v_batch.precedence,
      v_has_tombstones, exists (select from sluice.tombstones d where d.target = v_target and d.is_typed),
      sluice._met(v_batch.target), v_batch.has_children)
    using v_batch.pipeline_id, (
      select max(l.committed_at - make_interval(case when p.backfill_of is null then 0 else 1000 end))
      from sluice.pipelines p
      cross join lateral (
        select b.committed_at from sluice.batches b
        where b.pipeline_id = p.pipeline_id and b.kind in ('load', 'carried') and b.unchanged > 0
        order by b.committed_at desc limit 1) l
      where p.target = v_target and v_batch.precedence = 'arrival');
  return true;
end
$$;
