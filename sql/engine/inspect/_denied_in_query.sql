create or replace function sluice._denied_in_query(
  p_query text, p_where text, p_search_path text default null, out what text, out next text)
language plpgsql volatile -- explain is not allowed in another one
set search_path = pg_catalog, pg_temp
as $$
declare
  v_line   text;
  v_denied text[];
begin
  if p_query is null then
    return;
  end if;
  perform set_config('search_path', coalesce(p_search_path, 'pg_catalog, pg_temp'), true);
  for v_line in execute format(E'explain select * from (\n%s\n) q', p_query) loop
    null;
  end loop;
  perform set_config('search_path', 'pg_catalog, pg_temp', true);
exception
  when insufficient_privilege then
    what := format('%s in %s', sqlerrm, p_where);
    v_denied := regexp_match(sqlerrm, '^permission denied for (\w+) (.*)$');
    next := format('grant %s to %I', case v_denied[1]
      when 'schema' then 'usage on schema ' || v_denied[2]
      when 'function' then 'execute on function ' || v_denied[2]
      else format('select on %s', coalesce((
        select string_agg(sluice._qualified_name(c.oid), ', ') from pg_class c
        where c.relname = v_denied[2] and c.relkind in ('r', 'p', 'v', 'm', 'f')
          and not has_table_privilege(c.oid, 'select')), v_denied[2])) end, current_user);
  when others then
    -- Of a transform a batch says it better.
    if p_search_path is null then
      what := format('%s %s in %s', sqlstate, sqlerrm, p_where);
      next := 'correct it in the source of the pipeline, with the name of its schema before each table';
    end if;
end
$$;

comment on function sluice._denied_in_query(text, text, text) is
$$What the current role may not read of a query, and the grant, found by planning it. Of a transform only what is a
plain query shows so; what another one reads shows when it runs. Without p_search_path every name is qualified, and what
else is wrong is told, too.$$;
