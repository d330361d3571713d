create or replace function sluice._yield_known(p_matched text, out is_as_before boolean, out rows bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_nestloop = off
set enable_mergejoin = off
as $$
declare
  v_displaced integer[];
begin
  is_as_before := true;
  if not exists (select from pg_temp.sluice_known) or not exists (select from pg_temp.sluice_rows) then
    return;
  end if;
  v_displaced := array(
    select k.ordinal from unnest(sluice._matched_places(p_matched)) place
    join pg_temp.sluice_known k on k.row_place = place);
  if v_displaced <> '{}' then
    is_as_before := false;
    rows := sluice._transform_lost(v_displaced);
  end if;
end
$$;

comment on function sluice._yield_known(text) is
  'Transforms the known records for whose row the batch has another record, as which of the two is newer is decided between their rows. is_as_before: there were none; rows, if there were: how many rows the known records have now.';
