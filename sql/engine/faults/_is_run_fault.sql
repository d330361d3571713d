create or replace function sluice._is_run_fault(p_sqlstate text)
returns boolean
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
-- Not in SQL, which would be planned anew for every error.
begin
  return p_sqlstate <> 'SL100' and (left(p_sqlstate, 2) in (
      '08', -- connection
      '0B', '25', '2D', '34', '24', '3B', '40', -- transaction, cursors
      '0L', '0P', '28', '3D', -- roles, databases
      '53', '55', '57', '58', 'F0', -- resources, locks, operators, disk
      'HV', -- another server
      'SL')
    or p_sqlstate in ('42501', 'XX001', 'XX002')); -- rights; corrupted data and indexes
end
$$;

comment on function sluice._is_run_fault(text) is
  'Whether an error is never a record''s fault: it retries or fails the run.';
