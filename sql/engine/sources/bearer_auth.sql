create or replace function sluice.bearer_auth(env text default null, file text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._check_http_auth(jsonb_build_object('scheme', 'bearer', 'env', env, 'file', file))
$$;

comment on function sluice.bearer_auth(text, text) is
  'Sends a token (Authorization: Bearer), kept in an environment variable (env) or a file of the machine that runs sluice. Only the name is stored here.';
