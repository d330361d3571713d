create or replace function sluice.object_source(
  url text, pattern text default null, endpoint text default null, region text default null,
  path_style boolean default true, allow_http boolean default false, anonymous boolean default false,
  format text default 'auto', compression text default 'auto',
  delimiter text default null, quote text default null, header boolean default true, columns text[] default null,
  null_string text default null, max_record_bytes bigint default null, on_replace text default null,
  escape text default null, comment text default null,
  skip_lines integer default null, max_record_lines integer default null,
  encoding text default null, records text default null, require text[] default null,
  subfolders boolean default null, after text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('source', jsonb_build_object(
    'kind', 'object', 'url', url, 'pattern', pattern, 'endpoint', endpoint, 'region', region,
    'path_style', nullif(path_style, true), 'allow_http', nullif(allow_http, false),
    'anonymous', nullif(anonymous, false), 'format', nullif(format, 'auto'), 'compression', nullif(compression, 'auto'),
    'delimiter', delimiter, 'quote', quote, 'header', nullif(header, true), 'columns', to_jsonb(columns),
    'null_string', null_string, 'max_record_bytes', max_record_bytes, 'on_replace', on_replace,
    'escape', escape, 'comment', comment, 'skip_lines', skip_lines, 'max_record_lines', max_record_lines,
    'encoding', encoding, 'records', records, 'require', to_jsonb(require),
    'subfolders', subfolders, 'after', after))
$$;

comment on function sluice.object_source is
$$Records from an object store.
url: s3://bucket/prefix/, gs://bucket/prefix/, az://container/prefix/,
  abfss://container@account.dfs.core.windows.net/prefix/ or file:///folder/; without the last slash it may also name
  one object.
pattern: a glob for the part of the key after the prefix. subfolders: false leaves out keys with a slash after it;
  with true a pattern without a slash is about the last part of a key, however deep.
after: an object's name, s3://lake/orders/2026-01-31/; only those that come after it in byte order are read, and what is
  known of the others may be pruned.
endpoint: address of a store of your own. region, path_style (false: the bucket is part of the host name),
  allow_http (an endpoint without TLS): for S3.
anonymous: without credentials; else they come from the environment of the loader, never from here.
format, compression, delimiter, quote, header, columns, null_string, max_record_bytes, escape, comment,
  skip_lines, max_record_lines, encoding, records, require: as in file_source.
on_replace: error or reload, for an object replaced under its key.
Example: sluice.object_source(url => 's3://lake/orders/', pattern => '**/*.ndjson.gz')$$;

create or replace function sluice._object_settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{object source}'::text[], 'url', true, 'store', null::numrange,
      's3://bucket/prefix/, gs://bucket/prefix/, az://container/prefix/, '
      'abfss://container@account.dfs.core.windows.net/prefix/ or file:///folder/, without credentials'),
    ('{object source}', 'endpoint', false, 'endpoint', null, 'https://host or https://host:port, without credentials'),
    ('{object source}', 'region', false, 'word', null, 'the name of a region, such as eu-central-1'),
    ('{object source}', 'path_style', false, 'boolean', null, null),
    ('{object source}', 'allow_http', false, 'boolean', null, null),
    ('{object source}', 'anonymous', false, 'boolean', null, null)
$$;

comment on function sluice._object_settings() is
  'The settings of an object source, but for what says how records stand in it.';
