create or replace function sluice._transform_again(p_ordinals integer[])
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from pg_temp.sluice_known where ordinal = any (p_ordinals);
  perform sluice._transform_records(p_ordinals);
  return (select count(distinct k.row_place) from pg_temp.sluice_known k);
end
$$;

comment on function sluice._transform_again(integer[]) is
$$Transforms records that were taken for known after all; returns how many rows the others have, of which several may
have the same.$$;
