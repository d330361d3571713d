create or replace function sluice.reject(code text, detail text default null)
returns text
language plpgsql volatile parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'SL100', message = code, detail = coalesce(detail, '');
end
$$;

comment on function sluice.reject(text, text) is
$$Sends the record at hand to quarantine from inside an expression of a transform. SQLSTATE SL100, code is the message,
detail stands beside it. Never returns; cast it where another type than text is wanted.
Example: coalesce(doc->>'sku', sluice.reject('no sku'))$$;
