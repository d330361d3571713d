create or replace function sluice._denied_in_query(
  p_query text, p_where text, p_search_path text default null, out what text, out next text)
language plpgsql volatile -- explain is not allowed in another one
set search_path = pg_catalog, pg_temp
as $$
declare
  v_line text;
  v_said text;
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
    v_said := sqlerrm;
    -- The message names one thing, in whatever language: it is the longest name in it of what may not be used.
    next := format('grant %s to %I', coalesce((
      select string_agg(d.grantable, ', ')
      from (
        select f.grantable, rank() over (order by length(f.name) desc, f.place) as rank
        from (
          select 1 as place, c.relname as name, 'select on ' || sluice._qualified_name(c.oid) as grantable
          from pg_class c
          where c.relkind in ('r', 'p', 'v', 'm', 'f') and not has_table_privilege(c.oid, 'select')
          union all
          select 2, p.proname, 'execute on function ' || p.proname
          from pg_proc p where not has_function_privilege(p.oid, 'execute')
          union all
          select 3, n.nspname, 'usage on schema ' || quote_ident(n.nspname)
          from pg_namespace n where not has_schema_privilege(n.oid, 'usage')) f
        where strpos(' ' || translate(v_said, '"»«„“”‘’''', '') || ' ', ' ' || f.name || ' ') > 0) d
      where d.rank = 1), 'what it names'), current_user);
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
