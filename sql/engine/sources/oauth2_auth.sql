create or replace function sluice.oauth2_auth(
  token_url text, client_id text, env text default null, file text default null, scope text default null, params jsonb default null, send_in text default 'header')
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._check_http_auth(jsonb_build_object(
    'scheme', 'oauth2', 'token_url', token_url, 'client_id', client_id, 'env', env, 'file', file, 'scope', scope, 'params', params,
    'send_in', nullif(send_in, 'header')))
$$;

comment on function sluice.oauth2_auth(text, text, text, text, text, jsonb, text) is
  'Fetches a token and sends it (OAuth 2.0, client credentials): a token from token_url, fetched anew before it expires and when the source refuses it. client_id names the client; its secret is kept in an environment variable (env) or a file of the machine that runs sluice. scope: what is asked for, names with a space between them. params: more parameters of the token request, such as audience. send_in: client and secret in the header (Basic) or in the body.';
