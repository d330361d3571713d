-- Behind the merges: the deletes that waited for them, the last target first, by the statements that ran before. What
-- these have merged is set aside meanwhile.
create or replace function sluice._delete_waiting(
  p_target sluice.compiled, p_is_exact boolean, out deleted bigint, out dropped bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_batch record;
begin
  select b.pipeline_id, b.batch_id into v_batch from pg_temp.sluice_batch b;
  deleted := 0;
  perform sluice._take_up_dropped(p_target.number);
  dropped := sluice._drop_found(p_target, v_batch.pipeline_id, v_batch.batch_id);
  if sluice._take_up_rows(p_target.rows_table) then
    deleted := ((sluice._merge_target(p_target, p_is_exact)).book).deleted;
    update pg_temp.sluice_rows r set sluice_state = null
    where r.tableoid = p_target.rows_table and r.sluice_state = 'm';
  end if;
end
$$;

comment on function sluice._delete_waiting(sluice.compiled, boolean) is
$$The deletes of a target that waited for the merges: deleted by rows of the batch, and dropped as their parent does not
have them any more. p_is_exact: see _execute_merge.$$;

create or replace function sluice._take_up_dropped(p_number integer)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from pg_temp.sluice_dropped d where d.number = p_number;
  update pg_temp.sluice_dropped d set number = p_number where d.number = -p_number;
end
$$;

-- Returns whether there are any.
create or replace function sluice._take_up_rows(p_rows_table oid)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from pg_temp.sluice_rows r where r.tableoid = p_rows_table and r.sluice_state = 'w') then
    return false;
  end if;
  update pg_temp.sluice_rows r set sluice_state = case when r.sluice_state is null then 'm'::"char" end
  where r.tableoid = p_rows_table and (r.sluice_state is null or r.sluice_state = 'w');
  return true;
end
$$;
