create or replace function sluice._payload_has_key(p_payload bytea, p_key jsonb)
returns boolean
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_doc jsonb;
begin
  -- Most payloads are not worth parsing.
  if exists (select from jsonb_each_text(p_key) k where position(convert_to(k.value, 'UTF8') in p_payload) = 0) then
    return false;
  end if;
  v_doc := convert_from(p_payload, 'UTF8')::jsonb;
  return not exists (select from jsonb_each_text(p_key) k where v_doc ->> k.key is distinct from k.value);
exception when data_exception or program_limit_exceeded then
  return false; -- no text, or no JSON
end
$$;

comment on function sluice._payload_has_key(bytea, jsonb) is
  'Whether a payload is a document whose fields of these names have these values.';
