-- Old never overwrites new. Within the live stream the merge sees to that: by order_by, or by
-- arrival, as what comes later is newer. What the merge cannot see is decided here, before it.
-- Rows that are left out get state o (older, or made by an older record) or u (perhaps older).
--
--   a key that was deleted   its tombstone holds the order_by value of the record that deleted it
--   guard arrival            replays: what was quarantined came when its batch did. A row that came
--                            later is newer. Whether a row that came earlier has come again since,
--                            unchanged, leaves no trace in it: once a later batch has seen any
--                            unchanged row, nobody can tell any more (u). Nor can it be told within
--                            the batch that quarantined the record, nor of rows of other writers.
--   guard arrival_only       replays that were told to overwrite what may be older, and reloads: o
--                            only. What a batch wrote may be written again from its own payloads.
--   guard backfill           what is read now of a past range may be older than what the live
--                            stream has loaded: it only adds rows that are not there, and
--                            changes those it wrote itself.
--
-- With order_by all of this is about rows and tombstones that are equal in it: those that are not
-- are compared by it, here for tombstones, by the merge for rows.
create or replace function sluice._outdated_sql(p_target oid, p_key text[], p_order_by text, p_guard text, p_has_tombstones boolean)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_order_type text := (select c.type_name from sluice._target_columns(p_target, array[p_order_by]) c);
  v_is_older   text := 'false';
  v_is_tie     text := 'true';
  v_row        text;
  v_tombstone  text;
begin
  if p_has_tombstones and p_order_by is not null then
    v_is_older := format('coalesce(s.%1$I %2$s d.order_value::%3$s, s.%1$I is null and d.order_value is not null)',
      p_order_by, sluice._operator(p_target, p_order_by, 1), v_order_type);
    v_is_tie := format('s.%I is not distinct from d.order_value::%s', p_order_by, v_order_type);
  end if;
  v_tombstone := case when p_has_tombstones then format('select case when %s then ''o'' when not (%s) then null %s end as verdict from sluice.tombstones d%s where d.target = %L and d.key_hash = %s',
    v_is_older, v_is_tie,
    case p_guard
      when 'live' then ''
      when 'backfill' then 'when r.read_by is distinct from $1 then ''o'''
      when 'arrival' then 'when coalesce(r.arrived_at, d.deleted_at) > a.arrived_at then ''o'' when r.arrived_at = a.arrived_at then ''u'''
      else 'when coalesce(r.arrived_at, d.deleted_at) > a.arrived_at then ''o''' end,
    case when p_guard <> 'live' then format(' left join lateral %s r on true', sluice._row_arrival_sql('d.batch_id', 'd.key_hash')) else '' end,
    sluice._qualified_name(p_target), sluice._key_hash(p_target, p_key, 's')) end;
  v_row := case when p_guard <> 'live' then format('select case %s end as verdict from %s where %s and t.sluice_hash is distinct from s.sluice_hash%s',
    case p_guard
      when 'backfill' then 'when r.read_by is distinct from $1 then ''o'''
      when 'arrival' then 'when r.arrived_at > a.arrived_at then ''o'' when r.arrived_at is null or r.arrived_at = a.arrived_at or $2 > a.arrived_at then ''u'''
      else 'when r.arrived_at > a.arrived_at then ''o''' end,
    format('%s t left join lateral %s r on true', p_target::pg_catalog.regclass,
      sluice._row_arrival_sql('t.sluice_batch', sluice._key_hash(p_target, p_key, 's'))),
    sluice._key_condition(p_target, p_key, 't', 's'),
    case when p_order_by is not null then format(' and s.%1$I is not distinct from t.%1$I', p_order_by) else '' end) end;
  return format($sql$update pg_temp.sluice_rows r set sluice_state = v.verdict::"char"
from (
  select s.ctid as place, (select min(x.verdict) from (
    %s) x) as verdict
  from pg_temp.sluice_rows s%s
  where s.sluice_state is null) v
where r.ctid = v.place and v.verdict is not null$sql$,
    concat_ws(E'\n    union all\n    ', v_row, v_tombstone),
    case when p_guard like 'arrival%' then ' join pg_temp.sluice_replayed a on a.ordinal = s.sluice_ordinal' else '' end);
end
$$;

comment on function sluice._outdated_sql(oid, text[], text, text, boolean) is
  'Marks the rows that are older, or perhaps older, than what the target holds or held, where the merge could not tell. $1: the pipeline; $2: when a live batch last saw an unchanged row of the target. p_guard: live, arrival, arrival_only or backfill.';
