create or replace function sluice._refuse_hidden_rows(p_pipeline text, p_target oid)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if row_security_active(p_target) then
    raise exception using errcode = 'insufficient_privilege',
      message = format('pipeline %s: row security of %s applies to %s, and would hide rows', p_pipeline,
        p_target::regclass, current_user),
      hint = format('do this as the owner of the table, or: alter role %I bypassrls', current_user);
  end if;
end
$$;

comment on function sluice._refuse_hidden_rows(text, oid) is
  'Rows of a target that row security hides from the current role would be taken to be missing: 42501 instead.';
