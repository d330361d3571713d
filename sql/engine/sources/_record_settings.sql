create or replace function sluice._record_settings()
returns table (name text, type text, allowed text[], pattern text, maximum bigint, description text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('format', 'string', '{auto,ndjson,json,csv,tsv}'::text[], null::text, null::bigint, 'one of auto, ndjson, json, csv, tsv'),
    ('compression', 'string', '{auto,none,gzip,zstd}', null, null, 'one of auto, none, gzip, zstd'),
    ('delimiter', 'string', null, E'^[\\x01-\\x09\\x0b\\x0c\\x0e-\\x7f]$', null, 'one ASCII character, no line break'),
    ('quote', 'string', null, E'^[\\x01-\\x7f]?$', null, 'one ASCII character, or the empty string for no quoting'),
    ('header', 'boolean', null, null, null, 'true or false'),
    ('columns', 'array', null, null, null, 'names of the fields, in order'),
    ('null_string', 'string', null, null, null, 'the text that stands for null'),
    ('max_record_bytes', 'number', null, '^[1-9][0-9]{0,9}$', 268435455, 'bytes, 1 to 268435455 (what jsonb can hold)')
$$;

comment on function sluice._record_settings() is
  'The settings that say how records stand in the content, shared by the sources of files and objects: their JSON types and the values they may have.';
