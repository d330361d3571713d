-- A standby will be a primary, perhaps: loaders wait for that (25006). What a role is set to nobody changes meanwhile.
create or replace function sluice._refuse_read_only()
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('transaction_read_only')::boolean and current_setting('default_transaction_read_only')::boolean
    and not pg_is_in_recovery() and exists (
      -- By the server's own configuration it is for a time, as where a disk is full.
      select from pg_settings s where s.name = 'default_transaction_read_only'
        and s.source in ('database', 'user', 'database user', 'client', 'session')) then
    raise insufficient_privilege using
      message = format('transactions of %I begin read only here, by default_transaction_read_only', current_user),
      hint = format('alter role %I set default_transaction_read_only = off', session_user);
  end if;
end
$$;

comment on function sluice._refuse_read_only() is
  'Refuses a session whose transactions cannot write, whatever server it is on, before that is taken for a failover.';
