-- Whether a text contains one of these; or a document does, as JSON writes it, with whatever is escaped.
create or replace function sluice._says(p_text text, p_texts text[])
returns boolean
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_text is null or p_texts = '{}' then
    return false;
  elsif exists (select from unnest(p_texts) t where position(t in p_text) > 0) then
    return true;
  elsif position('\' in p_text) = 0 then
    return false;
  end if;
  return exists (
    select from unnest(p_texts) t
    where position(trim(both '"' from to_jsonb(t)::text) in p_text::jsonb::text) > 0);
exception when data_exception or program_limit_exceeded then
  return false; -- it is no JSON, and says what it says
end
$$;

comment on function sluice._says(text, text[]) is 'Whether one of these texts stands in a text, or in what JSON it is.';

-- The same for the bytes of a record, which may not be text.
create or replace function sluice._payload_says(p_payload bytea, p_texts text[])
returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case when p_payload is null or p_texts = '{}' then false
    when sluice._is_text(p_payload) then sluice._says(convert_from(p_payload, 'UTF8'), p_texts)
    else exists (select from unnest(p_texts) t where position(convert_to(t, 'UTF8') in p_payload) > 0) end
$$;

-- What of a key can be looked for in texts that quote it: not a number, which would be found everywhere.
create or replace function sluice._texts_of_key(p_key jsonb)
returns text[]
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(k.value #>> '{}'), '{}') from jsonb_each(p_key) k
  where jsonb_typeof(k.value) = 'string' and length(k.value #>> '{}') >= 4
$$;
