create or replace function sluice._count_sql(p_target oid, p_key text[], p_order_by text)
returns text
language sql stable
set search_path = ''
as $$
  select format($sql$select
  pg_catalog.count(*) filter (where action = 'insert')    as inserted,
  pg_catalog.count(*) filter (where action = 'update')    as updated,
  pg_catalog.count(*) filter (where action = 'delete')    as deleted,
  pg_catalog.count(*) filter (where action = 'unchanged') as unchanged,
  pg_catalog.count(*) filter (where action = 'stale')     as stale
from (
  select case
    when t.%1$I is null and s.sluice_deleted then 'unchanged'
    when t.%1$I is null then 'insert'
    when %2$s then 'stale'
    when s.sluice_deleted then 'delete'
    when t.sluice_hash is distinct from s.sluice_hash then 'update'
    else 'unchanged' end as action
  from pg_temp.sluice_rows s
  left join %3$s t on %4$s
  where s.sluice_state is null) actions$sql$,
    p_key[1], sluice._stale_condition(p_target, p_order_by), p_target::pg_catalog.regclass,
    sluice._key_condition(p_target, p_key, 't', 's'))
$$;

comment on function sluice._count_sql(oid, text[], text) is
  'What the merge is about to do, counted beforehand: the books the merge is then held to.';
