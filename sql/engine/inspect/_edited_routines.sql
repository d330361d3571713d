-- The engine's functions that are not as sluice installed them: edited, added beside one of the same name, or dropped.
-- Nobody can tell (null) until they have been installed once by a version that noted what they were.
create or replace function sluice._edited_routines()
returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case when e.routine_hashes is not null then array(
    select coalesce(i.routine, n.routine)
    from jsonb_each_text(e.routine_hashes) i (routine, hash)
    full join jsonb_each_text(sluice._routine_hashes()) n (routine, hash) on n.routine = i.routine
    where n.hash is distinct from i.hash order by 1) end
  from sluice.engine e
$$;

comment on function sluice._edited_routines() is
  'The engine''s functions that were edited by hand since they were installed; null if nobody can tell.';

-- By what a dump carries to other servers and versions of PostgreSQL.
create or replace function sluice._routine_hashes()
returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off
as $$
  select jsonb_object_agg(p.oid::regprocedure, encode(substr(sha256(convert_to(jsonb_build_array(p.prosrc, l.lanname,
    p.provolatile, p.prosecdef, p.proisstrict, p.proconfig, pg_get_function_arguments(p.oid),
    pg_get_function_result(p.oid))::text, 'UTF8')), 1, 8), 'hex'))
  from pg_proc p
  join pg_language l on l.oid = p.prolang
  where p.pronamespace = 'sluice'::regnamespace
    and p.proname = any (array(select unnest(e.routines) from sluice.engine e))
$$;
