create or replace function sluice._remember(p_places tid[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v          record;
  v_rows     bigint;
  v_chunk_id bigint;
  v_digests  uuid[];
  v_anchors  uuid[];
  v_places   tid[];
  v_xids     xid[];
begin
  select b.pipeline_id, b.known, b.known_chunks, b.worn_chunks, b.transformed = b.produced as is_one_row_each,
    c.made_for, c.target, c.remember_sql into v
  from pg_temp.sluice_batch b, pg_temp.sluice_compiled c;
  -- In the order of p_places. No aggregate with distinct or order by may stand beside it: from PostgreSQL 16 on that
  -- sorts the rows for all of them.
  select count(r.sluice_digest), array_agg(r.sluice_digest) into v_rows, v_digests
  from pg_temp.sluice_rows r where r.sluice_state is null;
  -- As long as nearly all records are known, those few cost less than writing all of them again.
  if v_rows * 16 <= v.known + v_rows then
    update sluice.known_payloads k set last_used_at = now()
    where k.chunk_id = any (v.known_chunks) and k.last_used_at < now() - interval '1 day';
    return;
  end if;

  if p_places is not null and v.is_one_row_each and v.known = 0 then
    -- All new: they were inserted in this order, by one statement.
    v_places := p_places;
    execute format('select array_fill(t.xmin, array[$2]) from %s t where t.ctid = $1', v.target::regclass)
      into v_xids using p_places[1], cardinality(p_places);
  else
    execute v.remember_sql into v_digests, v_places, v_xids;
  end if;
  v_anchors := array(select distinct d from unnest(v_digests) d where d < sluice._anchor_limit());
  if v_anchors = '{}' then
    return; -- too few records: nothing would lead to them
  end if;
  insert into sluice.known_payloads (pipeline_id, made_for, payload_count, digests, row_places, row_xids)
  values (v.pipeline_id, v.made_for, cardinality(v_digests), v_digests, v_places, v_xids)
  returning chunk_id into v_chunk_id;
  insert into sluice.known_anchors (digest, chunk_id) select d, v_chunk_id from unnest(v_anchors) d;
  perform sluice._forget_chunks(v.worn_chunks);
end
$$;

comment on function sluice._remember(tid[]) is
$$Notes which row versions the payloads of this batch made, as a chunk that takes the place of those it mostly repeats.
p_places: where the rows were inserted, if all of them were. Records that made several rows are not remembered.$$;

-- Drops chunks of known payloads with their anchors.
create or replace function sluice._forget_chunks(p_chunks bigint[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off -- the anchors of all pipelines are many, those of a chunk few
as $$
declare
  v_chunk record;
begin
  for v_chunk in
    delete from sluice.known_payloads k where k.chunk_id = any (p_chunks) returning k.chunk_id, k.digests
  loop
    delete from sluice.known_anchors a
    where a.digest = any (array(select d from unnest(v_chunk.digests) d where d < sluice._anchor_limit()))
      and a.chunk_id = v_chunk.chunk_id;
  end loop;
end
$$;

-- Digests below this one, one in 64, are anchors.
create or replace function sluice._anchor_limit()
returns uuid
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select '04000000-0000-0000-0000-000000000000'::uuid
$$;
