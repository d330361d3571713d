create or replace function sluice.object_source(
  url text, pattern text default null, endpoint text default null, region text default null, path_style boolean default true,
  allow_http boolean default false, anonymous boolean default false, format text default 'auto', compression text default 'auto',
  delimiter text default null, quote text default null, header boolean default true, columns text[] default null,
  null_string text default null, max_record_bytes bigint default null, on_replace text default null)
returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_source jsonb;
begin
  v_source := jsonb_strip_nulls(jsonb_build_object(
    'kind', 'object', 'url', url, 'pattern', pattern, 'endpoint', endpoint, 'region', region, 'path_style', nullif(path_style, true),
    'allow_http', nullif(allow_http, false), 'anonymous', nullif(anonymous, false), 'format', nullif(format, 'auto'),
    'compression', nullif(compression, 'auto'), 'delimiter', delimiter, 'quote', quote, 'header', nullif(header, true),
    'columns', to_jsonb(columns), 'null_string', null_string, 'max_record_bytes', max_record_bytes, 'on_replace', on_replace));
  perform sluice._check_source(v_source);
  return v_source;
end
$$;

comment on function sluice.object_source(text, text, text, text, boolean, boolean, boolean, text, text, text, text, boolean, text[], text, bigint, text) is
  'Records from an object store. url: s3://bucket/prefix/, gs://bucket/prefix/, az://container/prefix/, abfss://container@account.dfs.core.windows.net/prefix/ or file:///folder/; without the last slash it may also name one object. pattern: a glob for the part of the key behind the prefix. endpoint: address of a store of your own. region, path_style (false: the bucket is part of the host name), allow_http (an endpoint without TLS): for S3. anonymous: without credentials; else they come from the environment of the loader, never from here. format, compression, delimiter, quote, header, columns, null_string, max_record_bytes: as in file_source. on_replace: error or reload, for an object replaced under its key. Example: sluice.object_source(url => ''s3://lake/orders/'', pattern => ''**/*.ndjson.gz'')';
