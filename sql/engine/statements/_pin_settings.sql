-- Values become text, and text becomes values, in the way of the session. Functions whose result must not
-- depend on who calls them set client_encoding to UTF8; the installer gives them the rest of these settings.
create or replace function sluice._pin_settings()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_routine text;
begin
  for v_routine in
    select p.oid::regprocedure::text from pg_proc p
    where p.pronamespace = 'sluice'::regnamespace and 'client_encoding=UTF8' = any (p.proconfig)
  loop
    execute format($sql$alter routine %s
  set timezone = 'UTC' set datestyle = 'ISO, MDY' set intervalstyle = 'postgres' set extra_float_digits = 1
  set bytea_output = 'hex' set standard_conforming_strings = on set quote_all_identifiers = off
  set lc_numeric = 'C' set lc_monetary = 'C' set lc_time = 'C' set array_nulls = on set transform_null_equals = off
  set xmloption = content set xmlbinary = base64 set timezone_abbreviations = 'Default'
  set default_text_search_config = 'pg_catalog.simple'$sql$, v_routine);
  end loop;
end
$$;

comment on function sluice._pin_settings() is
  'Gives the functions that set client_encoding the other settings that values depend on.';
