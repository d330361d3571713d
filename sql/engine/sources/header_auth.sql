create or replace function sluice.header_auth(header text, env text default null, file text default null, prefix text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._check_http_auth(jsonb_build_object('scheme', 'header', 'header', header, 'env', env, 'file', file, 'prefix', prefix))
$$;

comment on function sluice.header_auth(text, text, text, text) is
  'A key in a header such as X-Api-Key, kept in an environment variable (env) or a file of the machine that runs sluice. prefix stands before it.';
