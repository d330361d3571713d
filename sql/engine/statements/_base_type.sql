create or replace function sluice._base_type(p_type oid, p_typmod integer, out base_type oid, out base_typmod integer)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_type pg_type;
begin
  base_type := p_type;
  base_typmod := p_typmod;
  loop
    select * into v_type from pg_type where oid = base_type;
    exit when v_type.typtype <> 'd';
    base_type := v_type.typbasetype;
    base_typmod := v_type.typtypmod;
  end loop;
end
$$;

comment on function sluice._base_type(oid, integer) is
  'The type and type modifier under any number of domains.';
