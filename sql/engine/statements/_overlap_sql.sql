create or replace function sluice._overlap_sql(p_target oid, p_key text[])
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$select exists (select from pg_temp.sluice_rows where sluice_state is null and sluice_deleted)
  or exists (
    select from %1$s t
    where t.%2$I %3$s (select r.%2$I from pg_temp.sluice_rows r where r.sluice_state is null order by r.%2$I limit 1)
      and t.%2$I %4$s (select r.%2$I from pg_temp.sluice_rows r where r.sluice_state is null order by r.%2$I desc limit 1))$sql$,
    p_target::pg_catalog.regclass, first.name, sluice._operator(p_target, first.name, 4), sluice._operator(p_target, first.name, 2))
  from (
    -- The column by which the key's index is sorted.
    select a.attname::text as name
    from pg_catalog.pg_index i
    join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where i.indrelid = p_target and i.indisunique and i.indisvalid and i.indpred is null and a.attname = any (p_key)
      and i.indnkeyatts = cardinality(p_key)
    order by i.indexrelid limit 1) first
$$;

comment on function sluice._overlap_sql(oid, text[]) is
  'Whether the target has any row between the least and the greatest key of the batch, or the batch a row that deletes. Where it has none, all rows of the batch are new: keys that grow, as most do, are told by one look into the index instead of one for each row.';
