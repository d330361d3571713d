-- Of several targets: a delete waits until all of them are merged if other rows still refer to what goes, as the batch
-- may move those: a line to another order. What nothing refers to goes before, so that a row that comes may take over
-- its unique values. wait_sql marks what waits: in sluice_rows by its state, in sluice_dropped by its number. For a
-- reference that is checked at the end, being deferrable, nothing has to wait.
create or replace function sluice._wait_sql(
  p_pipeline_id integer, p_version integer, p_number integer, p_target oid, p_key text[])
returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select array_agg(format($sql$update %1$s set %2$s
where ctid = any (array(
  select d.ctid from %1$s d
  cross join lateral (select %3$s from %4$s p where %5$s offset 0) p
  where %6$s and exists (select 1 from %7$s c where %8$s offset 0)))$sql$,
    d.deletes, d.mark, sluice._column_list(f.referenced, 'p'), sluice._met(p_target), d.row_of, d.are_live,
    sluice._met(f.of_table), sluice._parent_condition(p_target, f.referenced, f.referring, 'c'))
    order by f.number, f.conname, d.deletes)
  from (
    select t.number, c.conname, c.conrelid as of_table,
      array_agg(p.attname::text order by k.n) as referenced, array_agg(r.attname::text order by k.n) as referring
    from sluice._version_targets(p_pipeline_id, p_version) t
    join pg_constraint c on c.conrelid = to_regclass(t.target) and c.confrelid = p_target and c.contype = 'f'
      and c.conparentid = 0 and not (c.condeferrable and c.confdeltype = 'a')
    cross join lateral unnest(c.confkey, c.conkey) with ordinality k (referenced, referring, n)
    join pg_attribute p on p.attrelid = c.confrelid and p.attnum = k.referenced
    join pg_attribute r on r.attrelid = c.conrelid and r.attnum = k.referring
    group by t.number, c.conname, c.conrelid) f
  -- References within a table hold nothing up that goes with its merge: they are checked behind the statement.
  join (values
    ('pg_temp.sluice_rows_' || p_number, 'sluice_state = ''w''', 'd.sluice_state is null and d.sluice_deleted',
      sluice._key_condition(p_target, p_key, 'p', 'd'), p_number + 1),
    ('pg_temp.sluice_dropped', 'number = -number', 'd.number = ' || p_number,
      'p.tableoid = d.class and p.ctid = d.place', p_number)
    ) d (deletes, mark, are_live, row_of, first_number) on f.number >= d.first_number
  where p_number > 1 or d.mark = 'sluice_state = ''w'''
$$;

comment on function sluice._wait_sql(integer, integer, integer, oid, text[]) is
  'The statements that mark deletes of a target which have to wait for the merges; null if none ever has to.';
