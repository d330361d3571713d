-- For a repair: rows that were edited since they were written still have the hash of what was written, so the merge
-- would find them unchanged. Without a hash they are rewritten, and by order_by as if they had never been edited.
-- Only rows that the open batch brings, and not those whose edit somebody accepted (sluice.reconcile).
create or replace function sluice._distrust_edited_rows()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v          sluice.compiled;
  v_hash_sql text;
begin
  for v in select * from pg_temp.sluice_targets t order by t.number loop
    if v.fetch_sql is not null then
      perform sluice._fetch_met(v.target, v.fetch_sql);
    end if;
    v_hash_sql := sluice._hash_sql(v.target, v.columns);
    perform sluice._execute_by_index(format($sql$with edited as materialized (
  select s.* from %s s join %s t on %s
  where s.sluice_state is null and not s.sluice_deleted and t.sluice_hash = s.sluice_hash
    and %s is distinct from s.sluice_hash and not %s)
update %s t set sluice_hash = null%s from edited e where %s$sql$,
      v.rows_table::regclass, sluice._met(v.target), sluice._key_condition(v.target, v.key, 't', 's'), v_hash_sql,
      sluice._is_accepted_sql(sluice._qualified_name(v.target), sluice._key_hash(v.target, v.key, 't'), v_hash_sql),
      v.target::regclass, case when v.order_by is not null then format(', %1$I = e.%1$I', v.order_by) else '' end,
      sluice._key_condition(v.target, v.key, 't', 'e')), v.search_path);
  end loop;
end
$$;

comment on function sluice._distrust_edited_rows() is
  'Removes the hash of rows that were edited behind the tool''s back and that the open batch brings again.';
