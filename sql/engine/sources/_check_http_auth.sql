create or replace function sluice._check_http_auth(p_auth jsonb)
returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_part text := (p_auth ->> 'scheme') || ' auth';
  v_auth jsonb;
begin
  if coalesce(p_auth ->> 'scheme', '') not in ('bearer', 'basic', 'header', 'param', 'oauth2') then
    raise exception using errcode = 'SL005', message = format('http source: unknown auth %s', p_auth),
      hint = 'make it with one of sluice.bearer_auth(...), basic_auth, header_auth, param_auth, oauth2_auth';
  end if;
  v_auth := sluice._check_http_part(v_part, p_auth);
  if (v_auth ? 'env') = (v_auth ? 'file') then
    raise exception using errcode = 'SL005',
      message = format('%s: the secret is to be found %s', v_part, case when v_auth ? 'env' then 'in two places' else 'nowhere' end),
      hint = 'one of env => ''VARIABLE'', file => ''/run/secrets/token''; the secret itself is never written into a pipeline';
  end if;
  if v_part = 'header auth' and lower(v_auth ->> 'header') in ('host', 'content-length', 'transfer-encoding', 'connection', 'accept-encoding') then
    raise exception using errcode = 'SL005', message = format('header auth: %s cannot carry a secret', v_auth -> 'header'),
      hint = 'the name of a header, such as X-Api-Key';
  end if;
  return v_auth;
end
$$;

comment on function sluice._check_http_auth(jsonb) is
  'Refuses (SL005) credentials of an HTTP source that name no place, or two, where the secret is kept; returns them without nulls.';
