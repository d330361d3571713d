create or replace function sluice.bearer_auth(env text default null, file text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('auth', jsonb_build_object('scheme', 'bearer', 'env', env, 'file', file))
$$;

comment on function sluice.bearer_auth is
$$Sends a token (Authorization: Bearer), kept in an environment variable (env) or a file of the machine that runs
  sluice. Only the name is stored here.$$;

create or replace function sluice.basic_auth(username text default null, env text default null, file text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('auth', jsonb_build_object('scheme', 'basic', 'username', username, 'env', env, 'file', file))
$$;

comment on function sluice.basic_auth is
$$Sends user name and password (Authorization: Basic). The password is kept in an environment variable (env) or a file
  of the machine that runs sluice; without username that holds user:password.$$;

create or replace function sluice.header_auth(
  header text, env text default null, file text default null, prefix text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('auth', jsonb_build_object(
    'scheme', 'header', 'header', header, 'env', env, 'file', file, 'prefix', prefix))
$$;

comment on function sluice.header_auth is
$$A key in a header such as X-Api-Key, kept in an environment variable (env) or a file of the machine that runs
  sluice. prefix stands before it.$$;

create or replace function sluice.param_auth(param text, env text default null, file text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('auth', jsonb_build_object('scheme', 'param', 'param', param, 'env', env, 'file', file))
$$;

comment on function sluice.param_auth is
$$A key in a query parameter such as api_key, kept in an environment variable (env) or a file of the machine that runs
  sluice. Servers log it; prefer a header where there is one.$$;

create or replace function sluice.oauth2_auth(
  token_url text, client_id text, env text default null, file text default null, scope text default null,
  params jsonb default null, send_in text default 'header', refresh_token_file text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('auth', jsonb_build_object(
    'scheme', 'oauth2', 'token_url', token_url, 'client_id', client_id, 'env', env, 'file', file, 'scope', scope,
    'params', params, 'send_in', nullif(send_in, 'header'), 'refresh_token_file', refresh_token_file))
$$;

comment on function sluice.oauth2_auth is
$$Fetches a token and sends it (OAuth 2.0, client credentials, or a refresh token): a token from token_url, fetched anew
  before it expires and when the source refuses it.
client_id names the client; its secret is kept in an environment variable (env) or a file of the machine that runs
  sluice.
scope: what is asked for, names with a space between them.
params: more parameters of the token request, such as audience.
send_in: client and secret in the header (Basic) or in the body.
refresh_token_file: a file with a refresh token, which buys tokens in place of the client's secret; a client may have
  none then. Where each use brings another refresh token, it is in the file before the token is used; who uses the
  file holds it locked. sluice has to be allowed to write in its folder.$$;

create or replace function sluice._auth_settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{bearer auth,basic auth,header auth,param auth,oauth2 auth}'::text[], 'env', false, 'variable', null::numrange,
      'the name of an environment variable, not its value'),
    ('{bearer auth,basic auth,header auth,param auth,oauth2 auth}', 'file', false, 'text', null,
      'the path of a file with the secret'),
    ('{basic auth}', 'username', false, 'string', null, 'the user; without it the secret is user:password'),
    ('{header auth}', 'header', true, 'token', null, 'the name of a header, such as X-Api-Key'),
    ('{header auth}', 'prefix', false, 'string', null, 'what stands before the secret, such as ''Token '''),
    ('{param auth}', 'param', true, 'text', null, 'the query parameter with the secret, such as api_key'),
    ('{oauth2 auth}', 'token_url', true, 'url', null,
      'a URL that begins with https:// or http://, without user and password'),
    ('{oauth2 auth}', 'client_id', true, 'text', null, 'the id of the client'),
    ('{oauth2 auth}', 'scope', false, 'text', null, 'scopes, separated by blanks'),
    ('{oauth2 auth}', 'params', false, 'object', null, 'more parameters of the token request: ''{"audience": "..."}'''),
    ('{oauth2 auth}', 'refresh_token_file', false, 'text', null, 'the path of a file with a refresh token'),
    ('{oauth2 auth}', 'send_in', false, 'one of header, body', null, null)
$$;
