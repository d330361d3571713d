-- The session decides how values become text, and text becomes values. Functions whose result must not depend on who
-- calls them set client_encoding to UTF8; the installer gives them the rest of these settings.
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
  -- What follows a backslash is parsed by the session's rules when a function is called or a statement made.
  for v_routine in
    select p.oid::regprocedure::text from pg_proc p
    where p.pronamespace = 'sluice'::regnamespace and p.prokind = 'f' and p.proconfig is not null
      and not p.proconfig && '{client_encoding=UTF8,standard_conforming_strings=on}'
      and (strpos(p.prosrc, chr(92)) > 0 or strpos(p.prosrc, 'execute ') > 0)
  loop
    execute format('alter routine %s set standard_conforming_strings = on', v_routine);
  end loop;
end
$$;

comment on function sluice._pin_settings() is
  'Gives the functions that set client_encoding the other settings that values depend on, and others that of quotes.';
