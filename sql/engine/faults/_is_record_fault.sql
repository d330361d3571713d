create or replace function sluice._is_record_fault(p_sqlstate text)
returns boolean
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select left(p_sqlstate, 2) in ('22', '23')
      or p_sqlstate in ('SL100', 'P0001', '54000', '54001')
$$;

comment on function sluice._is_record_fault(text) is
  'Whether an error may be a single record''s own fault: data exceptions (22), constraint violations (23), rejections, a trigger''s raise, values too large or nested too deeply. Everything else retries or fails the run and never blames a record.';
