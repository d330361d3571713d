-- As a batch would see it. Every right that is missing is a line, with the statement that grants it.
create or replace function sluice._doctor_pipeline(p_name text)
returns table ("check" text, verdict text, detail text, next text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_check text := 'pipeline ' || p_name;
  v_hint  text;
  v_found record;
begin
  if not has_function_privilege('sluice.load_batch'::regproc, 'execute') then
    return query select v_check, 'ok', format('not checked: %s may not run it', current_user), null::text;
    return;
  end if;
  select p.source ->> 'for_each' as for_each, b.oid as body, b.pronamespace::regnamespace::text as body_schema,
    c.oid, c.relowner, format('%I.%I', n.nspname, c.relname) as target, quote_ident(n.nspname) as target_schema,
    f.oid as function, f.proowner, split_part(t.function, '(', 1) as function_name,
    quote_ident((parse_ident(split_part(t.function, '(', 1)))[1]) as function_schema, t.function as signature,
    t.search_path, t.columns, array_remove(array['select', 'insert', 'update',
      case when p.missing = 'delete' or t.function_text ~ 'sluice_deleted' then 'delete' end], null) as rights
  into v_found
  from sluice.pipelines p
  join sluice.transforms t on t.pipeline_id = p.pipeline_id and t.version = p.active_version
  left join sluice.delivery_state d on d.pipeline_id = p.pipeline_id and p.deliver is not null
  left join pg_proc b on b.proname = (parse_ident(split_part(d.body_function, '(', 1)))[2]
    and b.oid::regprocedure::text = d.body_function
  left join pg_namespace n on n.nspname = (parse_ident(p.target))[1]
  left join pg_class c on c.relnamespace = n.oid and c.relname = (parse_ident(p.target))[2]
  left join pg_proc f on f.proname = (parse_ident(split_part(t.function, '(', 1)))[2]
    and f.oid::regprocedure::text = t.function
  where p.name = p_name;

  return query
  select distinct v_check, 'fail', w.what, format('grant %s to %I', w.what_of, current_user)
  from (
    values
      (not has_schema_privilege(v_found.target_schema::regnamespace, 'usage'),
        'no usage on schema ' || v_found.target_schema, 'usage on schema ' || v_found.target_schema),
      (exists (select from unnest(v_found.rights) r where not has_table_privilege(v_found.oid, r)),
        format('not all of %s on %s', array_to_string(v_found.rights, ', '), v_found.target),
        format('%s on %s', array_to_string(v_found.rights, ', '), v_found.target)),
      (not has_schema_privilege(v_found.function_schema::regnamespace, 'usage'),
        'no usage on schema ' || v_found.function_schema, 'usage on schema ' || v_found.function_schema),
      (not has_function_privilege(v_found.function, 'execute'),
        'may not call ' || v_found.signature, 'execute on function ' || v_found.signature),
      (not has_schema_privilege(v_found.body_schema::regnamespace, 'usage'),
        'no usage on schema ' || v_found.body_schema, 'usage on schema ' || v_found.body_schema),
      (not has_function_privilege(v_found.body, 'execute'),
        format('may not call %s, which makes what is delivered', v_found.body::regprocedure),
        'execute on function ' || v_found.body::regprocedure)
    union all
    select * from sluice._rights_beside_target(v_found.oid, v_found.columns)) w (is_so, what, what_of)
  where w.is_so;
  if not found then
    return query select v_check, 'fail', d.what, d.next
    from sluice._denied_in_query(case when v_found.signature like '%(jsonb%' then
        format('select * from %s(null::pg_catalog.jsonb%s)', v_found.function_name,
          case when v_found.signature like '%,%' then ', null::pg_catalog.jsonb' else '' end) end,
      v_found.signature, v_found.search_path) d
    where d.what is not null
    union all
    select v_check, 'fail', d.what, d.next from sluice._denied_in_query(v_found.for_each, 'for_each') d
    where d.what is not null;
  end if;
  if found then
    return;
  end if;
  begin
    perform sluice._compile(p.pipeline_id, null), sluice._check_body_function(p)
    from sluice.pipelines p where p.name = p_name;
  exception when others then -- whatever a batch would meet is the finding
    get stacked diagnostics v_hint = pg_exception_hint;
    return query select v_check, 'fail', sqlstate || ' ' || sqlerrm, nullif(v_hint, '');
    return;
  end;
  if row_security_active(v_found.oid) then
    return query select v_check, 'fail', format('row security of %s applies to %s: rows would be hidden from the load',
      v_found.target, current_user), format('load as the owner of %s, or: alter role %I bypassrls', v_found.target,
        current_user);
  elsif (select r.rolsuper from pg_roles r where r.rolname = current_user) and exists (
    select from pg_roles r where r.oid in (v_found.relowner, v_found.proowner) and not r.rolsuper) then
    return query select v_check, 'warn', format('a superuser would run code of %s: the transform, triggers, defaults',
        (select string_agg(r.rolname, ', ' order by r.rolname) from pg_roles r
         where r.oid in (v_found.relowner, v_found.proowner) and not r.rolsuper)),
      'load as a member of sluice_operator: create role loader login in role sluice_operator'::text;
  else
    return query select v_check, 'ok'::text, 'fits its target'::text, null::text;
  end if;
end
$$;

comment on function sluice._doctor_pipeline(text) is
  'What keeps the current role from running a pipeline.';

-- Sequences from which columns that the transform does not return have their default, and the parents of foreign keys,
-- in which a batch looks before the constraint does.
create or replace function sluice._rights_beside_target(p_target oid, p_columns text[])
returns table (is_so boolean, what text, what_of text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
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
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where k.conrelid = p_target and k.contype = 'f'
  union all
  select exists (select from unnest(k.confkey) n where not has_column_privilege(k.confrelid, n, 'select')),
    format('may not read %s, to which constraint %I refers', r.name, k.conname),
    format('select on %s', r.name)
  from pg_constraint k cross join lateral (select sluice._qualified_name(k.confrelid) as name) r
  where k.conrelid = p_target and k.contype = 'f'
$$;
