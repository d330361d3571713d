create or replace function sluice._verify_quarantine(p_pipeline sluice.pipelines, out is_ok boolean, out detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- for the pipeline at hand, see sluice.verify
as $$
declare
  v_found  text[];
  v_loaded record;
  v_ids    integer[] := sluice._with_backfills(p_pipeline.pipeline_id);
begin
  -- Sets against sets: there may be very many records.
  with records as (
    select q.quarantine_id, q.status, q.first_batch_id, q.last_batch_id, q.resolved_batch_id
    from sluice.quarantine q where q.pipeline_id = p_pipeline.pipeline_id
  ), ledger as (
    select b.batch_id, b.kind from sluice._all_batches() b where b.pipeline_id = any (v_ids)
  ), last_events as (
    select distinct on (e.quarantine_id) e.quarantine_id, e.event
    from records q join sluice.quarantine_events e using (quarantine_id)
    where e.event in ('replayed', 'loaded', 'discarded', 'reopened', 'erased')
    order by e.quarantine_id, e.event_id desc)
  select coalesce(array_agg(x.what order by x.quarantine_id), '{}') into v_found from (
    select q.quarantine_id,
      format('record %s names batch %s, which is not in the ledger', q.quarantine_id, b.id) as what
    from records q
    cross join lateral unnest(array[q.first_batch_id, nullif(q.last_batch_id, q.first_batch_id), q.resolved_batch_id])
      b (id)
    left join ledger l on l.batch_id = b.id
    where b.id is not null and l.batch_id is null
    union all
    select q.quarantine_id,
      format('record %s is %s by batch %s, which is a %s', q.quarantine_id, q.status, l.batch_id, l.kind)
    from records q join ledger l on l.batch_id = q.resolved_batch_id
    where l.kind in ('rewind', 'skip') or (q.status = 'replayed') <> (l.kind = 'replay')
    union all
    select q.quarantine_id, format('record %s is %s, and its history does not say so', q.quarantine_id, q.status)
    from records q left join last_events e using (quarantine_id)
    where q.status <> coalesce(nullif(e.event, 'reopened'), 'open')) x;
  v_loaded := sluice._open_records_in_target(p_pipeline);
  v_found := v_found || v_loaded.loaded;
  is_ok := case when v_found <> '{}' then false when v_loaded.unread is null then true end;
  detail := coalesce(sluice._first_and_more(nullif(v_found, '{}')), (
    select format('open: %s, closed: %s', count(*) filter (where q.status = 'open'), count(*)
      filter (where q.status <> 'open'))
      || case when count(*) > 0 then ', as their history says' else '' end
      || coalesce('; not checked against the target: ' || v_loaded.unread, '')
    from sluice.quarantine q where q.pipeline_id = p_pipeline.pipeline_id));
end
$$;

comment on function sluice._verify_quarantine(sluice.pipelines) is
$$Whether quarantined records name batches of the ledger, are closed by what may close them, and, while they are open,
have no row in the target.$$;

-- Open quarantined records that nevertheless have a row in the target. unread: why not all of them were looked at.
create or replace function sluice._open_records_in_target(p_pipeline sluice.pipelines, out loaded text[],
  out unread text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_version sluice.transforms;
  v_why     text;
  v_ids     bigint[];
begin
  loaded := '{}';
  for v_version in
    select * from sluice.transforms t
    where t.pipeline_id = p_pipeline.pipeline_id and exists (
      select from sluice.quarantine q
      where q.pipeline_id = t.pipeline_id and q.version = t.version and q.status = 'open' and q.keys is not null)
  loop
    v_why := case when sluice._is_distributed(to_regclass(p_pipeline.target)) then
        'the target is distributed over servers'
      else sluice._why_unreadable(p_pipeline.target, v_version.columns || '{sluice_batch,sluice_hash}') end;
    if v_why is not null then
      unread := v_why;
      continue;
    end if;
    -- A row of another batch is an older one, which the record was to change, or a newer one.
    -- One of the very batch that set the record aside is either another record's, or torn out
    -- of this one.
    execute format($sql$select coalesce(array_agg(distinct q.quarantine_id), '{}')
from sluice.quarantine q
cross join lateral jsonb_array_elements(q.keys) e
cross join lateral (select t.sluice_batch from %s) t
where q.pipeline_id = $1 and q.version = $2 and q.status = 'open'
  and t.sluice_batch in (q.first_batch_id, q.last_batch_id)$sql$,
      sluice._row_of_json_key_sql(p_pipeline.target::regclass, v_version.key, 'e.value')) into v_ids
        using p_pipeline.pipeline_id, v_version.version;
    loaded := loaded || array(
      select format('record %s is open, and the rows that it makes are in %s', q.quarantine_id, p_pipeline.target)
      from sluice.quarantine q
      where q.quarantine_id = any (v_ids) and sluice._has_all_its_rows(q, p_pipeline)
      order by q.quarantine_id);
  end loop;
end
$$;

-- Whether the targets hold all rows that this record makes, by the batch that set it aside. Some another may make, too.
create or replace function sluice._has_all_its_rows(p_record sluice.quarantine, p_pipeline sluice.pipelines)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v       record;
  v_call  record;
  v_count record;
  v_made  bigint := 0;
begin
  for v in
    select t.*, sluice._find_function(t.function) as oid, t.target::regclass as class
    from sluice._version_targets(p_pipeline.pipeline_id, p_record.version) t order by t.number
  loop
    if not coalesce(sluice._transform_sha256(v.oid) = v.sha256 and has_function_privilege(v.oid, 'execute'), false)
      or sluice._why_unreadable(v.target, v.columns || '{sluice_batch,sluice_hash}') is not null then
      return false; -- nobody can tell what it made
    end if;
    v_call := sluice._call_sql(v.oid, '$1::pg_catalog.jsonb');
    perform set_config('search_path', v.search_path, true);
    execute format($sql$select pg_catalog.count(*) as made, pg_catalog.count(x.sluice_batch) as found
  from (select %s, $2::pg_catalog.jsonb as sluice_meta from %s offset 0) s
  cross join lateral (select %s from %s r offset 0) t
  left join %s x on %s and x.sluice_hash = %s and x.sluice_batch in ($3, $4)$sql$,
      v_call.record_sql, coalesce(sluice._fields_of_json_sql(v.oid, '$1'), '(select) r'),
      (select string_agg(format('%s as %I', c.coercion, c.column_name), ', ')
        from sluice._target_columns(v.class, v.columns) c),
      v_call.call_sql, v.class, sluice._key_condition(v.class, v.key, 'x', 't'), sluice._hash_sql(v.class, v.columns))
    into v_count using convert_from(coalesce(p_record.original_payload, p_record.payload), 'UTF8'),
      (select o.meta from sluice._origins(jsonb_build_array(jsonb_build_object('origin', p_record.origin))) o)
        || jsonb_build_object('position', p_record.position, 'pipeline', p_pipeline.name,
        'batch', p_record.last_batch_id, 'version', v.version, 'run_started_at', (
          select r.started_at from sluice.batches b join sluice.runs r using (run_id)
            where b.batch_id = p_record.last_batch_id)),
      p_record.first_batch_id, p_record.last_batch_id;
    perform set_config('search_path', 'pg_catalog, pg_temp', true);
    if v_count.found < v_count.made then return false; end if;
    v_made := v_made + v_count.made;
  end loop;
  return v_made > 0;
exception when others then
  if not sluice._is_run_fault(sqlstate) then
    return false; -- it makes no row at all
  end if;
  raise;
end
$$;
