-- What the merge is about to write goes into the outbox, in the same transaction; how many rows that is, those that
-- are not delivered included. Called before the merge, while a row that it deletes is still there.
create or replace function sluice._note_deliveries(p_target sluice.compiled)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
set work_mem = '64MB' -- a batch is sorted, which it is nearly, without going to disk
as $$
declare
  v_only sluice.pipelines;
  v      record;
begin
  if p_target.route is null then
    return null;
  end if;
  select o.* into v_only
  from pg_temp.sluice_batch b join sluice.pipelines p using (pipeline_id)
  cross join lateral sluice._as_if_only(p, sluice._qualified_name(p_target.target)) o;
  if v_only.deliver is null then
    return null; -- delivering was ended since the batch was opened
  end if;
  perform sluice._plan_by_index('sluice_outbox', p_target.outbox_sql);
  execute 'execute sluice_outbox' into v;
  perform sluice._supersede_deliveries((select b.owner_id from pg_temp.sluice_batch b), p_target.route, v.first_id,
    v.written, sluice._delivered_key(v_only, p_target.key) is not null);
  return v.written;
end
$$;

comment on function sluice._note_deliveries(sluice.compiled) is
$$Notes a delivery for each row that the batch will insert, update or delete in a target; returns how many such rows
there are, null where the rows of the target are not delivered.$$;

-- The statement for it, compiled with the version. p_outcome: what becomes of a row s, t being that of the target;
-- p_from: both of them; p_only: the pipeline as if the target were its only one.
create or replace function sluice._outbox_sql(
  p_target oid, p_columns text[], p_key text[], p_outcome text, p_from text, p_only sluice.pipelines)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$with written as (
  select o.sluice_ordinal as ordinal, o.sluice_line as line, o.sluice_hash as hash, o.sluice_outcome as outcome,
    o.sluice_old_row as old_row, o.sluice_old_hash as old_hash,
    %s as key, %s as key_hash
  from (
    select s.*, %s as sluice_outcome, t.sluice_hash as sluice_old_hash,
      case when s.sluice_deleted%s then pg_catalog.to_jsonb(t.*) end as sluice_old_row
    %s
    where s.sluice_state is null offset 0) o
  where o.sluice_outcome in ('insert', 'update', 'delete')),
noted as (
  insert into sluice.outbox (pipeline_id, route, key, key_hash, operation, hash, batch_id, deleted_row)%s
  select b.owner_id, %s, w.key, w.key_hash, case w.outcome when 'delete' then 'delete' else 'upsert' end,
    case w.outcome when 'delete' then coalesce(w.old_hash, w.hash, '') else w.hash end, b.batch_id,
    case w.outcome when 'delete' then w.old_row end
  from written w cross join pg_temp.sluice_batch b
  where %s
  order by w.ordinal, w.line%s
  returning delivery_id)
select (select pg_catalog.count(*) from %s) as written,
  (select pg_catalog.min(n.delivery_id) from noted n) as first_id$sql$,
    sluice._key_json(p_key, 'o'), sluice._key_hash(p_target, p_key, 'o'), p_outcome, ' or ' || d.differs, p_from,
    case when d.differs is not null then format($sql$
  select b.owner_id, %s, k.key, k.key_hash, 'delete', coalesce(w.old_hash, ''), b.batch_id, w.old_row
  from written w cross join pg_temp.sluice_batch b
  cross join lateral (%s) k
  where w.outcome = 'update'
  union all ($sql$, d.route, sluice._delivered_key_sql(p_target, d.names, 'w.old_row')) end,
    d.route, case when d.deletes then 'true' else 'w.outcome <> ''delete''' end,
    case when d.differs is not null then ')' end,
    -- Asked once, what is written need not be kept.
    case when d.deletes and d.differs is null then 'noted' else 'written' end)
  from (
    select n.names, sluice._delivered_key_differs_sql(n.names, p_columns) as differs, sluice._route(p_only) as route,
      coalesce((p_only.deliver ->> 'deletes')::boolean, true) as deletes
    from sluice._delivered_key(p_only, p_key) n (names)) d
$$;

-- A newer change of a key is sent instead of older ones that were not: whatever was noted from p_first_id on. Found
-- from the side that has fewer: where a sender keeps up, there are hardly any older ones. "+ 0": by the key, never by
-- the range, whatever the statistics say. p_keeps_deletes: see _delivered_key.
create or replace function sluice._supersede_deliveries(
  p_pipeline_id integer, p_route integer, p_first_id bigint, p_count bigint, p_keeps_deletes boolean)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_older bigint[] := array(
    (select o.delivery_id from sluice.outbox o
     where o.pipeline_id = p_pipeline_id and o.route = p_route and o.state = 'unsent'
       and o.delivery_id < p_first_id limit p_count)
    union all
    (select o.delivery_id from sluice.outbox o
     where o.pipeline_id = p_pipeline_id and o.route = p_route and o.state = 'dead'
       and o.delivery_id < p_first_id limit p_count));
begin
  if v_older = '{}' then
    return;
  elsif cardinality(v_older) < p_count then
    update sluice.outbox o set state = 'superseded', closed_at = now(), body = null
    where o.delivery_id = any (v_older) and o.state in ('unsent', 'dead')
      and (o.operation <> 'delete' or not p_keeps_deletes) and exists (
      select from sluice.outbox n
      where n.delivery_id + 0 >= p_first_id and n.pipeline_id = o.pipeline_id and n.route = o.route
        and n.key_hash = o.key_hash and n.state in ('unsent', 'dead'));
  else
    update sluice.outbox o set state = 'superseded', closed_at = now(), body = null
    from sluice.outbox n
    where n.delivery_id >= p_first_id and o.delivery_id + 0 < p_first_id and o.state in ('unsent', 'dead')
      and o.pipeline_id = n.pipeline_id and o.route = p_route and n.route = p_route
      and o.key_hash = n.key_hash and n.state = 'unsent' and (o.operation <> 'delete' or not p_keeps_deletes);
  end if;
end
$$;
