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

comment on function sluice._forget_chunks(bigint[]) is
  'Drops chunks of known payloads with their anchors.';
