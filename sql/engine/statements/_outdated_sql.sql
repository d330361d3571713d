-- Old never overwrites new. Within the live stream the merge sees to that: by order_by, or by
-- arrival, as what comes later is newer. What the merge cannot see is decided here, before it.
-- Rows that are left out get state o (older, or made by an older record) or u (perhaps older).
--
--   a key that was deleted   its tombstone holds the order_by value of the record that deleted it; of one that was
--                            erased and stopped (sluice.erase) whatever comes is left out
--   arrival                  replays: what was quarantined came when its batch did. A row that came
--                            later is newer. Whether a row that came earlier has come again since,
--                            unchanged, leaves no trace in it: once a later batch has seen any
--                            unchanged row, nobody can tell any more (u). Nor can it be told within
--                            the batch that quarantined the record, nor of rows of other writers.
--   arrival_only             replays that were told to overwrite what may be older, and reloads: o
--                            only. What a batch wrote may be written again from its own payloads.
--   backfill                 what is read now of a past range may be older than what the live
--                            stream has loaded: it only adds rows that are not there, and
--                            changes those it wrote itself.
--
-- With order_by all of this is about rows and tombstones that are equal in it: those that are not
-- are compared by it, here for tombstones, by the merge for rows.
create or replace function sluice._outdated_sql(p_target oid, p_key text[], p_columns text[], p_order_by text,
  p_precedence text, p_has_tombstones boolean, p_has_typed boolean, p_rows text, p_has_children boolean)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_key_hash text := sluice._key_hash(p_target, p_key, 's');
  v_compared text := 'false as is_older, false as is_newer';
  v_verdict  text := case p_precedence
    when 'backfill' then $sql$ when o.read_by is distinct from $1 then 'o'$sql$
    when 'arrival' then $sql$ when o.arrived_at > a.arrived_at then 'o'
      when o.arrived_at is null or o.arrived_at = a.arrived_at or o.seen_at > a.arrived_at then 'u'$sql$
    when 'arrival_only' then $sql$ when o.arrived_at > a.arrived_at then 'o'$sql$
    else '' end;
  v_order    text := '';
  v_row      text;
  v_grave    text;
  v_sql      text;
begin
  if p_precedence <> 'live' then
    v_row := format($sql$
      select false as is_final, false as is_older, false as is_newer, r.arrived_at, r.read_by, $2 as seen_at
      from %s t left join lateral %s r on true
      where %s%s%s$sql$,
      p_rows, sluice._row_arrival_sql('t.sluice_batch', v_key_hash),
        sluice._key_condition(p_target, p_key, 't', 's'),
      -- What is the same can have other children.
      case when p_has_children then '' else ' and ' || sluice._differs_sql(p_target) end,
      case when p_order_by is not null then format(' and s.%1$I is not distinct from t.%1$I', p_order_by) else '' end);
  end if;
  if p_has_tombstones then
    if p_order_by is not null then
      -- One that goes by another column says nothing of what is older.
      select format($sql$coalesce(s.%1$I %2$s x.order_value, s.%1$I is null and x.order_value is not null) as is_older,
        coalesce(x.order_value %2$s s.%1$I, x.order_value is null and s.%1$I is not null) as is_newer$sql$,
          p_order_by, sluice._operator(p_target, p_order_by, 1)),
        format($sql$
      cross join lateral (
        select case when d.order_by = any (%L) then d.order_value::%s end as order_value) x$sql$,
          sluice._orders(p_target, p_order_by), c.type_name) into v_compared, v_order
      from sluice._target_columns(p_target, array[p_order_by]) c;
    end if;
    v_grave := format($sql$
      select d.is_final, %s%s
      from sluice.tombstones d%s%s
      where %s$sql$, v_compared,
      case when p_precedence <> 'live' then ', coalesce(r.arrived_at, d.deleted_at), r.read_by, null' else '' end,
      v_order,
      case when p_precedence <> 'live' then format(' left join lateral %s r on true',
        sluice._row_arrival_sql('d.batch_id', v_key_hash)) else '' end,
      sluice._tombstone_condition(p_target, p_key, p_columns, 's', p_has_typed));
  end if;
  v_sql := format($sql$update pg_temp.sluice_rows r set sluice_state = v.verdict::"char"
from (
  select s.ctid as place, (
    select pg_catalog.min(case when o.is_final or o.is_older then 'o' when o.is_newer then null%s end)
    from (%s) o) as verdict
  from pg_temp.sluice_rows s%s
  where s.sluice_state is null) v
where r.ctid = v.place and v.verdict is not null$sql$,
    v_verdict, concat_ws(E'\n      union all', v_row, v_grave),
    case when p_precedence like 'arrival%' then ' join pg_temp.sluice_replayed a on a.ordinal = s.sluice_ordinal'
      else '' end);
  return case when p_has_children then sluice._of_target(v_sql, 1) else v_sql end;
end
$$;

comment on function sluice._outdated_sql is
$$Marks the rows that are older, or perhaps older, than what the target holds or held, where the merge could not
tell. $1: the pipeline; $2: when a live batch last saw an unchanged row of the target. p_precedence: live, arrival,
arrival_only or backfill. p_has_typed: there are tombstones with is_typed. p_rows: where the rows of the target are
looked up, itself or a copy. p_has_children: it is the first of several targets.$$;
