create or replace function sluice.doctor()
returns table ("check" text, verdict text, detail text, next text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_pipeline record;
begin
  -- The minor releases named mend wrong results of merge under concurrency (release notes of PostgreSQL 15.15).
  return query
  with server as (
    select current_setting('server_version_num')::integer as number,
      case current_setting('server_version_num')::integer / 10000
        when 15 then 150015 when 16 then 160011 when 17 then 170007 when 18 then 180001 else 0 end as good),
  finding (name, is_ok, bad, seen, remark, step) as (
    select 'connection', true, 'ok',
      format('%s on %s as %s', current_database(), coalesce(host(inet_server_addr()), 'a local socket'), current_user),
        '', ''
    union all
    select 'version', number >= good, 'warn', 'PostgreSQL ' || current_setting('server_version'),
      'this minor release has known errors in merge', 'update the server to the newest minor release' from server
    union all
    select 'encoding', e = 'UTF8', 'fail', e, 'payloads cannot be kept exactly',
      'create database ... encoding ''UTF8'' template template0' from current_setting('server_encoding') e
    union all
    select 'primary', not pg_is_in_recovery(), 'fail', case when pg_is_in_recovery() then 'a standby'
      else 'accepts writes' end,
      'it only reads', 'connect to the primary: target_session_attrs=read-write'
    union all
    select 'read only', s = 'off', 'fail', s, 'sessions begin read only, so that no batch commits',
      format('alter role %I set default_transaction_read_only = off', current_user)
    from current_setting('default_transaction_read_only') s
    union all
    select 'temporary tables', ok, 'fail', case when ok then 'allowed' else 'refused' end, 'batches are staged in them',
      format('grant temporary on database %I to %I', current_database(), current_user)
    from has_database_privilege(current_database(), 'temporary') ok
    union all
    select 'fsync', s = 'on', 'warn', s, 'a crash of the machine can lose or corrupt committed data', 'set it on'
    from current_setting('fsync') s
    union all
    select 'synchronous_commit', s <> 'off', 'warn', s,
      'a crash can lose the last commits, whole (they are loaded again)',
      'set it on where that is not wanted' from current_setting('synchronous_commit') s
    union all
    select 'statement_timeout', s = '0', 'warn', case s when '0' then 'off' else s end,
      'a batch that takes longer fails',
      'lower --batch-rows, or raise it for this role' from current_setting('statement_timeout') s
    union all
    select 'idle_in_transaction_session_timeout', s = '0', 'warn', case s when '0' then 'off' else s end,
      'a worker that waits longer for its turn is cut and tries again', 'raise it for this role'
    from current_setting('idle_in_transaction_session_timeout') s)
  select f.name, case when f.is_ok then 'ok' else f.bad end,
    f.seen || case when f.is_ok then '' else ': ' || f.remark end,
    case when f.is_ok then null else f.step end
  from finding f;
  return query
  select 'role ' || r.name, case when to_regrole(r.name) is null then 'warn' else 'ok' end,
    case when to_regrole(r.name) is null then 'missing; not needed by the owner of the schema' else r.what end,
    case when to_regrole(r.name) is null then format('create role %s nologin; then run sluice migrate', r.name) end
  from (values ('sluice_operator', 'defines and runs pipelines'),
    ('sluice_reader', 'sees status and quarantine')) r (name, what)
  union all
  select 'rights', case when may_run or may_read then 'ok' else 'fail' end,
    case when may_run then 'may run pipelines' when may_read then 'may look, not run pipelines' else 'none' end,
    case when not may_run then format('to run pipelines: grant sluice_operator to %I', current_user) end
  from has_function_privilege('sluice.load_batch'::regproc, 'execute') may_run,
    has_table_privilege('sluice.status', 'select') may_read;
  for v_pipeline in select p.name from sluice.pipelines p where p.backfill_of is null order by p.name loop
    return query select * from sluice._doctor_pipeline(v_pipeline.name);
  end loop;
  return query
  select 'waiting ' || w.pipeline, case when w.is_overdue then 'warn' else 'ok' end,
    format('%s since %s: %s', w.name, date_trunc('second', w.since), w.reason),
    case when w.is_overdue then 'let whoever writes it finish, or give it up with sluice.skip' end
  from sluice.waiting_details w;
  return query
  select 'deliveries ' || p.name, case when d.dead > 0 or d.oldest < now() - interval '1 day' then 'warn' else 'ok' end,
    format('not sent: %s%s, dead: %s', d.waiting, ' since ' || date_trunc('second', d.oldest), d.dead),
    case when d.dead > 0 then format('select * from sluice.deliveries where pipeline = %L and state = ''dead''; then '
        'sluice.redeliver or sluice.discard_deliveries', p.name)
      when d.oldest < now() - interval '1 day' then 'sluice deliver ' || p.name end
  from sluice.pipelines p
  cross join lateral (
    select count(*) filter (where o.state = 'dead') as dead, count(*) filter (where o.state <> 'dead') as waiting,
      min(o.noted_at) filter (where o.state <> 'dead') as oldest
    from sluice.outbox o where o.pipeline_id = p.pipeline_id and o.state in ('unsent', 'in_flight', 'dead')) d
  where p.deliver is not null order by p.name;
end
$$;

comment on function sluice.doctor is
$$What keeps pipelines from running here, for whoever asks: the server and its settings, the engine's roles, and each
pipeline with its target, its rights and its transform. verdict: ok, warn or fail. next: what to do about it, with the
statement where there is one. The command sluice doctor shows it, and what the loader's machine has to do with it.$$;

-- As a batch would see it.
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
  select c.oid, c.relowner, format('%I.%I', n.nspname, c.relname) as target, quote_ident(n.nspname) as target_schema,
    f.oid as function, f.proowner, split_part(t.function, '(', 1) as function_name,
    quote_ident((parse_ident(split_part(t.function, '(', 1)))[1]) as function_schema, t.function as signature,
    array_remove(array['select', 'insert', 'update',
      case when p.missing = 'delete' or t.function_text ~ 'sluice_deleted' then 'delete' end], null) as rights
  into v_found
  from sluice.pipelines p
  join sluice.transforms t on t.pipeline_id = p.pipeline_id and t.version = p.active_version
  left join pg_namespace n on n.nspname = (parse_ident(p.target))[1]
  left join pg_class c on c.relnamespace = n.oid and c.relname = (parse_ident(p.target))[2]
  left join pg_proc f on f.proname = (parse_ident(split_part(t.function, '(', 1)))[2]
    and f.oid::regprocedure::text = t.function
  where p.name = p_name;

  return query
  select distinct v_check, 'fail', w.what, format('grant %s to %I', w.what_of, current_user)
  from (values
    (not has_schema_privilege(v_found.target_schema::regnamespace, 'usage'),
      'no usage on schema ' || v_found.target_schema, 'usage on schema ' || v_found.target_schema),
    (exists (select from unnest(v_found.rights) r where not has_table_privilege(v_found.oid, r)),
      format('not all of %s on %s', array_to_string(v_found.rights, ', '), v_found.target),
      format('%s on %s', array_to_string(v_found.rights, ', '), v_found.target)),
    (not has_schema_privilege(v_found.function_schema::regnamespace, 'usage'),
      'no usage on schema ' || v_found.function_schema, 'usage on schema ' || v_found.function_schema),
    (not has_function_privilege(v_found.function, 'execute'),
      'may not call ' || v_found.signature, 'execute on function ' || v_found.signature)) w (is_so, what, what_of)
  where w.is_so;
  if found then
    return;
  end if;
  begin
    perform sluice._compile(p.pipeline_id, null) from sluice.pipelines p where p.name = p_name;
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
