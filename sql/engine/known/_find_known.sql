-- Records that need not be parsed again.
--
-- A daily dump brings mostly the same bytes. Of each record that made one row, a load remembers
-- the digest of its payload (sha256, 128 bits, from the loader) and which version of which row it
-- made: place (ctid) and writing transaction (xmin). When the same bytes come again and that
-- very row version still stands, parsing them could only find the row unchanged. Nothing else
-- is ever concluded: whatever touched the row since, a later record, a user, a rewrite of the
-- table, has made another version, and the record goes the long way.
--
--   _find_known     before the transform: which staged records may be known
--   _confirm_known  in load_batch, under the lock: which of them still stand; the others are
--                   transformed there and then
--   _remember       after the merge: notes what this batch made
--
-- The digests lie in chunks of about a batch, in the order they came in, and one in 64 of them
-- (the anchors) leads to its chunk. A dump in roughly the order of the last one finds nearly all
-- of its records in one or two chunks; one in random order finds no chunk worth reading.
create or replace function sluice._find_known(p_anchors uuid[])
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off -- whatever there is in the anchors, they are looked up one by one
set jit = off
as $$
declare
  v        record;
  v_chunk  record;
  v_known  bigint := 0;
  v_found  bigint;
  v_sample record;
begin
  select b.pipeline_id, c.made_for into v from pg_temp.sluice_batch b, pg_temp.sluice_compiled c;
  for v_chunk in
    select k.chunk_id, k.payload_count
    from (
      select a.chunk_id, count(*) as hits from sluice.known_anchors a
      where a.digest = any (p_anchors) group by a.chunk_id) h
    join sluice.known_payloads k using (chunk_id)
    where k.pipeline_id = v.pipeline_id and k.made_for = v.made_for
      -- A chunk of which less than a quarter is expected costs more to read than it saves.
      and h.hits * 64 * 4 >= k.payload_count
    order by k.chunk_id desc limit 8
  loop
    v_found := sluice._find_known_in(v_chunk.chunk_id, v_known = 0);
    v_known := v_known + v_found;
    update pg_temp.sluice_batch set
      known_chunks = known_chunks || v_chunk.chunk_id,
      worn_chunks = worn_chunks || case when v_found * 2 > v_chunk.payload_count then array[v_chunk.chunk_id] end;
  end loop;
  if v_known = 0 then
    return 0;
  end if;
  -- If rows are touched between loads, better notice it here, where workers run side by side, than under the lock.
  -- The rollback releases the lock on the target: none is held while a worker waits for its turn.
  begin
    v_sample := sluice._look_up_known(p_is_sample => true);
    raise exception using errcode = 'SL999', message = 'a sample always rolls back';
  exception when sqlstate 'SL999' then
    if cardinality(v_sample.lost) * 3 > v_sample.standing then
      delete from pg_temp.sluice_known;
      v_known := 0;
    end if;
  end;
  return v_known;
end
$$;

comment on function sluice._find_known(uuid[]) is
$$Notes in sluice_known the staged records whose payload made a row that may still stand; returns their number.
p_anchors: the anchors among their digests.$$;

-- Looks the staged payloads up in one chunk, with one pass over both. p_is_first: no chunk was searched before.
create or replace function sluice._find_known_in(p_chunk_id bigint, p_is_first boolean)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = on
set enable_nestloop = off
set enable_mergejoin = off
as $$
declare
  v_found bigint;
begin
  insert into pg_temp.sluice_known (ordinal, digest, row_place, row_xid)
  select s.ordinal, s.digest, k.row_place, k.row_xid
  from sluice._staged() s
  join (
    select unnest(c.digests) as digest, unnest(c.row_places) as row_place, unnest(c.row_xids) as row_xid
    from sluice.known_payloads c where c.chunk_id = p_chunk_id) k using (digest)
  where p_is_first or s.ordinal not in (select ordinal from pg_temp.sluice_known);
  get diagnostics v_found = row_count;
  return v_found;
end
$$;
