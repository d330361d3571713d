create or replace function sluice._capture_changes(p_batch_id bigint)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wanted   record := sluice._changes_wanted();
  v_compiled record;
begin
  if not v_wanted.is_asked then
    return;
  end if;
  select c.target, c.columns, c.key, c.order_by into v_compiled from pg_temp.sluice_compiled c;
  execute sluice._changes_sql(v_compiled.target, v_compiled.columns, v_compiled.key, v_compiled.order_by) using p_batch_id, v_wanted.most;
end
$$;

comment on function sluice._capture_changes(bigint) is
  'Notes in sluice_changes what the merge is about to change, if capture_changes asked for it in this transaction.';
