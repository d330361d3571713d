create or replace function sluice._remember(p_pipeline_id integer, p_made_for uuid, p_is_one_row_each boolean, p_remember_sql text, p_places tid[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_batch    record;
  v_chunk_id bigint;
  v_digests  uuid[];
  v_places   tid[];
  v_xids     xid[];
begin
  select b.known_chunks, b.worn_chunks, (select count(*) from pg_temp.sluice_known) as known,
    (select count(*) from pg_temp.sluice_rows r where r.sluice_state is null and r.sluice_digest is not null) as transformed
    into v_batch from pg_temp.sluice_batch b;
  -- As long as nearly all records are known, those few cost less than writing all anew.
  if v_batch.transformed * 16 <= v_batch.known + v_batch.transformed then
    update sluice.known_payloads k set last_used_at = now()
    where k.chunk_id = any (v_batch.known_chunks) and k.last_used_at < now() - interval '1 day';
    return;
  end if;

  if p_places is not null and p_is_one_row_each and v_batch.known = 0 then
    -- All new: they were inserted in this order, by one statement.
    select array_agg(r.sluice_digest) into v_digests from pg_temp.sluice_rows r where r.sluice_state is null;
    v_places := p_places;
    execute format('select pg_catalog.array_fill(t.xmin, array[$2]) from %s t where t.ctid = $1',
      (select c.target::pg_catalog.regclass from pg_temp.sluice_compiled c)) into v_xids using p_places[1], cardinality(p_places);
  else
    execute p_remember_sql into v_digests, v_places, v_xids;
  end if;
  if not exists (select from unnest(v_digests) d where d < sluice._anchor_limit()) then
    return; -- too few records: nothing would lead to them
  end if;
  insert into sluice.known_payloads (pipeline_id, made_for, payload_count, digests, row_places, row_xids)
  values (p_pipeline_id, p_made_for, cardinality(v_digests), v_digests, v_places, v_xids)
  returning chunk_id into v_chunk_id;
  insert into sluice.known_anchors (digest, chunk_id)
  select distinct d, v_chunk_id from unnest(v_digests) d where d < sluice._anchor_limit();
  perform sluice._forget_chunks(v_batch.worn_chunks);
end
$$;

comment on function sluice._remember(integer, uuid, boolean, text, tid[]) is
  'Notes which row versions the payloads of this batch made, as a chunk that takes the place of those it mostly repeats. p_places: where the rows were inserted, if all of them were. Records that made several rows are not remembered.';
