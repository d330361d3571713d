create or replace function sluice._look_up_known(p_is_sample boolean, out lost integer[], out standing bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_nestloop = off
set enable_mergejoin = off
set jit = off
as $$
begin
  execute format($sql$with known as materialized (
  select ordinal, row_place, row_xid from pg_temp.sluice_known %s),
standing as materialized (
  select t.ctid as row_place, t.xmin as row_xid from %s t where t.ctid = any (array(select row_place from known)))
select
  array(
    select k.ordinal from known k left join standing s on s.row_place = k.row_place and s.row_xid = k.row_xid
    where s.row_place is null),
  (select count(*) from standing)$sql$,
    case when p_is_sample then 'tablesample system (5)' end, (select c.target::regclass from pg_temp.sluice_compiled c))
    into lost, standing;
end
$$;

comment on function sluice._look_up_known(boolean) is
$$Looks at the row versions of known records in the target. lost: the records whose version is not there; standing:
rows found in their places, one for each place. p_is_sample: looks at some of them only.$$;
