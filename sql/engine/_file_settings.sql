create or replace function sluice._file_settings()
returns table (name text, type text, allowed text[], pattern text, maximum bigint, description text)
language sql immutable
set search_path = ''
as $$
  values
    ('path', 'string', null::text[], null::text, null::bigint, 'a file, a glob, a folder, or - for standard input'),
    ('format', 'string', '{auto,ndjson,json,csv,tsv}', null, null, 'one of auto, ndjson, json, csv, tsv'),
    ('compression', 'string', '{auto,none,gzip,zstd}', null, null, 'one of auto, none, gzip, zstd'),
    ('delimiter', 'string', null, E'^[\\x01-\\x09\\x0b\\x0c\\x0e-\\x7f]$', null, 'one ASCII character, no line break'),
    ('quote', 'string', null, E'^[\\x01-\\x7f]?$', null, 'one ASCII character, or the empty string for no quoting'),
    ('header', 'boolean', null, null, null, 'true or false'),
    ('columns', 'array', null, null, null, 'names of the fields, in order'),
    ('null_string', 'string', null, null, null, 'the text that stands for null'),
    ('max_record_bytes', 'number', null, '^[1-9][0-9]{0,9}$', 268435455, 'bytes, 1 to 268435455 (what jsonb can hold)'),
    ('settle_seconds', 'number', null, '^[0-9]{1,9}$', 3600, 'seconds, 0 to 3600'),
    ('partial', 'string', '{wait,quarantine}', null, null, 'one of wait, quarantine'),
    ('on_replace', 'string', '{error,reload}', null, null, 'one of error, reload')
$$;

comment on function sluice._file_settings() is
  'The settings of a file source, their JSON types and the values they may have.';
