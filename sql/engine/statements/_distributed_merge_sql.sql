-- Citus has no MERGE from a table of the session into a distributed one. This does the same for such a target: one
-- statement of three parts, each of which takes the rows with its outcome. The parts see the target as it was before
-- the statement, and no key is in two of them.
create or replace function sluice._distributed_merge_sql(
  p_target oid, p_columns text[], p_key text[], p_order_by text, p_has_deleted boolean, p_has_children boolean,
  p_rows_sql text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- A table of the session is joined to a distributed one only as a subquery.
  select format($sql$with deleted as (%s),
updated as (
  update %2$s t set %3$ssluice_hash = s.sluice_hash, sluice_batch = %4$s
  from (%5$s) s
  where %6$s and not s.sluice_deleted and %7$s%8$s
  returning 1),
inserted as (
  insert into %2$s (%9$s, sluice_hash, sluice_batch)
  select %10$s, s.sluice_hash, %4$s
  from (%5$s) s
  where not s.sluice_deleted
  on conflict (%11$s) do nothing
  returning 1)
select (select pg_catalog.count(*) from inserted) as inserted, (select pg_catalog.count(*) from updated) as updated,
  (select pg_catalog.count(*) from deleted) as deleted$sql$,
    case when p_has_deleted then format($sql$
  delete from %s t
  using (%s) s
  where %s and s.sluice_deleted%s
  returning 1$sql$, p_target::regclass, p_rows_sql, c.same, c.is_newer)
      else 'select 1 where false' end,
    p_target::regclass, c.changes, '(select b.batch_id from pg_temp.sluice_batch b)', p_rows_sql, c.same,
    case when p_has_children then format('(s.sluice_is_touched or %s)', sluice._differs_sql(p_target))
      else sluice._differs_sql(p_target) end,
    c.is_newer, sluice._column_list(p_columns), sluice._column_list(p_columns, 's'), sluice._column_list(p_key))
  from (
    select sluice._key_condition(p_target, p_key, 't', 's') as same,
      coalesce(' and not ' || nullif(sluice._stale_condition(p_target, p_order_by), 'false'), '') as is_newer,
      -- Not the key, of which the distribution column is part.
      (select coalesce(string_agg(format('%1$I = s.%1$I, ', c), '' order by n) filter (where c <> all (p_key)), '')
       from unnest(p_columns) with ordinality x (c, n)) as changes) c
$$;

comment on function sluice._distributed_merge_sql(oid, text[], text[], text, boolean, boolean, text) is
$$The merge into a distributed table, of the rows that p_rows_sql selects. It says itself how many it inserted,
updated and deleted.$$;
