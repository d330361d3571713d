create or replace function sluice._file_settings()
returns table (name text, type text, allowed text[], pattern text, maximum bigint, description text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('path', 'string', null::text[], null::text, null::bigint, 'a file, a glob, a folder, or - for standard input'),
    ('settle_seconds', 'number', null, '^[0-9]{1,9}$', 3600, 'seconds, 0 to 3600'),
    ('partial', 'string', '{wait,quarantine}', null, null, 'one of wait, quarantine'),
    ('on_replace', 'string', '{error,reload}', null, null, 'one of error, reload')
$$;

comment on function sluice._file_settings() is
  'The settings of a file source that it shares with no other, their JSON types and the values they may have.';
