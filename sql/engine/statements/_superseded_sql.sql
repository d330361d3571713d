create or replace function sluice._superseded_sql(p_target oid, p_key text[], p_order_by text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$update pg_temp.sluice_rows set sluice_state = 's'
where ctid = any (array(
  select d.row_id from (
    select r.ctid as row_id, pg_catalog.row_number() over (partition by %1$s order by %2$sr.sluice_ordinal desc, r.sluice_line desc) as place
    from pg_temp.sluice_rows r
    where r.sluice_state is null and exists (
      select from (
        select %1$s from pg_temp.sluice_rows where sluice_state is null group by %1$s having pg_catalog.count(*) > 1) g
      where %3$s)) d
  where d.place > 1))$sql$,
    (select string_agg(quote_ident(k), ', ' order by n) from unnest(p_key) with ordinality as keys (k, n)),
    case when p_order_by is not null then format('r.%I desc nulls last, ', p_order_by) else '' end,
    sluice._key_condition(p_target, p_key, 'g', 'r'))
$$;

comment on function sluice._superseded_sql(oid, text[], text) is
  'Marks all but the newest row of each key in the batch: by order_by, then by arrival.';
