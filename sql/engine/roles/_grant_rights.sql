create or replace function sluice._grant_rights()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  -- What looks and changes nothing, by name: volatility would be a guess.
  v_readers constant text[] := array[
    'doctor', 'definition', 'pipeline_name', 'find_quarantined', 'verify', 'statements', 'merge_sql', 'preview_rewind',
      'pipeline_holder', 'source_state',
    'why', 'drift', 'explain_call', 'compare', 'compare_records', 'captured_changes', 'raw_records', 'retained',
    'transform_batch', -- by which why and compare try records
    'begin_source_check', 'begin_checked_batch', 'find_differences', 'note_differences', 'note_due', 'differing_places',
      'finish_source_check', 'source_differences',
    'file_source', 'object_source', 'http_source', 'since', 'connection', 'postgres_source', 'mysql_source',
    'sqlite_source', 'program_source', 'http_delivery', 'postgres_delivery', 'parcel',
    'webhook_signature', 'also_target',
    'page_number_paging', 'offset_paging', 'cursor_paging', 'next_link_paging', 'link_header_paging',
    'basic_auth', 'bearer_auth', 'header_auth', 'param_auth', 'oauth2_auth'];
  v_routine record;
begin
  for v_routine in
    select p.oid::regprocedure::text as name,
      -- Private ones have their caller's rights, and readers have none to write by; but for those of the owner's.
      p.proname = any (v_readers) or p.proname like '\_%' and not p.prosecdef as is_for_readers
    from pg_proc p where p.pronamespace = 'sluice'::regnamespace and pg_has_role(p.proowner, 'usage')
  loop
    execute format('revoke all on function %s from public', v_routine.name);
    if v_routine.is_for_readers and to_regrole('sluice_reader') is not null then
      execute format('grant execute on function %s to sluice_reader', v_routine.name);
    end if;
  end loop;
  -- Any user may own a transform that rejects.
  grant usage on schema sluice to public;
  grant execute on function sluice.reject(text, text) to public;
  if to_regrole('sluice_reader') is not null then
    grant select on all tables in schema sluice to sluice_reader;
    -- why, compare and a check of the source try records in a batch of their own, which is never loaded.
    grant usage on sequence sluice.batch_id to sluice_reader;
  end if;
  if to_regrole('sluice_operator') is not null then
    grant select, insert, update, delete on all tables in schema sluice to sluice_operator;
    revoke insert, update, delete on sluice.engine from sluice_operator;
    grant usage on all sequences in schema sluice to sluice_operator;
    -- A copy of a table brings numbers of batches that must not be given again.
    grant update on sequence sluice.batch_id to sluice_operator;
    grant execute on all functions in schema sluice to sluice_operator;
  end if;
end
$$;

comment on function sluice._grant_rights() is
$$Rights of the engine's roles: sluice_reader sees (tables, views, and the functions that change nothing),
sluice_operator defines and runs. Nobody else may call the functions, but for reject.$$;

-- Grants them when a DBA made a role after the installation; says whether there was any to grant.
create or replace function sluice._grant_to_new_roles()
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from pg_roles r
    where (r.rolname = 'sluice_reader' and not has_table_privilege(r.oid, 'sluice.status', 'select'))
      or (r.rolname = 'sluice_operator' and not has_function_privilege(r.oid, 'sluice.verify(text, boolean)',
        'execute'))
  ) then
    return false;
  end if;
  perform sluice._grant_rights();
  return true;
end
$$;
