create or replace function sluice._hash_sql(p_target oid, p_columns text[])
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- plpgsql keeps the plan; a compilation asks twice.
begin
  -- The first byte is the version of this algorithm.
  return (
    select format($sql$E'\\x01'::pg_catalog.bytea
      || pg_catalog.substr(pg_catalog.sha256(pg_catalog.record_send(row(%L::pg_catalog.bytea, %s))), 1, 16)$sql$,
      substr(sha256(convert_to(string_agg(quote_ident(column_name), ','), 'UTF8')), 1, 8), string_agg(hash_input, ', '))
    from sluice._target_columns(p_target, p_columns));
end
$$;

comment on function sluice._hash_sql(oid, text[]) is
$$The expression for the hash of a row "t": over the names and the values of the given columns, in bytes that no
setting of the session changes but for those that _transform_records makes.$$;
