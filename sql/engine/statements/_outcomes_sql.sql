create or replace function sluice._outcomes_sql(p_target oid, p_key text[], p_order_by text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$create temporary table sluice_outcomes on commit drop as
select s.ctid as place, s.sluice_ordinal as ordinal, k.key_hash,
  pg_catalog.row_number() over (partition by s.sluice_ordinal, k.key_hash order by s.sluice_line) as number, s.sluice_hash as hash, %1$s as key,
  case
    when s.sluice_state = 's' then 'superseded'
    when s.sluice_state in ('o', 'u') then 'stale'
    when t.%2$I is null then case when s.sluice_deleted then 'unchanged' else 'insert' end
    when %3$s then 'stale'
    when s.sluice_deleted then 'delete'
    when t.sluice_hash is distinct from s.sluice_hash then 'update'
    else 'unchanged' end as outcome
from pg_temp.sluice_rows s
cross join lateral (select %4$s as key_hash) k
left join %5$s t on %6$s
where s.sluice_state is distinct from 'f'$sql$,
    sluice._key_json(p_key, 's'), p_key[1], sluice._stale_condition(p_target, p_order_by),
    sluice._key_hash(p_target, p_key, 's'), p_target::pg_catalog.regclass, sluice._key_condition(p_target, p_key, 't', 's'))
$$;

comment on function sluice._outcomes_sql(oid, text[], text) is
  'What the rows of the open batch would come to in the target as it is now: a table of one line a row, with the place in sluice_rows.';
