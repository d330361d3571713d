-- Whose fault is an error?
--
--   of its record   data exceptions (22), constraints (23), rejections, a RAISE, values too large or nested too
--                   deeply; never anybody else's
--   of the run      the connection, the server, the transaction, rights, the engine: never a record's
--   by trial        everything else. Input functions raise what they like (ltree 42601, regclass 42P01, xpath and
--                   PostGIS XX000), and so does code that is broken. It is the record's own if the record raises
--                   it alone, too, and other records pass.
create or replace function sluice._is_record_fault(p_sqlstate text)
returns boolean
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select left(p_sqlstate, 2) in ('22', '23') or p_sqlstate in ('SL100', 'P0001', '54000', '54001')
$$;

comment on function sluice._is_record_fault(text) is
  'Whether an error is a single record''s own fault whatever becomes of other records.';
