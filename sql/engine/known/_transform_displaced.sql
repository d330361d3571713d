create or replace function sluice._transform_displaced()
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_nestloop = off
set enable_mergejoin = off
as $$
declare
  v_matched   tid[];
  v_displaced integer[];
begin
  if not exists (select from pg_temp.sluice_known) or not exists (select from pg_temp.sluice_rows) then
    return null;
  end if;
  perform sluice._plan_by_index('sluice_matched', c.matched_sql) from pg_temp.sluice_compiled c;
  execute 'execute sluice_matched' into v_matched;
  v_displaced := array(
    select k.ordinal from unnest(v_matched) place join pg_temp.sluice_known k on k.row_place = place);
  return case when v_displaced <> '{}' then sluice._transform_again(v_displaced) end;
end
$$;

comment on function sluice._transform_displaced() is
$$Transforms the known records for whose row the batch has another record, as which of the two is newer is decided
between their rows. Returns how many rows the known records have then, null when there were none to transform.$$;
