-- As a batch would see it. Every right that is missing is a line, with the statement that grants it.
create or replace function sluice._doctor_pipeline(p_name text)
returns table ("check" text, verdict text, detail text, next text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_check     text := 'pipeline ' || p_name;
  v_hint      text;
  v_found     record;
  v_is_denied boolean := false;
  v_is_warned boolean := false;
begin
  if not has_function_privilege('sluice.load_batch'::regproc, 'execute') then
    return query select v_check, 'ok', format('not checked: %s may not run it', current_user), null::text;
    return;
  end if;
  select o.* into strict v_found from sluice.owners o where o.pipeline = p_name;
  if to_regrole(quote_ident(v_found.owner)) is null then
    return query select v_check, 'warn', format('its owner %s is not a role any more', v_found.owner),
      format('select sluice.set_policy(%L, ''owner'', %L)', p_name, current_user);
  elsif not v_found.is_yours then
    return query select v_check, 'ok', format('not checked: it belongs to %s, and %s is not a member of it',
      v_found.owner, current_user), 'to run it: ' || sluice._way_into(p_name, v_found.owner);
    return;
  end if;
  for v_found in select * from sluice._targets_to_check(p_name) loop
    return query select v_check, 'fail', d.what, d.next from sluice._rights_on_target(v_found) d;
    v_is_denied := v_is_denied or found;
  end loop;
  if v_is_denied then
    return;
  end if;
  begin
    perform sluice._compile_all(p.pipeline_id, null) from sluice.pipelines p where p.name = p_name;
    perform sluice._check_body_function(r.as_only)
    from sluice.pipelines p cross join lateral sluice._routes(p) r where p.name = p_name;
  exception when others then -- whatever a batch would meet is the finding
    get stacked diagnostics v_hint = pg_exception_hint;
    return query select v_check, 'fail', sqlstate || ' ' || sqlerrm, nullif(v_hint, '');
    return;
  end;
  for v_found in select * from sluice._targets_to_check(p_name) loop
    if row_security_active(v_found.oid) then
      return query select v_check, 'fail',
        format('row security of %s applies to %s: rows would be hidden from the load', v_found.target, current_user),
        format('load as the owner of %s, or: alter role %I bypassrls', v_found.target,
          current_user);
      v_is_denied := true;
    elsif not v_is_warned and (select r.rolsuper from pg_roles r where r.rolname = current_user) and exists (
      select from pg_roles r where r.oid in (v_found.relowner, v_found.proowner) and not r.rolsuper) then
      return query select v_check, 'warn', format('a superuser would run code of %s: the transform, triggers, defaults',
          (select string_agg(r.rolname, ', ' order by r.rolname) from pg_roles r
           where r.oid in (v_found.relowner, v_found.proowner) and not r.rolsuper)),
        'load as a member of sluice_operator: create role loader login in role sluice_operator'::text;
      v_is_warned := true;
    end if;
  end loop;
  if not v_is_denied and not v_is_warned then
    return query select v_check, 'ok'::text, 'fits its target'::text, null::text;
  end if;
end
$$;

comment on function sluice._doctor_pipeline(text) is
  'What keeps the current role from running a pipeline.';

-- The targets of the active version with what a batch needs to write to each.
create or replace function sluice._targets_to_check(p_name text)
returns table (oid oid, relowner oid, target text, target_schema text, function oid, proowner oid,
  function_schema text, signature text, search_path text, columns text[], rights text[], for_each text, body oid,
  body_schema text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off -- of the catalog rows that are asked for, however many there are
set enable_mergejoin = off
as $$
#variable_conflict use_column
-- plpgsql keeps the plan; a look at all pipelines asks for each.
begin
  return query
  select c.oid, c.relowner, format('%I.%I', n.nspname, c.relname), quote_ident(n.nspname), f.oid, f.proowner,
    quote_ident((parse_ident(split_part(t.function, '(', 1)))[1]), t.function, t.search_path, t.columns,
    array_remove(array['select', 'insert', 'update',
      case when p.missing = 'delete' or t.children = 'replace' or bool_or(t.function_text ~ 'sluice_deleted') over ()
        then 'delete' end], null),
    -- Told once.
    case when t.number = 1 then p.source ->> 'for_each' end, b.oid, b.pronamespace::regnamespace::text
  from sluice.pipelines p
  cross join lateral sluice._version_targets(p.pipeline_id, null) t
  left join (
    select r.target, d.pipeline_id, d.body_function
    from sluice.pipelines o cross join lateral sluice._routes(o) r
    join sluice.delivery_state d on (d.pipeline_id, d.route) = (o.pipeline_id, r.route)) d
    on d.pipeline_id = p.pipeline_id and d.target = t.target
  left join pg_proc b on b.proname = (parse_ident(split_part(d.body_function, '(', 1)))[2]
    and b.oid::regprocedure::text = d.body_function
  -- That one is not there any more is found when it is compiled.
  join pg_namespace n on n.nspname = (parse_ident(t.target))[1]
  join pg_class c on c.relnamespace = n.oid and c.relname = (parse_ident(t.target))[2]
  left join pg_proc f on f.proname = (parse_ident(split_part(t.function, '(', 1)))[2]
    and f.oid::regprocedure::text = t.function
  where p.name = p_name
  order by t.number;
end
$$;
