create or replace function sluice._check_http_source(p_source jsonb)
returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_source  jsonb := sluice._check_http_part('http source', p_source);
  v_is_json boolean := coalesce(v_source ->> 'format', 'json') = 'json';
  v_name    text;
begin
  if v_source ? 'paging' then
    v_source := jsonb_set(v_source, '{paging}', sluice._check_http_paging(v_source -> 'paging'));
  end if;
  if v_source ? 'auth' then
    v_source := jsonb_set(v_source, '{auth}', sluice._check_http_auth(v_source -> 'auth'));
  end if;
  if v_source ? 'since' then
    v_source := jsonb_set(v_source, '{since}', sluice._check_http_since(v_source -> 'since'));
  end if;
  foreach v_name in array array['retry_when', 'fail_when'] loop
    if v_source ? v_name then
      v_source := jsonb_set(v_source, array[v_name], sluice._http_conditions(v_name, v_source -> v_name));
    end if;
  end loop;

  select key into v_name from jsonb_each(coalesce(v_source -> 'headers', '{}'))
  where jsonb_typeof(value) <> 'string' or value #>> '{}' ~ '[\x01-\x1f\x7f]' or key !~ '^[A-Za-z0-9!#$%&''*+.^_`|~-]+$' limit 1;
  if found then
    raise exception using errcode = 'SL005', message = format('http source: header %s cannot be %s', to_json(v_name), v_source -> 'headers' -> v_name),
      hint = 'headers is an object of strings of one line: ''{"X-Api-Version": "2"}''';
  end if;
  select key into v_name from jsonb_object_keys(coalesce(v_source -> 'headers', '{}')) key
  where lower(key) in ('authorization', 'proxy-authorization', 'cookie') limit 1;
  if found then
    raise exception using errcode = 'SL005', message = format('http source: the header %s would keep a secret in the database', to_json(v_name)),
      hint = 'auth => sluice.bearer_auth(env => ''VARIABLE''), or one of basic_auth, header_auth, param_auth, oauth2_auth';
  end if;
  select key into v_name from jsonb_object_keys(coalesce(v_source -> 'headers', '{}')) key
  where lower(key) in ('host', 'content-length', 'transfer-encoding', 'connection', 'accept-encoding') limit 1;
  if found then
    raise exception using errcode = 'SL005', message = format('http source: the header %s is not yours to set', to_json(v_name)),
      hint = 'it follows from the request; leave it out';
  end if;
  select key into v_name from jsonb_each(coalesce(v_source -> 'params', '{}'))
  where jsonb_typeof(value) = 'object' or value @? 'strict $[*] ? (@.type() == "object" || @.type() == "array" || @.type() == "null")' limit 1;
  if found then
    raise exception using errcode = 'SL005', message = format('http source: parameter %s cannot be %s', to_json(v_name), v_source -> 'params' -> v_name),
      hint = 'a string, a number, true, false, or an array of them for a parameter that is repeated';
  end if;

  if v_source ->> 'method' is distinct from 'POST' then
    select what into v_name from (values ('body', v_source ? 'body'), ('paging with send_in => ''body''', v_source #>> '{paging,send_in}' = 'body'),
      ('since with send_in => ''body''', v_source #>> '{since,send_in}' = 'body')) needs (what, is_so) where is_so limit 1;
    if found then
      raise exception using errcode = 'SL005', message = format('http source: %s needs method POST', v_name), hint = 'method => ''POST''';
    end if;
  end if;
  if not v_is_json then
    select what into v_name from (values ('records', v_source ? 'records'), ('retry_when', v_source ? 'retry_when'), ('fail_when', v_source ? 'fail_when'),
      ('next as a JSON pointer', v_source #>> '{paging,next}' ~ '^/'), ('more as a JSON pointer', v_source #>> '{paging,more}' ~ '^/'),
      ('pages as a JSON pointer', v_source #>> '{paging,pages}' ~ '^/'), ('total as a JSON pointer', v_source #>> '{paging,total}' ~ '^/')) needs (what, is_so)
    where is_so limit 1;
    if found then
      raise exception using errcode = 'SL005', message = format('http source: %s needs the format json, not %s', v_name, v_source ->> 'format'),
        hint = 'name a header instead, or leave it out';
    end if;
  end if;
  if coalesce(v_source ->> 'format', 'json') not in ('csv', 'tsv') then
    select key into v_name from jsonb_object_keys(v_source) key where key in ('delimiter', 'quote', 'header', 'columns', 'null_string') limit 1;
    if found then
      raise exception using errcode = 'SL005', message = format('http source: %s is for the formats csv and tsv', v_name), hint = 'format => ''csv'', or leave it out';
    end if;
  end if;
  if v_source ->> 'header' = 'false' and not v_source ? 'columns' then
    raise exception using errcode = 'SL005', message = 'http source: header => false leaves the fields without names',
      hint = 'name them: columns => ''{id,name}''';
  end if;
  return v_source;
end
$$;

comment on function sluice._check_http_source(jsonb) is
  'Refuses (SL005) an HTTP source with unknown settings, values out of range, settings that do not fit together, or a secret in it; returns it without nulls.';
