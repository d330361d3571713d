-- The rows of a further target are children: each belongs to a row of the first target, its parent, which the same
-- record makes. What becomes of the parent decides about them, so that what is newer is decided once.
--
--   orphans_sql   records that make a child without its parent: faults; $1: only these ordinals, null for all
--   follow_sql    children of a parent that is superseded, outdated or deleted are so, too
--   fetch_sql     children of the batch's parents, from a distributed target
--   dropped_sql   notes in sluice_dropped the rows of the target that their parent no longer has: with children =>
--                 'replace' all that the batch does not make, else those it makes of a parent that it deletes.
--                 $1, $2: only of records from and to these ordinals, as if there were no others; null for all
--   drop_sql      deletes those
--   touch_sql     marks the parents whose children the batch changes, those that a child moves away from included: they
--                 are written, too, and so name the batch by which all that belongs to them is as it is
--
-- Look-ups in the target are behind "offset 0", so that they go by index, and the rest by hash, see _execute_by_hash.
create or replace function sluice._children_sql(
  p_number integer, p_first oid, p_first_key text[], p_target oid, p_key text[], p_parent text[], p_children text,
  out orphans_sql text, out follow_sql text, out fetch_sql text, out dropped_sql text, out drop_sql text,
  out touch_sql text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_rows    text := 'pg_temp.sluice_rows_' || p_number;
  v_of_same text := 'p.sluice_ordinal operator(pg_catalog.=) c.sluice_ordinal and '
    || sluice._parent_condition(p_first, p_first_key, p_parent, 'c');
begin
  orphans_sql := format($sql$insert into pg_temp.sluice_faults (ordinal, sqlstate, message)
select distinct c.sluice_ordinal, 'SL100', %L
from %s c
where c.sluice_state is null and ($1 is null or c.sluice_ordinal = any ($1))
  and not exists (select from pg_temp.sluice_rows_1 p where %s)
on conflict (ordinal) do nothing$sql$,
    format('a row of %s without its parent: the record makes no row of %s with this %s',
      p_target::regclass, p_first::regclass, array_to_string(p_parent, ', ')),
    v_rows, v_of_same);

  follow_sql := format($sql$update %1$s r set sluice_state = v.state, sluice_deleted = r.sluice_deleted or v.is_deleted
from (
  select c.ctid as place,
    coalesce(pg_catalog.bool_or(p.sluice_state is null and p.sluice_deleted), false) as is_deleted,
    case when pg_catalog.bool_and(p.sluice_state is not null) then pg_catalog.min(p.sluice_state::pg_catalog.text)
      end::"char" as state
  from %1$s c join pg_temp.sluice_rows_1 p on %2$s
  where c.sluice_state is null
  group by c.ctid) v
where r.ctid = v.place and (v.state is not null or v.is_deleted and not r.sluice_deleted)$sql$, v_rows, v_of_same);

  dropped_sql := format($sql$insert into pg_temp.sluice_dropped (number, class, place, parent)
select %1$s, t.class, t.place, p.ctid
from pg_temp.sluice_rows_1 p
cross join lateral (select t.tableoid as class, t.ctid as place, %2$s from %3$s t where %4$s offset 0) t
where p.sluice_state is null and ($1 is null or p.sluice_ordinal between $1 and $2)
  and %5$s (
    select from %6$s s where s.sluice_state is null and %8$s
      and (s.sluice_deleted or s.sluice_ordinal not between $1 and $2) is %7$s true)$sql$,
    p_number, sluice._column_list(p_key, 't'), sluice._met(p_target),
    sluice._parent_condition(p_first, p_first_key, p_parent, 't'),
    case p_children when 'replace' then 'not exists' else 'p.sluice_deleted and exists' end, v_rows,
    case p_children when 'replace' then 'not' else '' end, sluice._key_condition(p_target, p_key, 't', 's'));

  drop_sql := sluice._drop_sql(p_target, p_key, p_number);
  if p_children = 'replace' then
    fetch_sql := sluice._fetch_sql(p_target, p_key,
      format('select distinct %s from pg_temp.sluice_rows_1 where sluice_state is null',
        sluice._column_list(p_first_key)),
      sluice._parent_condition(p_first, p_first_key, p_parent, 't', 's'));
  end if;

  touch_sql := format($sql$update pg_temp.sluice_rows_1 p set sluice_is_touched = true
from (
  select distinct o.*
  from %1$s s
  left join lateral (
    select t.sluice_hash, t.sluice_batch, true as is_there, %2$s from %3$s t where %4$s offset 0) t on true
  cross join lateral (select %5$s union all select %2$s where t.is_there) o
  where s.sluice_state is null and case when t.is_there then s.sluice_deleted or %6$s else not s.sluice_deleted end) c
where p.sluice_state is null and %7$s$sql$,
    v_rows, sluice._column_list(p_parent, 't'), sluice._met(p_target), sluice._key_condition(p_target, p_key, 't', 's'),
    sluice._column_list(p_parent, 's'), sluice._differs_sql(p_target),
    sluice._parent_condition(p_first, p_first_key, p_parent, 'c'));
end
$$;

comment on function sluice._children_sql(integer, oid, text[], oid, text[], text[], text) is
  'The statements by which the rows of a further target follow those of the first, p_first with p_first_key.';

-- Whether a row of the first target, p_alias, is the parent of p_child.
create or replace function sluice._parent_condition(
  p_first oid, p_first_key text[], p_parent text[], p_child text, p_alias text default 'p')
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(format('%s.%I %s %s.%I', p_alias, k.of_first, sluice._operator(p_first, k.of_first, 3), p_child,
      k.of_child),
    ' and ' order by k.n)
  from unnest(p_first_key, p_parent) with ordinality as k (of_first, of_child, n)
$$;

-- Deletes the rows of sluice_dropped, of a distributed target by their key.
create or replace function sluice._drop_sql(p_target oid, p_key text[], p_number integer)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format(E'with dropped as (\n  delete from %s t using %s\n  returning 1)\n'
    'select pg_catalog.count(*) from dropped', p_target::regclass, case when sluice._is_distributed(p_target)
      then format($sql$(
    select m.* from %s m join pg_temp.sluice_dropped d on m.tableoid = d.class and m.ctid = d.place
    where d.number = %s) s
  where %s$sql$, sluice._met(p_target), p_number, sluice._key_condition(p_target, p_key, 't', 's'))
      else format($sql$pg_temp.sluice_dropped d
  where d.number = %s and t.tableoid = d.class and t.ctid = d.place$sql$, p_number) end)
$$;

-- Parents that the batch may not overwrite, as the target has a newer one by order_by, are outdated before the merge
-- sees them: their children have to know.
create or replace function sluice._older_sql(p_target oid, p_key text[], p_order_by text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$update pg_temp.sluice_rows_1 set sluice_state = 'o'
where ctid = any (array(
  select s.ctid from pg_temp.sluice_rows_1 s
  cross join lateral (select t.%I from %s t where %s offset 0) t
  where s.sluice_state is null and %s))$sql$,
    p_order_by, sluice._met(p_target), sluice._key_condition(p_target, p_key, 't', 's'),
    sluice._stale_condition(p_target, p_order_by))
  where p_order_by is not null
$$;
