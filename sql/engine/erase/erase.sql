-- A person's data, found and removed wherever the engine keeps it: one entry of the ledger without a place in the chain
-- of cursors says that, by whom, when and why, and how much, and not whose it was.
--
--   _erase_records    quarantine and retained payloads
--   _erase_deliveries the outbox
--   _erase_rows       the row of the target, if asked, with its children; what is kept by key
--   _erase_texts      errors and notes that quote; what is left because a cursor needs it
create or replace function sluice.erase(
  pipeline text, key jsonb default null, contains text[] default '{}', reason text default null,
  rows boolean default false, stop boolean default false, dry_run boolean default false)
returns table (place text, traces bigint, erased bigint, detail text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_live_pipeline(erase.pipeline);
  v_texts    text[] := coalesce(erase.contains, '{}');
  v_found    jsonb;
  v_entry    sluice.batches := sluice._new_entry(v_pipeline, 'erase', erase.reason);
begin
  perform sluice._refuse_vague_erasure(v_pipeline, erase.key, v_texts, erase.reason, erase.rows, erase.stop,
    erase.dry_run);
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  perform sluice._lock_target(to_regclass(v_pipeline.target)); -- as every batch does, before its records and ledger
  v_entry.batch_id := nextval('sluice.batch_id');
  begin
    select coalesce(jsonb_agg(e), '[]') into v_found
    from sluice._erase_all(v_pipeline, erase.key, v_texts, erase.rows, erase.stop, v_entry.batch_id) e;
    if erase.dry_run then
      raise exception using errcode = 'SL999', message = 'a dry run always rolls back';
    end if;
  exception when sqlstate 'SL999' then
    null;
  end;
  if not erase.dry_run then
    perform sluice._write_erasure(v_pipeline, v_entry, v_found);
  end if;
  return query
  select f.place, f.traces, f.erased, f.detail
  from jsonb_to_recordset(v_found) f (place text, traces bigint, erased bigint, detail text);
end
$$;

comment on function sluice.erase(text, jsonb, text[], text, boolean, boolean, boolean) is
$$Removes what is kept of a person: quarantined records, open and closed, with their history, retained payloads, bodies
and answers of deliveries, errors that quote them, keys of deleted rows. One line per place: traces, erased (to be
erased, if it is a dry run), and in detail what stays and why. It changes history, so it is for the owner of the engine.
key: the records that make this key, {"email": "anna@example.org"} or the value alone. contains: also every record and
text that contains one of these, for records that never made a key. One of the two is needed.
reason: stays in the ledger, so leave out the person's data. dry_run: only says what would go.
rows: also deletes the row of the key, and those of further targets that belong to it. Where rows are delivered, that is
delivered as well: send it, then erase once more.
stop: a hash of the key stays, and its records are counted as stale and not retained, until sluice.lift_stop. Without it
the next record of the key brings the row back, and so does a rewind.
Not reached: the source, copies elsewhere (what was delivered, other pipelines, backups, WAL, the server's log).
Example: select * from sluice.erase('customers', '{"id": 42}', '{anna@example.org}', 'request 17', rows => true)$$;

-- Without a key or a text nothing is meant; a short text would mean too much.
create or replace function sluice._refuse_vague_erasure(p_pipeline sluice.pipelines, p_key jsonb, p_texts text[],
  p_reason text, p_rows boolean, p_stop boolean, p_is_dry boolean)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_short text := (select min(coalesce(t, '')) from unnest(p_texts) t where length(coalesce(trim(t), '')) < 4);
  v_key   jsonb := case when p_key is not null then (sluice._typed_key(p_pipeline, p_key)).key end;
begin
  if p_stop then
    perform sluice._refuse_unstable_key(p_pipeline.name, 'stop', to_regclass(p_pipeline.target), v.key)
    from sluice._latest_version(p_pipeline) v;
  end if;
  if not has_table_privilege('sluice.quarantine_events', 'delete')
    or not has_table_privilege('sluice.batches', 'update') then
    raise insufficient_privilege using
      message = format('role %I may not erase: that changes the history', current_user),
      hint = 'the owner of the engine may, ' || (
        select quote_ident(pg_get_userbyid(c.relowner)) from pg_class c where c.oid = 'sluice.batches'::regclass);
  elsif p_key is null and p_texts = '{}' then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: erase needs to be told whose data', p_pipeline.name),
      hint = 'key => ''{"id": 42}'', contains => ''{anna@example.org}'', or both';
  elsif v_short is not null then
    raise exception using errcode = 'SL005',
      message = format('%s is too short to be looked for', quote_literal(v_short)),
      hint = 'texts of contains have 4 characters or more, as every record in which one stands is erased';
  elsif p_key is null and (p_rows or p_stop) or p_stop and not p_rows then
    raise exception using errcode = 'SL005', message = case when p_key is null
        then 'only the row of a key can be deleted or stopped' else 'a key is stopped when its row goes' end,
      hint = case when p_key is null then 'key => ''{"id": 42}''' else 'rows => true, stop => true' end;
  elsif not p_is_dry and coalesce(trim(p_reason), '') = '' then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: erase needs a reason', p_pipeline.name),
      hint = 'reason => ''request 17''; it stays in the ledger';
  elsif sluice._says(p_reason, p_texts || sluice._texts_of_key(v_key)) then
    raise exception using errcode = 'SL005', message = 'the reason holds what is to be erased',
      hint = 'it stays in the ledger: name the request, not the person';
  end if;
end
$$;

create or replace function sluice._erase_all(
  p_pipeline sluice.pipelines, p_key jsonb, p_texts text[], p_rows boolean, p_stop boolean, p_batch_id bigint)
returns table (place text, traces bigint, erased bigint, detail text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- While the keys of replayed records still exist.
  perform sluice._note_replayed_keys(to_regclass(p_pipeline.target));
  -- Deliveries of rows that belong to the key are found through those rows.
  return query select * from sluice._erase_deliveries(p_pipeline, p_key, p_texts, p_rows);
  if p_key is not null then
    return query select * from sluice._erase_rows(p_pipeline, p_key, p_rows, p_stop, p_batch_id);
  end if;
  return query select * from sluice._erase_records(p_pipeline, p_key, p_texts, p_batch_id);
  return query select * from sluice._erase_texts(p_pipeline, p_key, p_texts);
end
$$;

-- The entry of the ledger. Rows of the target that went are deleted in the books.
create or replace function sluice._write_erasure(p_pipeline sluice.pipelines, p_entry sluice.batches, p_found jsonb)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_entry  sluice.batches := p_entry;
  v_counts jsonb := (
    select jsonb_object_agg(f.value ->> 'place', f.value -> 'erased') from jsonb_array_elements(p_found) f);
begin
  v_entry.erased := coalesce(v_counts, '{}');
  select sum(gone.rows), case when count(*) > 1 then jsonb_agg(sluice._target_entry(t.target, 0, gone.rows)) end
    into v_entry.deleted, v_entry.targets
  from sluice._targets_of(p_pipeline) t
  cross join lateral (select coalesce((v_counts ->> ('rows of ' || t.target))::bigint, 0) as rows) gone;
  v_entry.produced := v_entry.deleted;
  perform sluice._write_ledger(v_entry);
end
$$;
