create or replace function sluice._file_settings()
returns table (name text, type text, allowed text[], pattern text, description text)
language sql immutable
set search_path = ''
as $$
  values
    ('path', 'string', null::text[], null::text, 'a file, a glob, a folder, or - for standard input'),
    ('format', 'string', '{auto,ndjson,json,csv,tsv}', null, 'one of auto, ndjson, json, csv, tsv'),
    ('compression', 'string', '{auto,none,gzip,zstd}', null, 'one of auto, none, gzip, zstd'),
    ('delimiter', 'string', null, '^[\x01-\x7f]$', 'one ASCII character'),
    ('quote', 'string', null, '^[\x01-\x7f]$', 'one ASCII character'),
    ('header', 'boolean', null, null, 'true or false'),
    ('columns', 'array', null, null, 'names of the fields, in order'),
    ('null', 'string', null, null, 'the text that stands for null'),
    ('max_record_bytes', 'number', null, '^[1-9][0-9]{0,8}$', 'bytes, 1 to 999999999'),
    ('settle_seconds', 'number', null, '^[0-9]{1,5}$', 'seconds, 0 to 99999'),
    ('partial', 'string', '{wait,quarantine}', null, 'one of wait, quarantine'),
    ('on_replace', 'string', '{error,reload}', null, 'one of error, reload')
$$;

comment on function sluice._file_settings() is
  'The settings of a file source, their JSON types and the values they may have.';
