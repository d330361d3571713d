create or replace function sluice.basic_auth(username text default null, env text default null, file text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._check_http_auth(jsonb_build_object('scheme', 'basic', 'username', username, 'env', env, 'file', file))
$$;

comment on function sluice.basic_auth(text, text, text) is
  'Sends user name and password (Authorization: Basic). The password is kept in an environment variable (env) or a file of the machine that runs sluice; without username that holds user:password.';
