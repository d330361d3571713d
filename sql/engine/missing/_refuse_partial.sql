create or replace function sluice._refuse_partial(p_target oid, p_expected bigint, p_written bigint)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_triggers text := (
    select string_agg(t.tgname, ', ' order by t.tgname) from pg_catalog.pg_trigger t
    where t.tgrelid = p_target and not t.tgisinternal and t.tgtype & 3 = 3);
begin
  if v_triggers is null then
    raise exception using errcode = 'serialization_failure',
      message = format('missing rows of %s were changed by another session meanwhile', p_target::pg_catalog.regclass);
  end if;
  raise exception using errcode = 'SL004',
    message = format('%s missing rows were to be written to %s, but %s were', p_expected, p_target::pg_catalog.regclass, p_written),
    detail = 'before row triggers: ' || v_triggers,
    hint = 'a trigger that returns null keeps a row from being deleted: let the pipeline mark missing rows instead (missing => ''mark''), or keep them';
end
$$;

comment on function sluice._refuse_partial(oid, bigint, bigint) is
  'Raises when not all missing rows could be written: SL004 if a trigger may have swallowed some, else 40001, which passes.';
