create or replace function sluice._rights_on_target(p_target record)
returns table (what text, next text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  select distinct w.what, format('grant %s to %I', w.what_of, current_user)
  from (
    values
      (not has_schema_privilege(p_target.target_schema::regnamespace, 'usage'),
        'no usage on schema ' || p_target.target_schema, 'usage on schema ' || p_target.target_schema),
      (exists (select from unnest(p_target.rights) r where not has_table_privilege(p_target.oid, r)),
        format('not all of %s on %s', array_to_string(p_target.rights, ', '), p_target.target),
        format('%s on %s', array_to_string(p_target.rights, ', '), p_target.target)),
      (not has_schema_privilege(p_target.function_schema::regnamespace, 'usage'),
        'no usage on schema ' || p_target.function_schema, 'usage on schema ' || p_target.function_schema),
      (not has_function_privilege(p_target.function, 'execute'),
        'may not call ' || p_target.signature, 'execute on function ' || p_target.signature),
      (not has_schema_privilege(p_target.body_schema::regnamespace, 'usage'),
        'no usage on schema ' || p_target.body_schema, 'usage on schema ' || p_target.body_schema),
      (not has_function_privilege(p_target.body, 'execute'),
        format('may not call %s, which makes what is delivered', p_target.body::regprocedure),
        'execute on function ' || p_target.body::regprocedure)
    union all
    select * from sluice._rights_beside_target(p_target.oid, p_target.columns)) w (is_so, what, what_of)
  where w.is_so;
  if not found then
    return query select d.what, d.next
    from sluice._denied_in_query(case when p_target.signature like '%(jsonb%' then
        format('select * from %s(null::pg_catalog.jsonb%s)', split_part(p_target.signature, '(', 1),
          case when p_target.signature like '%,%' then ', null::pg_catalog.jsonb' else '' end) end,
      p_target.signature, p_target.search_path) d
    where d.what is not null
    union all
    select d.what, d.next from sluice._denied_in_query(p_target.for_each, 'for_each') d
    where d.what is not null;
  end if;
end
$$;

comment on function sluice._rights_on_target(record) is
  'What the current role lacks to load a target, as _targets_to_check has it, and the grant that helps.';

-- Sequences from which columns that the transform does not return have their default, and the parents of foreign keys,
-- in which a batch looks before the constraint does.
create or replace function sluice._rights_beside_target(p_target oid, p_columns text[])
returns table (is_so boolean, what text, what_of text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
-- plpgsql keeps the plan; a look at all pipelines asks for each.
begin
  return query
  select not has_sequence_privilege(s.oid, 'usage'), format('no usage on sequence %s', s.oid::regclass),
    format('usage on sequence %s', s.oid::regclass)
  from pg_attrdef d
  join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
  join pg_depend x on x.classid = 'pg_attrdef'::regclass and x.objid = d.oid and x.refclassid = 'pg_class'::regclass
  join pg_class s on s.oid = x.refobjid and s.relkind = 'S'
  where d.adrelid = p_target and a.attname <> all (p_columns)
  union all
  select not has_schema_privilege(n.oid, 'usage'), format('no usage on schema %I', n.nspname),
    format('usage on schema %I', n.nspname)
  from pg_constraint k
  join pg_class c on c.oid = k.confrelid
  join pg_namespace n on n.oid = c.relnamespace
  where k.conrelid = p_target and k.contype = 'f'
  union all
  select exists (select from unnest(k.confkey) n where not has_column_privilege(k.confrelid, n, 'select')),
    format('may not read %s, to which constraint %I refers', r.name, k.conname),
    format('select on %s', r.name)
  from pg_constraint k cross join lateral (select sluice._qualified_name(k.confrelid) as name) r
  where k.conrelid = p_target and k.contype = 'f';
end
$$;

-- What the current role may not read of a query, and the grant, found by planning it. Of a transform only what is a
-- plain query shows so; what another one reads shows when it runs. Without p_search_path every name is qualified, and
-- what else is wrong is told, too.
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
