create or replace function sluice._object_settings()
returns table (name text, type text, allowed text[], pattern text, maximum bigint, description text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('url', 'string', null::text[], '^((s3a?|gs)://[^/:?@]+(/[^?]*)?|(az|azure|abfss?)://[^/:?]+(/[^?]*)?|file:///.*)$', null::bigint,
      's3://bucket/prefix/, gs://bucket/prefix/, az://container/prefix/, abfss://container@account.dfs.core.windows.net/prefix/ or file:///folder/, without credentials'),
    ('pattern', 'string', null, '^.+$', null, 'a glob for the part of the key behind the prefix, such as **/*.ndjson.gz'),
    ('endpoint', 'string', null, '^https?://[^/?@]+(/[^?@]*)?$', null, 'https://host or https://host:port, without credentials'),
    ('region', 'string', null, '^[A-Za-z0-9-]+$', null, 'the name of a region, such as eu-central-1'),
    ('path_style', 'boolean', null, null, null, 'true or false'),
    ('allow_http', 'boolean', null, null, null, 'true or false'),
    ('anonymous', 'boolean', null, null, null, 'true or false'),
    ('on_replace', 'string', '{error,reload}', null, null, 'one of error, reload')
$$;

comment on function sluice._object_settings() is
  'The settings of an object source that it shares with no other, their JSON types and the values they may have.';
