create or replace function sluice._grant_rights()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  -- What looks and changes nothing, by name: volatility would be a guess.
  v_readers constant text[] := array[
    'doctor', 'definition', 'pipeline_name', 'find_quarantined', 'verify', 'statements', 'merge_sql', 'preview_rewind',
    'pipeline_holder', 'source_state', 'source_news', 'run_order', 'why', 'drift', 'explain_call', 'compare',
    'compare_records', 'captured_changes', 'raw_records', 'retained',
    'transform_batch', -- by which why and compare try records
    'begin_source_check', 'begin_checked_batch', 'find_differences', 'note_differences', 'note_due', 'differing_places',
    'finish_source_check', 'source_differences',
    'file_source', 'object_source', 'http_source', 'since', 'connection', 'postgres_source', 'mysql_source',
    'sqlite_source', 'program_source', 'http_delivery', 'postgres_delivery', 'parcel', 'webhook_signature',
    'also_target',
    'page_number_paging', 'offset_paging', 'cursor_paging', 'next_link_paging', 'link_header_paging',
    'basic_auth', 'bearer_auth', 'header_auth', 'param_auth', 'oauth2_auth'];
  v_routine record;
begin
  for v_routine in
    select p.oid::regprocedure::text as name,
      -- Private ones run with their caller's rights, and readers have none to write with; but not those that run with
      -- the owner's.
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
    perform sluice._grant_to_operators();
  end if;
  if to_regrole('sluice_monitor') is not null then
    perform sluice._grant_to_monitors();
  end if;
  perform sluice._guard_tables();
end
$$;

comment on function sluice._grant_rights() is
$$Rights of the engine's roles: sluice_reader sees (tables, views, and the functions that change nothing),
sluice_operator defines and runs what is its own (_guard_tables), sluice_monitor sees counts. Nobody else may call the
functions, but for reject.$$;

-- Of rows that are theirs. What is history is added to and not changed, columns that say what a row is of stay; nobody
-- writes through views, as sluice.owners sees more than its reader.
create or replace function sluice._grant_to_operators()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_relation record;
begin
  revoke all on all tables in schema sluice from sluice_operator;
  revoke all on all sequences in schema sluice from sluice_operator;
  for v_relation in
    select c.oid::regclass as name, case
        when c.relkind = 'v' or c.relname in ('engine', 'pruned', 'pruned_batches', 'raw_chunks',
          'refinery_schema_history') then 'select'
        when c.relname in ('activations', 'batches', 'quarantine_events') or c.relname ~ '^raw_[0-9]'
          then 'select, insert'
        when c.relname = 'raw_days' then 'select, insert, delete'
        when kept.columns is not null then 'select, insert, update (' || changing.columns || ')'
          || case c.relname when 'pipelines' then ', delete' else '' end
        else 'select, insert, update, delete' end as rights
    from pg_class c
    left join (values
      ('etl_state', '{pipeline_id}'::name[]),
      ('pipelines', '{pipeline_id,name,created_at,created_by,backfill_of}'),
      ('quarantine', '{quarantine_id,pipeline_id,first_seen_at,first_batch_id}'),
      ('runs', '{run_id,pipeline_id,epoch,started_at,loader,started_by}'),
      ('transforms', '{pipeline_id,version,defined_at,defined_by}')) kept (name, columns) on kept.name = c.relname
    cross join lateral (
      select string_agg(quote_ident(a.attname), ', ') as columns from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attname <> all (kept.columns)) changing
    where c.relnamespace = 'sluice'::regnamespace and c.relkind in ('r', 'v') and pg_has_role(c.relowner, 'usage')
  loop
    execute format('grant %s on %s to sluice_operator', v_relation.rights, v_relation.name);
  end loop;
  grant usage on all sequences in schema sluice to sluice_operator;
  grant select on sequence sluice.batch_id to sluice_operator;
  grant execute on all functions in schema sluice to sluice_operator;
  -- On a table of their own these would make and drop those of others.
  revoke execute on function sluice._make_raw_table(), sluice._drop_raw_table() from sluice_operator;
end
$$;

-- Grants them once a DBA has made a role after the installation; says whether there was anything to grant.
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
      or (r.rolname = 'sluice_monitor' and not has_table_privilege(r.oid, 'sluice.status', 'select'))
  ) then
    return false;
  end if;
  perform sluice._grant_rights();
  return true;
end
$$;
