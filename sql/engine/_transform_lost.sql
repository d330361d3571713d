create or replace function sluice._transform_lost(p_ordinals integer[])
returns void
language plpgsql volatile
set search_path = ''
as $$
begin
  delete from pg_temp.sluice_known where ordinal = any (p_ordinals);
  perform sluice._transform_records(p_ordinals);
end
$$;

comment on function sluice._transform_lost(integer[]) is
  'Sends records that were taken for known the long way.';
