create or replace function sluice._anchor_limit()
returns uuid
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select '04000000-0000-0000-0000-000000000000'::uuid
$$;

comment on function sluice._anchor_limit() is
  'Digests below this one, one in 64, are anchors.';
