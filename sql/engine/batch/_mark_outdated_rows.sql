create or replace function sluice._mark_outdated_rows()
returns bigint
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
  v_marked         bigint;
begin
  select b.pipeline_id, b.precedence, c.target, c.key, c.order_by into v_batch
  from pg_temp.sluice_batch b, pg_temp.sluice_compiled c;
  v_target := sluice._qualified_name(v_batch.target);
  v_has_tombstones := (v_batch.precedence <> 'live' or v_batch.order_by is not null)
    and exists (select from sluice.tombstones d where d.target = v_target);
  if v_batch.precedence = 'live' and not v_has_tombstones then
    return 0;
  end if;
  if v_batch.precedence <> 'live' then
    perform sluice._note_replayed_keys(v_batch.target);
  end if;
  execute sluice._outdated_sql(v_batch.target, v_batch.key, v_batch.order_by, v_batch.precedence, v_has_tombstones)
    using v_batch.pipeline_id, (
      select max(b.committed_at - make_interval(case when p.backfill_of is null then 0 else 1000 end))
      from sluice.batches b join sluice.pipelines p using (pipeline_id)
      where p.target = v_target and b.kind = 'load' and b.unchanged > 0 and v_batch.precedence = 'arrival');
  select count(*) into v_marked from pg_temp.sluice_rows where sluice_state in ('o', 'u');
  return v_marked;
end
$$;

comment on function sluice._mark_outdated_rows() is
$$Leaves rows out of the merge that must not overwrite or bring back newer ones (see _outdated_sql); returns how many in
all.$$;
