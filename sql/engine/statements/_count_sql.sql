create or replace function sluice._count_sql(p_target oid, p_key text[], p_order_by text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$select
  pg_catalog.count(*) filter (where action = 1) as inserted,
  pg_catalog.count(*) filter (where action = 2) as updated,
  pg_catalog.count(*) filter (where action = 3) as deleted,
  pg_catalog.count(*) filter (where action = 0) as unchanged,
  pg_catalog.count(*) filter (where action = 4) as stale
from (
  select case
    when t.%1$I is null then case when s.sluice_deleted then 0 else 1 end
    when %2$s then 4
    when s.sluice_deleted then 3
    when t.sluice_hash is distinct from s.sluice_hash then 2
    else 0 end as action
  from pg_temp.sluice_rows s
  left join %3$s t on %4$s
  where s.sluice_state is null) actions$sql$,
    p_key[1], sluice._stale_condition(p_target, p_order_by), p_target::pg_catalog.regclass,
    sluice._key_condition(p_target, p_key, 't', 's'))
$$;

comment on function sluice._count_sql(oid, text[], text) is
  'What the merge is about to do, counted beforehand: the books the merge is then held to.';
