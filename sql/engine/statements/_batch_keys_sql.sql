create or replace function sluice._batch_keys_sql(p_target oid, p_key text[])
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$with places as materialized (
  select t.ctid as row_place, t.xmin as row_xid, %1$s as key_hash from %2$s t
  where t.ctid = any (array(select k.row_place from pg_temp.sluice_known k))),
known as materialized (
  select p.key_hash from pg_temp.sluice_known k join places p on p.row_place = k.row_place and p.row_xid = k.row_xid)
select
  (select pg_catalog.count(*) from known) = (select pg_catalog.count(*) from pg_temp.sluice_known),
  array(
    select %3$s from pg_temp.sluice_rows s where s.sluice_state is distinct from 'f'
    union all
    select k.key_hash from known k)$sql$,
    sluice._key_hash(p_target, p_key, 't'), p_target::pg_catalog.regclass, sluice._key_hash(p_target, p_key, 's'))
$$;

comment on function sluice._batch_keys_sql(oid, text[]) is
  'The keys of all records of the batch that were transformed, those of known records from their rows; and whether all of these rows were found.';
