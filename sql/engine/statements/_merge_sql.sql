create or replace function sluice._merge_sql(p_target oid, p_columns text[], p_key text[], p_order_by text, p_has_deleted boolean, p_is_trial boolean)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with names as (
    select
      string_agg(format('%I', column_name), ', ') as columns,
      string_agg(format('s.%I', column_name), ', ') as sources,
      coalesce(string_agg(format('%1$I = s.%1$I', column_name), ', ') filter (where column_name <> all (p_key)) || ', ', '') as assignments
    from sluice._target_columns(p_target, p_columns))
  select format(E'merge into %s as t\nusing %s as s\non %s', p_target::pg_catalog.regclass,
      case when p_is_trial
        then E'(\n  select pg_catalog.nextval(''pg_temp.sluice_place'') as sluice_place, r.*\n  from (\n    select * from pg_temp.sluice_rows where sluice_state is null and sluice_ordinal between\n      (select b.trial_first from pg_temp.sluice_batch b) and (select b.trial_last from pg_temp.sluice_batch b)' || sluice._merge_order(p_target) || ') r offset 0)'
        else '(select * from pg_temp.sluice_rows where sluice_state is null' || sluice._merge_order(p_target) || ')' end,
      sluice._key_condition(p_target, p_key, 't', 's'))
    || case when p_order_by is not null then format(E'\nwhen matched and %s then do nothing', sluice._stale_condition(p_target, p_order_by)) else '' end
    || case when p_has_deleted then E'\nwhen matched and s.sluice_deleted then delete' else '' end
    || format(E'\nwhen matched and t.sluice_hash is distinct from s.sluice_hash then\n  update set %ssluice_hash = s.sluice_hash, sluice_batch = (select b.batch_id from pg_temp.sluice_batch b)', names.assignments)
    || case when p_has_deleted then E'\nwhen not matched and s.sluice_deleted then do nothing' else '' end
    || format(E'\nwhen not matched then\n  insert (%s, sluice_hash, sluice_batch)%s\n  values (%s, s.sluice_hash, (select b.batch_id from pg_temp.sluice_batch b))', names.columns,
      sluice._overriding_clause(p_target, p_columns),
      names.sources)
  from names
$$;

comment on function sluice._merge_sql(oid, text[], text[], text, boolean, boolean) is
  'The merge of a batch. As a trial it takes the records trial_first to trial_last of sluice_batch only and notes its place in the sequence.';
