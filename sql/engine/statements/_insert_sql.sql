create or replace function sluice._insert_sql(p_target oid, p_columns text[])
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with names as (
    select string_agg(format('%I', column_name), ', ') as columns
    from sluice._target_columns(p_target, p_columns))
  select format(E'insert into %1$s (%2$s, sluice_hash, sluice_batch)%3$s\nselect %2$s, sluice_hash, (select b.batch_id from pg_temp.sluice_batch b)\nfrom pg_temp.sluice_rows where sluice_state is null%4$s',
    p_target::pg_catalog.regclass, names.columns, sluice._overriding_clause(p_target, p_columns), sluice._merge_order(p_target))
  from names
  -- A merge fires the statement triggers of every action it names, taken or not.
  where not exists (
    select from pg_catalog.pg_trigger t where t.tgrelid = p_target and not t.tgisinternal and t.tgtype & 1 = 0)
$$;

comment on function sluice._insert_sql(oid, text[]) is
  'What the merge of a batch comes to when all of its rows are new: null where a trigger could tell the two apart.';
