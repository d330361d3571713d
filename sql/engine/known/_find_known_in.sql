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
  from pg_temp.sluice_staging s
  join (
    select unnest(c.digests) as digest, unnest(c.row_places) as row_place, unnest(c.row_xids) as row_xid
    from sluice.known_payloads c where c.chunk_id = p_chunk_id) k using (digest)
  where p_is_first or s.ordinal not in (select ordinal from pg_temp.sluice_known);
  get diagnostics v_found = row_count;
  return v_found;
end
$$;

comment on function sluice._find_known_in(bigint, boolean) is
  'Looks the staged payloads up in one chunk, with one pass over both. p_is_first: no chunk was looked into before.';
