create or replace function sluice._load_past_faults_sql(p_target oid, p_columns text[])
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$insert into pg_temp.sluice_rows (sluice_ordinal, sluice_digest, sluice_reject, sluice_deleted, sluice_rule, sluice_hash, %s)
select * from sluice._rows_past_faults($1) as t (sluice_ordinal integer, sluice_digest uuid, sluice_reject text, sluice_deleted boolean, sluice_rule integer, sluice_hash bytea, %s)$sql$,
    string_agg(quote_ident(c.column_name), ', '), string_agg(format('%I %s', c.column_name, format_type(a.atttypid, -1)), ', '))
  from sluice._target_columns(p_target, p_columns) c
  join pg_catalog.pg_attribute a on a.attrelid = p_target and a.attname = c.column_name
$$;

comment on function sluice._load_past_faults_sql(oid, text[]) is
  'The statement that fills sluice_rows when some record raises; $1: the ordinals, null for all.';
