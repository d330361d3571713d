create or replace function sluice._prepare(p_name text, p_types text, p_statement text)
returns void
language plpgsql volatile
as $$
-- No search_path of its own: the statement is read under the caller's.
begin
  if exists (select from pg_catalog.pg_prepared_statements where name = p_name) then
    execute pg_catalog.format('deallocate %I', p_name);
  end if;
  execute pg_catalog.format('prepare %I%s as %s', p_name, '(' || p_types || ')', p_statement);
end
$$;

comment on function sluice._prepare(text, text, text) is
$$Prepares a statement, with parameters of p_types if any, in place of an earlier one of that name. A rollback does not
take it back.$$;
