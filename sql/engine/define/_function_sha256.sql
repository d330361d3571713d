create or replace function sluice._function_sha256(p_function oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select encode(sha256(convert_to(sluice._function_text(p_function), 'UTF8')), 'hex')
$$;

comment on function sluice._function_sha256(oid) is
  'The checksum of a function''s text, by which a replaced transform is noticed; null when there is no such function.';
