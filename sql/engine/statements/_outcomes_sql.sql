-- What will happen to each row of a batch, before it does: the merge is held to these numbers (count_sql), dry runs
-- show these changes, and versions are compared by these outcomes (outcomes_sql).
create or replace function sluice._outcomes_sql(
  p_target oid, p_columns text[], p_key text[], p_order_by text, p_only sluice.pipelines, p_has_children boolean,
  out count_sql text, out outcomes_sql text, out outbox_sql text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_outcome text := $sql$case
    when s.sluice_state = 's' then 'superseded'
    when s.sluice_state = 'o' then 'stale'
    when s.sluice_state = 'u' then 'unsure'$sql$ || (
      select string_agg(E'\n    ' || coalesce('when ' || nullif(concat_ws(' and ', case when not r.is_matched
          then format('t.%I is null', p_key[1]) end, r.condition), '') || ' then', 'else') || format(' %L', r.outcome),
        '' order by r.place)
      from sluice._row_outcomes(p_target, p_order_by, true, p_has_children) r) || ' end';
  v_from    text := format(E'from pg_temp.sluice_rows s\nleft join %s t on %s',
    sluice._met(p_target), sluice._key_condition(p_target, p_key, 't', 's'));
begin
  count_sql := format($sql$select
  pg_catalog.count(*) filter (where o.outcome = 'insert') as inserted,
  pg_catalog.count(*) filter (where o.outcome = 'update') as updated,
  pg_catalog.count(*) filter (where o.outcome = 'delete') as deleted,
  pg_catalog.count(*) filter (where o.outcome = 'unchanged') as unchanged,
  pg_catalog.count(*) filter (where o.outcome = 'stale') as stale
from (
  select %s as outcome
  %s
  where s.sluice_state is null) o$sql$, v_outcome, v_from);

  if p_only.deliver is not null then
    outbox_sql := sluice._outbox_sql(p_target, p_columns, p_key, v_outcome, v_from, p_only);
  end if;

  -- json, not jsonb, which would not keep the order of the columns.
  select format($sql$select s.sluice_state as state, s.sluice_ordinal as ordinal, s.sluice_line as line,
    s.sluice_hash as hash,
  %s as key,
  %s as key_hash,
  %s as outcome,
  (select pg_catalog.json_object_agg(c.name, pg_catalog.json_build_array(c.old, c.new))
   from (values
     %s) c (name, old, new)
   where c.old is distinct from c.new) as changes
%s$sql$,
      sluice._key_json(p_key, 's'), sluice._key_hash(p_target, p_key, 's'), v_outcome,
      string_agg(format($sql$(
       %1$L, pg_catalog.to_jsonb(t.%1$I), case when not s.sluice_deleted then pg_catalog.to_jsonb(s.%1$I) end)$sql$,
        c), E',\n     '), v_from)
    into outcomes_sql
  from unnest(p_columns) c;
end
$$;

comment on function sluice._outcomes_sql(oid, text[], text[], text, sluice.pipelines, boolean) is
$$What the rows of the batch would come to in the target as it is now, counted; and for each row, with the cells
it would change: {"amount": [old, new], ...}; and where its rows are delivered, what goes into the outbox. p_only: the
pipeline as if the target were its only one.$$;

-- What becomes of a row s of the batch that is still in it, said once for the merge, its numbers and dry runs. For a
-- key that is in the target (is_matched, as t) or is not, the first whose condition holds. p_has_children: see
-- _children_sql.
create or replace function sluice._row_outcomes(
  p_target oid, p_order_by text, p_has_deleted boolean, p_has_children boolean)
returns table (place integer, is_matched boolean, condition text, outcome text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select r.place, r.is_matched, r.condition, r.outcome
  from (values
    (1, false, 's.sluice_deleted', 'unchanged', p_has_deleted),
    (2, false, null, 'insert', true),
    (3, true, sluice._stale_condition(p_target, p_order_by), 'stale', p_order_by is not null),
    (4, true, 's.sluice_deleted', 'delete', p_has_deleted),
    (5, true, 's.sluice_is_touched', 'update', p_has_children),
    (6, true, sluice._differs_sql(p_target), 'update', true),
    (7, true, null, 'unchanged', true)) r (place, is_matched, condition, outcome, is_possible)
  where r.is_possible
$$;
