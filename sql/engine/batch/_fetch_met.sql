create or replace function sluice._fetch_met(p_target oid, p_fetch_sql text[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_min_messages = warning
as $$
declare
  v_name  text := 'sluice_met_' || p_target; -- see sluice._met; never the target itself
  v_met   oid  := to_regclass('pg_temp.' || v_name);
  v_fetch text;
  v_holds boolean;
begin
  perform set_config('citus.enable_ddl_propagation', 'off', true);
  if sluice._column_definitions(v_met) is distinct from sluice._column_definitions(p_target) then
    execute format('drop table if exists pg_temp.%I', v_name);
    -- Its indexes are used as those of a target are.
    execute format('create temporary table %I (like %s including indexes) on commit delete rows',
      v_name, p_target::regclass);
  else
    execute format('select exists (select from pg_temp.%I)', v_name) into v_holds;
    if v_holds then
      execute format('truncate pg_temp.%I', v_name);
    end if;
  end if;
  foreach v_fetch in array p_fetch_sql loop
    execute v_fetch;
  end loop;
end
$$;

comment on function sluice._fetch_met(oid, text[]) is
  'Fetches the rows of a distributed target that the open batch may meet, see sluice._met.';

create or replace function sluice._column_definitions(p_table oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(concat_ws(' ', quote_ident(a.attname), a.atttypid, a.atttypmod, a.attcollation, a.attnotnull), ', '
    order by a.attnum)
  from pg_attribute a where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped
$$;
