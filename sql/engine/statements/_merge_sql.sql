-- The statements that write. insert_sql is what the merge comes to when all rows are new, which overlap_sql tells;
-- it is null where a trigger could tell the two apart. trial_merge_sql takes the records trial_first to trial_last of
-- sluice_batch, and notes in sluice_place which it is at. bury_sql and revive_sql keep the tombstones: one for every
-- key the batch deleted, also of those that never were there, as their rows may still be on the way; none for those it
-- brought.
create or replace function sluice._merge_sql(
  p_target oid, p_columns text[], p_key text[], p_order_by text, p_has_deleted boolean, p_has_children boolean,
  out overlap_sql text, out insert_sql text, out merge_sql text, out trial_merge_sql text, out revive_sql text,
  out bury_sql text, out is_in_any_order boolean)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_target  text := p_target::regclass;
  v_batch   text := '(select b.batch_id from pg_temp.sluice_batch b)';
  v_same    text := sluice._key_condition(p_target, p_key, 't', 's');
  v_columns text := sluice._column_list(p_columns);
  v_values  text := sluice._column_list(p_columns, 's');
  -- If equal keys can be written in two ways, as with citext and numeric, the row takes the last one.
  v_changes text := (
    select string_agg(format('%1$I = s.%1$I, ', c), '' order by n) from unnest(p_columns) with ordinality x (c, n)
    where c <> all (p_key) or sluice._may_be_written_otherwise(p_target, c));
  v_identity text := case when exists (
    select from pg_attribute a where a.attrelid = p_target and a.attname = any (p_columns) and a.attidentity = 'a')
    then ' overriding system value' else '' end;
  v_order   text;
  v_actions text;
begin
  -- If the order of rows can make a difference, they are merged in that of their records: a table is read in the
  -- order of its pages, and a small row may find room on an earlier one.
  is_in_any_order :=
    (select count(*) < 2 from pg_index i where i.indrelid = p_target and (i.indisunique or i.indisexclusion))
    and not exists (select from pg_trigger t where t.tgrelid = p_target and not t.tgisinternal)
    and not exists (select from pg_constraint c where c.conrelid = p_target and c.confrelid = p_target);
  v_order := case when is_in_any_order then '' else ' order by sluice_ordinal, sluice_line' end;

  overlap_sql := sluice._overlap_sql(p_target, p_key);
  -- A merge fires the statement triggers of every action it names, taken or not.
  if not exists (
    select from pg_trigger t where t.tgrelid = p_target and not t.tgisinternal and t.tgtype & 1 = 0) then
    insert_sql := format($sql$insert into %s (%s, sluice_hash, sluice_batch)%s
select %s, s.sluice_hash, %s
from pg_temp.sluice_rows s where s.sluice_state is null%s$sql$,
      v_target, v_columns, v_identity, v_values, v_batch, v_order);
  end if;

  select string_agg(format('when %s%s then%s', case when r.is_matched then 'matched' else 'not matched' end,
      ' and ' || r.condition, case r.outcome
        when 'insert' then format(E'\n  insert (%s, sluice_hash, sluice_batch)%s\n  values (%s, s.sluice_hash, %s)',
          v_columns, v_identity, v_values, v_batch)
        when 'update' then
          format(E'\n  update set %ssluice_hash = s.sluice_hash, sluice_batch = %s', v_changes, v_batch)
        when 'delete' then ' delete'
        else ' do nothing' end), E'\n' order by r.is_matched desc, r.place) into v_actions
  from sluice._row_outcomes(p_target, p_order_by, p_has_deleted, p_has_children) r
  where r.condition is not null or r.outcome <> 'unchanged'; -- which is what a merge does anyway
  merge_sql := format($sql$merge into %s as t
using (select * from pg_temp.sluice_rows where sluice_state is null%s) as s
on %s
%s$sql$, v_target, v_order, v_same, v_actions);
  trial_merge_sql := format($sql$merge into %s as t
using (
  select pg_catalog.setval('pg_temp.sluice_place', r.sluice_ordinal + 1) as sluice_place, r.*
  from (
    select * from pg_temp.sluice_rows where sluice_state is null and sluice_ordinal between
      (select b.trial_first from pg_temp.sluice_batch b) and (select b.trial_last from pg_temp.sluice_batch b)%s) r
  offset 0) as s
on %s
%s$sql$, v_target, v_order, v_same, v_actions);

  if sluice._is_distributed(p_target) then
    merge_sql := sluice._distributed_merge_sql(p_target, p_columns, p_key, p_order_by, p_has_deleted, p_has_children,
      'select * from pg_temp.sluice_rows where sluice_state is null');
    -- Not by a subquery in it, which Citus may run in another session.
    trial_merge_sql := sluice._distributed_merge_sql(p_target, p_columns, p_key, p_order_by, p_has_deleted,
      p_has_children, 'select r.* from pg_temp.sluice_rows r join pg_temp.sluice_batch b on r.sluice_ordinal between '
        'b.trial_first and b.trial_last where r.sluice_state is null');
  end if;

  revive_sql := format($sql$delete from sluice.tombstones d using pg_temp.sluice_rows s
where %s and s.sluice_state is null and not s.sluice_deleted$sql$,
    sluice._tombstone_condition(p_target, p_key, p_columns, 's'));
  if p_has_deleted then
    bury_sql := sluice._tombstone_sql(p_target, p_order_by, format($sql$
  select %s
  from pg_temp.sluice_rows s
  left join %s t on %s
  where s.sluice_state is null and s.sluice_deleted and t.%I is null$sql$,
      sluice._buried_columns(p_target, p_key, p_order_by, 's'), sluice._met(p_target), v_same, p_key[1]), v_batch);
  end if;
