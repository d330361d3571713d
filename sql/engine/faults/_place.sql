create or replace function sluice._place()
returns bigint
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select case when is_called then last_value else 0 end from pg_temp.sluice_place
$$;

comment on function sluice._place() is
  'How many places a trial noted before it raised.';
