-- What the engine keeps by key: hashes stay where the laws need them, what people can read goes. If asked, also the
-- row of the target with its children, which are deleted first.
create or replace function sluice._erase_rows(
  p_pipeline sluice.pipelines, p_key jsonb, p_rows boolean, p_stop boolean, p_batch_id bigint)
returns table (place text, traces bigint, erased bigint, detail text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_key   record := sluice._typed_key(p_pipeline, p_key);
  v       record;
  v_noted bigint;
begin
  for v in
    select x.* from (
      select distinct on (t.target) t.* -- those of former versions, too
      from sluice.transforms d cross join lateral sluice._version_targets(d.pipeline_id, d.version) t
      where d.pipeline_id = p_pipeline.pipeline_id and d.key = v_key.columns and to_regclass(t.target) is not null
      order by t.target, t.version = p_pipeline.active_version desc, t.version desc) x
    order by x.number desc
  loop
    perform sluice._refuse_hidden_rows(p_pipeline.name, to_regclass(v.target));
    place := 'rows of ' || v.target;
    select r.traces, r.erased, r.noted into traces, erased, v_noted
    from sluice._delete_of_key(p_pipeline, v_key.target, v.target::regclass, v.key, v_key.columns,
      coalesce(v.parent, v_key.columns), v_key.row_sql, v_key.given, v.search_path, p_rows, p_batch_id) r;
    detail := nullif(concat_ws('; ', case
      when traces > erased then 'the row stays: rows => true (--rows) deletes it'
      when p_stop and v.number = 1 then 'a hash of the key stays: its records are not loaded any more'
      when erased > 0 and v.number = 1 then
        'a rewind, or the next record of the key, brings it back: stop => true (--stop) keeps it out' end,
      case when v_noted > 0 then format('%s to be delivered as deleted: sluice deliver %s, then erase once more',
        v_noted, p_pipeline.name) end), '');
    return next;
  end loop;

  update sluice.tombstones d set key = '{}'
  where d.target = p_pipeline.target and d.key_hash = v_key.tombstone_hash and d.key <> '{}';
  get diagnostics traces = row_count;
  if p_stop then
    insert into sluice.tombstones as d (target, key_hash, key, batch_id, is_final)
    values (p_pipeline.target, v_key.tombstone_hash, '{}', p_batch_id, true)
    on conflict (target, key_hash) do update set is_final = true, batch_id = excluded.batch_id, deleted_at = now();
  elsif p_rows then
    delete from sluice.replayed_keys k
    using sluice.batches b
    where k.key_hash = v_key.key_hash and b.batch_id = k.batch_id
      and b.pipeline_id = any (sluice._with_backfills(p_pipeline.pipeline_id))
      and not exists (
        select from sluice.tombstones d
        where d.target = p_pipeline.target and d.key_hash in (v_key.tombstone_hash, v_key.key_hash));
  end if;
  if p_rows then
    update sluice.snapshot_keys s set key_hashes = array_remove(s.key_hashes, v_key.key_hash)
    where s.pipeline_id = any (sluice._with_backfills(p_pipeline.pipeline_id)) and v_key.key_hash = any (s.key_hashes);
  end if;
  place := 'keys of deleted rows';
  erased := traces;
  detail := case when traces > 0 then 'a hash stays, by which older records of the key are told' end;
  return next;
end
$$;

comment on function sluice._erase_rows(sluice.pipelines, jsonb, boolean, boolean, bigint) is
  'Erases what is kept by key, and if asked the row of the target and those that belong to it.';

-- The rows of a target that belong to a key (p_parent: its columns for it): how many, and how many were deleted. With
-- them go accepted changes by hand, and the memory of known payloads for them.
create or replace function sluice._delete_of_key(p_pipeline sluice.pipelines, p_first oid, p_target oid, p_key text[],
  p_first_key text[], p_parent text[], p_row_sql text, p_given jsonb, p_search_path text, p_is_to_go boolean,
  p_batch_id bigint, out traces bigint, out erased bigint, out noted bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_where  text := format('%s t join %s p on %s', p_target::regclass, p_row_sql,
    sluice._parent_condition(p_first, p_first_key, p_parent, 't'));
  v_keys   bytea[];
  v_places tid[];
  v_left   bigint;
begin
  execute format('select count(*), array_agg(%s) from %s', sluice._key_hash(p_target, p_key, 't'), v_where)
    into traces, v_keys using p_given;
  erased := 0;
  if not p_is_to_go or traces = 0 then
    return;
  end if;
  noted := sluice._note_rows(sluice._as_if_only(p_pipeline, sluice._qualified_name(p_target)), p_target, p_key,
    'delete', v_where, p_batch_id, p_given);
  perform set_config('search_path', p_search_path, true); -- its triggers see what they see under a batch
  execute format($sql$with gone as (
  delete from %s t using %s p where %s returning t.ctid as place)
select pg_catalog.array_agg(g.place) from gone g$sql$,
    p_target::regclass, p_row_sql, sluice._parent_condition(p_first, p_first_key, p_parent, 't'))
    into v_places using p_given;
  execute format('select pg_catalog.count(*) from %s', v_where) into v_left using p_given;
  perform set_config('search_path', 'pg_catalog, pg_temp', true);
  delete from sluice.accepted_rows a
  where a.target = sluice._qualified_name(p_target) and a.key_hash = any (v_keys);
  erased := coalesce(cardinality(v_places), 0);
  if v_left > 0 then
    raise exception using errcode = 'SL005',
      message = format('%s rows of %s could not be deleted', v_left, p_target::regclass),
      detail = coalesce(sluice._row_triggers(p_target), ''),
      hint = 'nothing was erased: a trigger or a policy keeps them';
  end if;
  perform sluice._forget_chunks(array(
    select k.chunk_id from sluice.known_payloads k join sluice.pipelines p using (pipeline_id)
    where sluice._loads(p, sluice._qualified_name(p_target)) and exists (
      select from unnest(k.row_places) x (place) where x.place = any (v_places))));
end
$$;

-- Lets records with a stopped key in again.
create or replace function sluice.lift_stop(pipeline text, key jsonb, reason text)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_live_pipeline(lift_stop.pipeline);
  v_key      record := sluice._typed_key(v_pipeline, lift_stop.key);
  v_entry    sluice.batches;
begin
  if coalesce(trim(lift_stop.reason), '') = '' then
    raise exception using errcode = 'SL005', message = 'lift_stop needs a reason',
      hint = 'reason => ''request 18''; it stays in the ledger';
  end if;
  perform sluice._lock_target(to_regclass(v_pipeline.target));
  delete from sluice.tombstones d
  where d.target = v_pipeline.target and d.key_hash in (v_key.tombstone_hash, v_key.key_hash) and d.is_final;
  if not found then
    raise exception using errcode = 'SL005', hint = 'stopped are keys that were erased with stop => true',
      message = format('pipeline %s: this key is not stopped', v_pipeline.name);
  end if;
  v_entry := sluice._new_entry(v_pipeline, 'erase', lift_stop.reason);
  v_entry.batch_id := nextval('sluice.batch_id');
  perform sluice._write_erasure(v_pipeline, v_entry, '[]');
  return 'records of the key are loaded again, as they come';
end
$$;

comment on function sluice.lift_stop(text, jsonb, text) is
$$Lets records of a key be loaded again that sluice.erase has stopped. reason: stays in the ledger.
Example: select sluice.lift_stop('customers', '42', 'request 18')$$;
