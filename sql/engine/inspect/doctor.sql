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
    ('sluice_reader', 'sees status and quarantine'), ('sluice_monitor', 'sees counts, no payloads')) r (name, what)
  union all
  select 'rights', case when may_run or may_read then 'ok' else 'fail' end,
    case when may_run then 'may run pipelines' when may_read then 'may look, not run pipelines' else 'none' end,
    case when not may_run then format('to run pipelines: grant sluice_operator to %I', current_user) end
  from has_function_privilege('sluice.load_batch'::regproc, 'execute') may_run,
    has_table_privilege('sluice.status', 'select') may_read
  union all
  select 'engine functions', 'warn', 'edited by hand: ' || array_to_string(e.names, ', '),
    'sluice migrate makes them again as sluice has them'
  from sluice._edited_routines() e (names) where e.names <> '{}'
  union all
  -- As an upgrade leaves those of an engine that knew no owners.
  select 'owners', 'warn', format('pipelines that belong to sluice_operator: %s; each of its members (%s) runs and '
    'changes them and reads their records', count(*), m.names),
    format('give them to a team, one by one: sluice set %s owner=TEAM', min(o.pipeline))
  from sluice.owners o
  join pg_roles g on g.rolname = o.owner and g.rolname = 'sluice_operator'
  cross join lateral (
    select string_agg(r.rolname, ', ' order by r.rolname) as names, count(*) as count from pg_roles r
    where r.rolcanlogin and not r.rolsuper and pg_has_role(r.oid, g.oid, 'member')) m
  where not o.is_backfill and m.count > 1
  group by m.names;
  for v_pipeline in select o.pipeline from sluice.owners o where not o.is_backfill loop
    return query select * from sluice._doctor_pipeline(v_pipeline.pipeline);
  end loop;
  return query
  select 'waiting ' || w.pipeline, case when w.is_overdue then 'warn' else 'ok' end,
    format('%s since %s: %s', w.name, date_trunc('second', w.since), w.reason),
    case when w.is_overdue then 'let whoever writes it finish, or give it up with sluice.skip' end
  from sluice.waiting_details w;
  return query
  select 'deliveries ' || p.name || case when r.route > 1 then ' of ' || r.target else '' end,
    case when d.dead > 0 or d.oldest < now() - interval '1 day' then 'warn' else 'ok' end,
    format('not sent: %s%s, dead: %s', d.waiting, ' since ' || date_trunc('second', d.oldest), d.dead),
    case when d.dead > 0 then format('select * from sluice.deliveries where pipeline = %L and state = ''dead''; then '
        'sluice.redeliver or sluice.discard_deliveries', p.name)
      when d.oldest < now() - interval '1 day' then 'sluice deliver ' || p.name end
  from sluice.pipelines p
  cross join lateral sluice._routes(p) r
  cross join lateral (
    select count(*) filter (where o.state = 'dead') as dead, count(*) filter (where o.state <> 'dead') as waiting,
      min(o.noted_at) filter (where o.state <> 'dead') as oldest
    from sluice.outbox o
    where (o.pipeline_id, o.route) = (p.pipeline_id, r.route) and o.state in ('unsent', 'in_flight', 'dead')) d
  order by p.name, r.route;
end
$$;

comment on function sluice.doctor is
$$What keeps the current role from running pipelines here: the server and its settings, the engine's roles, and each
pipeline with its target, its rights and its transform. verdict: ok, warn or fail. next: what to do about it, with the
statement where there is one. The command sluice doctor shows it, along with what concerns the loader's machine.$$;
