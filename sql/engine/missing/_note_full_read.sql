-- A full read is one complete read of a source, over as many batches and runs as it takes. A batch
-- notes the keys it has seen; what the rows of the target are compared with is decided at the end,
-- in finish_snapshot. What would make that comparison wrong spoils the read: then nothing is
-- concluded from it, and the next one begins when the source has nothing left to read.
--
--   begin     a batch of the first records of the source, by its own account: what was noted before
--             belongs to a read that never came to its end
--   continue  any other batch; the first one after the end of the last full read begins the next,
--             as the files and objects that are new or changed since then are read from their start
--   ignore    records from elsewhere: they make no read, but their keys are as good as seen, as the
--             source will not read a file again that was read by name
create or replace function sluice._note_full_read(
  p_ledger sluice.batches, p_snapshot text, p_spoilt_by text, p_batch_keys_sql text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id        integer := p_ledger.pipeline_id;
  v_read      sluice.snapshots;
  v_recipe    uuid := sluice._full_read_recipe(v_id, p_ledger.version);
  v_spoilt_by text := p_spoilt_by;
  v_keys      record;
begin
  if p_snapshot is null or p_snapshot not in ('begin', 'continue', 'ignore') then
    raise exception using errcode = 'SL005', message = format('snapshot cannot be %s', quote_nullable(p_snapshot)),
      hint = 'begin, continue or ignore';
  end if;
  if p_snapshot = 'begin' then
    delete from sluice.snapshots s where s.pipeline_id = v_id;
  end if;
  select * into v_read from sluice.snapshots s where s.pipeline_id = v_id;
  if not found then
    insert into sluice.snapshots (pipeline_id, first_seq, made_for) values (v_id, p_ledger.batch_seq, v_recipe)
    returning * into v_read;
    if p_snapshot <> 'begin' and sluice._follows_rewind_or_skip(v_id, p_ledger.batch_seq) then
      v_spoilt_by := coalesce(v_spoilt_by, 'it began after a rewind or a skip');
    end if;
  elsif v_read.spoilt_by is not null then
    return;
  elsif v_read.made_for <> v_recipe then
    v_spoilt_by := coalesce(v_spoilt_by, 'the pipeline was defined anew in the middle of it');
  end if;
  if p_snapshot <> 'ignore' and not v_read.has_records then
    update sluice.snapshots s set has_records = true where s.pipeline_id = v_id;
  end if;
  v_spoilt_by := coalesce(v_spoilt_by,
    (select format('%s was passed over', x ->> 'object')
     from jsonb_array_elements(p_ledger.objects) x where x #> '{position,skipped}' = 'true' limit 1),
    (select format('the reading of %s began before it', x ->> 'object')
     from jsonb_array_elements(p_ledger.objects) x
     join sluice.source_objects o on o.pipeline_id = v_id and o.object = x ->> 'object' and not o.is_done
     join sluice._all_batches() b on b.batch_id = o.last_batch_id and coalesce(b.batch_seq, 0) < v_read.first_seq
     limit 1));
  if v_spoilt_by is null then
    v_keys := sluice._batch_keys(p_batch_keys_sql);
    if not v_keys.is_sound then
      v_spoilt_by := 'rows were changed by others while they were looked up';
    end if;
  end if;
  if v_spoilt_by is not null then
    update sluice.snapshots s set spoilt_by = v_spoilt_by where s.pipeline_id = v_id;
    delete from sluice.snapshot_keys k where k.pipeline_id = v_id;
  elsif v_keys.key_hashes <> '{}' then
    insert into sluice.snapshot_keys (pipeline_id, batch_id, key_hashes, is_from_elsewhere)
    values (v_id, p_ledger.batch_id, v_keys.key_hashes, p_snapshot = 'ignore');
  end if;
end
$$;

comment on function sluice._note_full_read(sluice.batches, text, text, text) is
$$Adds the open batch to the full read of its pipeline: the keys it has seen, or what spoils the read. p_snapshot,
p_spoilt_by: as given to load_batch. p_batch_keys_sql: see sluice._known_sql.$$;

-- Identifies what a full read depends on: the source, the version of the transform, the key.
create or replace function sluice._full_read_recipe(p_pipeline_id integer, p_version integer)
returns uuid
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select encode(substr(sha256(convert_to(
    concat_ws('/', p.source, p.target, t.version, t.sha256, t.key), 'UTF8')), 1, 16), 'hex')::uuid
  from sluice.pipelines p join sluice.transforms t on t.pipeline_id = p.pipeline_id and t.version = p_version
  where p.pipeline_id = p_pipeline_id
$$;

-- Whether the ledger entry before this one, which is not written yet, moved the cursor without loading anything, so
-- that what follows is only a part of the source.
create or replace function sluice._follows_rewind_or_skip(p_pipeline_id integer, p_batch_seq bigint)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- After a rewind to the very start everything follows. The objects are still as it left them.
  select exists (
    select from sluice.batches b
    where b.pipeline_id = p_pipeline_id and b.batch_seq = p_batch_seq - 1
      and (b.kind = 'skip' or b.kind = 'rewind' and (b.cursor_after is not null
        or exists (select from sluice.source_objects o where o.pipeline_id = p_pipeline_id))))
$$;

-- The hashes of the keys that the open batch has seen. is_sound: none was missed. p_batch_keys_sql: see _known_sql.
create or replace function sluice._batch_keys(p_batch_keys_sql text, out is_sound boolean, out key_hashes bytea[])
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_nestloop = off
set enable_mergejoin = off
set jit = off
as $$
begin
  execute p_batch_keys_sql into is_sound, key_hashes;
end
$$;