end
$$;

comment on function sluice._merge_sql(oid, text[], text[], text, boolean, boolean) is
  'The statements by which a batch changes its target and the tombstones, of which revive_sql comes first.';

-- How many rows the batch has, and whether the target has any between their least and greatest key, or the batch has
-- one that deletes. If neither, all rows of the batch are new: for growing keys, as most are, one look into the index
-- tells, instead of one for each row. By the column that the key's index is sorted by.
create or replace function sluice._overlap_sql(p_target oid, p_key text[])
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- plpgsql keeps the plan.
begin
  return (select format($sql$select b.rows, b.deletes or exists (
  select 1 from %1$s t where t.%2$I %3$s b.least and t.%2$I %4$s b.greatest) as overlaps
from (
  select pg_catalog.count(*) as rows, pg_catalog.bool_or(r.sluice_deleted) as deletes, %5$s
  from pg_temp.sluice_rows r where r.sluice_state is null) b$sql$,
    sluice._met(p_target), a.attname,
    sluice._operator(p_target, a.attname::text, 4), sluice._operator(p_target, a.attname::text, 2),
    case when exists (
      select from pg_proc p join pg_aggregate g on g.aggfnoid = p.oid
      where p.pronamespace = 'pg_catalog'::regnamespace and p.proname = 'min' and p.proargtypes[0] = a.atttypid)
      then format('pg_catalog.min(r.%1$I) as least, pg_catalog.max(r.%1$I) as greatest', a.attname)
      else format($sql$
    (select r.%1$I from pg_temp.sluice_rows r where r.sluice_state is null order by r.%1$I limit 1) as least,
    (select r.%1$I from pg_temp.sluice_rows r where r.sluice_state is null order by r.%1$I desc limit 1)
      as greatest$sql$, a.attname) end)
  from pg_index i
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  where i.indrelid = p_target and i.indisunique and i.indisvalid and i.indpred is null and a.attname = any (p_key)
    and i.indnkeyatts = cardinality(p_key)
  order by i.indexrelid limit 1);
end
$$;
