-- Names under which credentials go, without the characters that tell api_key from Api-Key, and without a leading x.
-- The loader knows them too (src/secret/credential.rs), and hides their values where a server writes them into a link.
create or replace function sluice._is_credential(p_name text)
returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from unnest('{"",x,xamz,xgoog,xms,xgitlab}'::text[]) prefix,
      regexp_replace(lower(p_name), '[^a-z0-9]', '', 'g') name
    where starts_with(name, prefix) and substr(name, length(prefix) + 1) = any (array[
      'accesskey', 'accesstoken', 'apikey', 'apisecret', 'apitoken', 'appkey', 'auth', 'authkey', 'authorization',
      'authtoken', 'bearer', 'bearertoken', 'clientsecret', 'cookie', 'credential', 'credentials', 'hmac', 'idtoken',
      'jwt', 'passphrase', 'passwd', 'password', 'privatekey', 'privatetoken', 'proxyauthorization', 'pwd',
      'refreshtoken', 'secret', 'secretkey', 'securitytoken', 'sessiontoken', 'sig', 'signature', 'token']))
$$;

comment on function sluice._is_credential(text) is
  'Whether what goes by this name is a credential: token, X-Api-Key, X-Amz-Signature.';

-- Refuses (SL005) what would keep a credential in the database, where everybody sees it who may look at a pipeline.
-- The value is not repeated. A placeholder is none: {token} is a column of for_each, or of a delivery's key.
create or replace function sluice._refuse_credentials(p_part text, p_value jsonb)
returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_found record;
begin
  select g.place, g.name into v_found
  from (
    select 'url' as place, m[1] as name, to_jsonb(m[2]) as value
    from regexp_matches(p_value ->> 'url', '[?&]([^=&#]+)=([^&#]*)', 'g') m
    union all
    select p.place, e.key, e.value
    from (values ('params'), ('headers')) p (place)
    cross join lateral jsonb_each(case jsonb_typeof(p_value -> p.place) when 'object' then p_value -> p.place
      else '{}' end) e
    union all
    select 'body', m ->> 'key', m -> 'value'
    from jsonb_path_query(p_value -> 'body', '$.** ? (@.type() == "object").keyvalue()') m) g
  where sluice._is_credential(g.name) and jsonb_typeof(g.value) in ('string', 'number', 'array')
    and g.value #>> '{}' !~ '^(\{\w+\})?$'
  limit 1;
  if found then
    raise exception using errcode = 'SL005',
      message = format('%s: "%s" in %s would keep a secret in the database', p_part, v_found.name, v_found.place),
      hint = format(case
        when p_part = 'oauth2 auth' then 'leave it out: the secret is in env => ''VARIABLE'' or file => '
          '''/run/secrets/token'''
        when v_found.place = 'headers' then 'auth => sluice.header_auth(header => %L, env => ''VARIABLE''), or file => '
          '''/run/secrets/token'''
        when v_found.place = 'body' then 'send it in a header or a parameter: auth => sluice.header_auth(header => '
          '''X-Api-Key'', env => ''VARIABLE''), or sluice.param_auth'
        else 'auth => sluice.param_auth(param => %L, env => ''VARIABLE''), or file => ''/run/secrets/token''' end,
        v_found.name);
  end if;
end
$$;
