create or replace function sluice._is_accepted_sql(p_target text, p_key_hash text, p_row_hash text)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select format('(%s, %s) in (select a.key_hash, a.row_hash from sluice.accepted_rows a where a.target = %L)',
    p_key_hash, p_row_hash, p_target)
$$;

comment on function sluice._is_accepted_sql(text, text, text) is
  'Whether somebody accepted a row as it stands (sluice.reconcile), given the hashes of its key and of its values.';
