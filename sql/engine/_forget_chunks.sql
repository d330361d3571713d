create or replace function sluice._forget_chunks(p_chunks bigint[])
returns void
language sql volatile
set search_path = ''
as $$
  delete from sluice.known_anchors a
  using (
    select k.chunk_id, d as digest from sluice.known_payloads k cross join lateral unnest(k.digests) d
    where k.chunk_id = any (p_chunks) and d < sluice._anchor_limit()) gone
  where a.digest = gone.digest and a.chunk_id = gone.chunk_id;
  delete from sluice.known_payloads k where k.chunk_id = any (p_chunks)
$$;

comment on function sluice._forget_chunks(bigint[]) is
  'Drops chunks of known payloads with their anchors.';
