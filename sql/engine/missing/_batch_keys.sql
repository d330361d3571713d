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

comment on function sluice._batch_keys(text) is
  'The hashes of the keys that the open batch has seen. is_sound: none escaped. p_batch_keys_sql: see sluice._batch_keys_sql.';
