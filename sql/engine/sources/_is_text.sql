create or replace function sluice._is_text(p_payload bytea)
returns boolean
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform convert_from(p_payload, 'UTF8');
  return true;
exception when character_not_in_repertoire or untranslatable_character then
  return false;
end
$$;

comment on function sluice._is_text(bytea) is
  'Whether bytes can be shown as text.';
