create or replace function sluice.param_auth(param text, env text default null, file text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._check_http_auth(jsonb_build_object('scheme', 'param', 'param', param, 'env', env, 'file', file))
$$;

comment on function sluice.param_auth(text, text, text) is
  'A key in a query parameter such as api_key, kept in an environment variable (env) or a file of the machine that runs sluice. Servers log it; prefer a header where there is one.';
