create or replace function sluice.why(pipeline text, key jsonb, target text default null)
returns table (fact text, value text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- for the pipeline at hand: another one may have nearly all records
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_live_pipeline(why.pipeline);
  v_only     sluice.pipelines := sluice._as_only_target(v_pipeline, why.target);
  v_key      record;
  v_parent   record;
  v_row      record;
  v_grave    sluice.tombstones;
  v_found    record;
begin
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  v_key := sluice._typed_key(v_only, why.key);
  v_parent := sluice._typed_parent(v_pipeline, v_only, v_key);
  execute format('select t.sluice_batch, count(*) over () as count from %s t join %s k on %s', v_key.target::regclass,
    v_key.row_sql,
    sluice._key_condition(v_key.target, v_key.columns, 't', 'k')) into v_row using v_key.given;
  select * into v_grave from sluice.tombstones d where d.target = v_only.target
    and d.key_hash in (v_key.tombstone_hash, v_key.key_hash);
  return query values ('key', v_key.key::text),
    ('row', format('%s %s%s', case when v_row.count is null then 'not in' else 'in' end, v_only.target, case
      when v_row.count is null and row_security_active(v_key.target)
        then format(', or hidden: its row security applies to %s', current_user)
      when v_row.count is not null and v_row.sluice_batch is null then ', written by no pipeline'
      when v_row.count is null and v_grave.batch_id is not null then ', deleted'
      else ', ' || sluice._changed_by_hand(v_only, v_row.sluice_batch, v_key.columns, v_key.row_sql, v_key.given)
      end));
  if v_only.target <> v_pipeline.target and v_parent.key is not null then
    return query values ('parent', format('%s of %s', v_parent.key, v_pipeline.target));
  end if;

  if v_row.sluice_batch is not null or v_row.count is null and v_grave.batch_id is not null then
    return query select * from sluice._why_batch(coalesce(v_row.sluice_batch, v_grave.batch_id), v_key.given,
      v_key.columns, v_key.row_sql, v_parent.key, v_key.target);
  end if;
  return query
  select 'delivery ' || o.delivery_id, concat_ws(': ', format('%s since %s, %s of batch %s', replace(o.state, '_', ' '),
      coalesce(o.attempted_at, o.noted_at)::timestamptz(0), o.operation, o.batch_id),
    nullif(concat_ws(' ', o.status, sluice._excerpt(sluice._why_undelivered(o.error, o.answer), 200)), ''))
  from sluice.outbox o
  where o.pipeline_id = v_pipeline.pipeline_id and o.route = sluice._route(v_only) and o.key_hash = v_key.key_hash
    and o.state in ('unsent', 'in_flight', 'dead')
  order by o.delivery_id desc;

  if v_parent.key is null then
    return; -- nobody knows whose child it was
  end if;
  v_found := sluice._search_quarantine(
    v_pipeline, v_parent.target, v_parent.columns, v_parent.row_sql, v_parent.given, v_parent.key);
  return query
  select 'quarantine ' || q.quarantine_id, format('%s: %s %s (%s)',
    q.status || coalesce(' by batch ' || q.resolved_batch_id, '') || coalesce(', ' || q.reason, ''), q.sqlstate,
      concat_ws(': ', q.column_name, q.message),
    concat_ws(', ', concat_ws(':', q.origin, q.position), 'version ' || q.version, 'first seen '
      || q.first_seen_at::timestamptz(0)))
  from sluice.quarantine q where q.quarantine_id = any (v_found.ids[:10]) order by q.quarantine_id desc;
  return query
  select 'quarantine', f.value from (values
    (cardinality(v_found.ids) > 10, format('and %s more', cardinality(v_found.ids) - 10)),
    (v_found.unsearched > 0, format('%s more open records made no key, so that nobody can tell whether it is theirs',
      v_found.unsearched))) f (is_so, value)
  where f.is_so;
end
$$;

comment on function sluice.why(text, jsonb, text) is
$$Where the row of a key comes from, fact by fact: the batch that last wrote or deleted it, its run and version, the
source, the payload where it is retained (see retain_raw), whether it was changed by hand since, its deliveries that
are not sent yet or were refused, and what is or was in quarantine of the same key (of a child: of its parent's), as far
as that can be told. Batches that have seen the row since, unchanged, leave no trace in it.
key: {"order_id": 42} with every key column (SL005 otherwise), or the value alone where there is one column.
target: one of several targets of the pipeline, the first unless given.
Example: select * from sluice.why('orders', '42')$$;

-- The key of the first target by which quarantine knows the records of a row: its own, or of a child that of its
-- parent, as the row says or, without one, its key; nulls where nobody knows.
create or replace function sluice._typed_parent(
  p_pipeline sluice.pipelines, p_only sluice.pipelines, p_key record, out target oid, out columns text[],
  out given jsonb, out row_sql text, out key jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_parent text[];
  v_row    jsonb := p_key.given;
begin
  if p_only.target = p_pipeline.target then
    select p_key.target, p_key.columns, p_key.given, p_key.row_sql, p_key.key
      into target, columns, given, row_sql, key;
    return;
  end if;
  select a.parent into v_parent from sluice.also_targets a
  where a.pipeline_id = p_pipeline.pipeline_id and a.target = p_only.target
  order by a.version = p_pipeline.active_version desc, a.version desc limit 1;
  execute format('select coalesce((select to_jsonb(t.*) from %s t join %s k on %s), $1)', p_key.target::regclass,
    p_key.row_sql, sluice._key_condition(p_key.target, p_key.columns, 't', 'k')) into v_row using p_key.given;
  if not v_row ?& v_parent then
    return;
  end if;
  select t.target, t.columns, t.given, t.row_sql, t.key into target, columns, given, row_sql, key
  from sluice._typed_key(p_pipeline, (
    select jsonb_object_agg(f.of_first, v_row -> f.of_child)
    from sluice._version_targets(p_pipeline.pipeline_id, null) v
    cross join lateral unnest(v.key, v_parent) f (of_first, of_child)
    where v.number = 1)) t;
end
$$;
