-- Statements that deal with known payloads, whose rows are told by their place in the target:
-- matched_sql      where rows of the batch will meet rows of the target
-- remember_sql     after the merge: the payloads that made one row which stands, known before or not
-- batch_keys_sql   the keys of all records that were transformed, those of known records from their rows; and
--                  whether all of these rows were found
create or replace function sluice._known_sql(
  p_target oid, p_key text[], p_order_by text, out matched_sql text, out remember_sql text, out batch_keys_sql text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_same text := sluice._key_condition(p_target, p_key, 't', 's');
begin
  matched_sql := format($sql$select pg_catalog.array_agg(t.ctid)
from pg_temp.sluice_rows s join %s t on %s
where s.sluice_state is distinct from 'f'$sql$, p_target::regclass, v_same);

  remember_sql := format($sql$select pg_catalog.array_agg(digest order by ordinal),
  pg_catalog.array_agg(row_place order by ordinal), pg_catalog.array_agg(row_xid order by ordinal)
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
    p_target::regclass, v_same, sluice._stale_condition(p_target, p_order_by));

  batch_keys_sql := format($sql$with places as materialized (
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
    sluice._key_hash(p_target, p_key, 't'), sluice._met(p_target), sluice._key_hash(p_target, p_key, 's'));
end
$$;

comment on function sluice._known_sql(oid, text[], text) is
  'The statements of a version about payloads that need not be parsed again.';
