create or replace function sluice._merge_order(p_target oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- A table is read in the order of its pages, and a small row may find room on an earlier one.
  select case when
    (select count(*) > 1 from pg_catalog.pg_index i where i.indrelid = p_target and (i.indisunique or i.indisexclusion))
    or exists (select from pg_catalog.pg_trigger t where t.tgrelid = p_target and not t.tgisinternal)
    or exists (select from pg_catalog.pg_constraint c where c.conrelid = p_target and c.confrelid = p_target)
    then ' order by sluice_ordinal, sluice_line' else '' end
$$;

comment on function sluice._merge_order(oid) is
  'The clause by which rows are merged in the order of their records, where that can make a difference: another unique or exclusion constraint, triggers, a reference to the table itself.';
