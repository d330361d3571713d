create or replace function sluice._source_settings(p_kind text)
returns table (name text, type text, allowed text[], pattern text, maximum bigint, description text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select * from sluice._file_settings() where p_kind = 'file'
  union all
  select * from sluice._object_settings() where p_kind = 'object'
  union all
  select * from sluice._record_settings() where p_kind in ('file', 'object')
$$;

comment on function sluice._source_settings(text) is
  'The settings a kind of source knows; none for a kind there is not.';
