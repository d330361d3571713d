create or replace function sluice._remember_sql(p_target oid, p_key text[], p_order_by text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$select pg_catalog.array_agg(digest order by ordinal), pg_catalog.array_agg(row_place order by ordinal), pg_catalog.array_agg(row_xid order by ordinal)
from (
  select distinct on (digest) * from (
    select s.sluice_ordinal as ordinal, s.sluice_digest as digest, t.ctid as row_place, t.xmin as row_xid
    from (
      select r.*, pg_catalog.count(*) over (partition by r.sluice_ordinal) as row_count
      from pg_temp.sluice_rows r where r.sluice_state is distinct from 'f') s
    join %s t on %s and t.sluice_hash = s.sluice_hash
    where s.sluice_state is null and s.row_count = 1 and s.sluice_digest is not null and not %s
    union all
    select ordinal, digest, row_place, row_xid from pg_temp.sluice_known) made) once$sql$,
    p_target::pg_catalog.regclass, sluice._key_condition(p_target, p_key, 't', 's'),
    sluice._stale_condition(p_target, p_order_by))
$$;

comment on function sluice._remember_sql(oid, text[], text) is
  'The payloads of the batch that made one row which stands after the merge, known before or not.';
