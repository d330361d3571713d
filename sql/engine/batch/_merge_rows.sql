-- The live rows of the batch into the target. What the merge will do is counted beforehand, and what it says it
-- did has to be that. Records that fail in it (a second unique constraint, a trigger, a deferred constraint) are
-- found by trial, and the merge is done again without them.
create or replace function sluice._merge_rows(
  out inserted bigint, out updated bigint, out deleted bigint, out unchanged bigint, out stale bigint,
  out outdated bigint, out places tid[])
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v          sluice.compiled;
  v_done     record;
  v_noted    bigint;
  v_attempts integer := 0;
begin
  select * into strict v from pg_temp.sluice_compiled;
  loop
    outdated := sluice._mark_outdated_rows();
    places := null;
    begin
      perform sluice._capture_changes((select b.batch_id from pg_temp.sluice_batch b));
      if not exists (select from pg_temp.sluice_rows where sluice_state is null) then
        select 0, 0, 0, 0, 0 into inserted, updated, deleted, unchanged, stale;
        return;
      end if;
      if v.insert_sql is not null and not sluice._overlaps_target(v.overlap_sql) then
        -- All new: what the merge comes to, without its join.
        select count(*), 0, 0, 0, 0 into inserted, updated, deleted, unchanged, stale
        from pg_temp.sluice_rows where sluice_state is null;
        v_noted := sluice._note_deliveries(v.outbox_sql);
        v_done := sluice._execute_insert(v.insert_sql, v.search_path, v.keeps_places);
        places := v_done.places;
        exit when v_done.written = inserted and coalesce(v_noted = inserted, true);
      else
        perform sluice._plan_by_index('sluice_count', v.count_sql);
        execute 'execute sluice_count' into inserted, updated, deleted, unchanged, stale;
        exit when inserted + updated + deleted = 0;
        v_noted := sluice._note_deliveries(v.outbox_sql);
        v_done := sluice._execute_merge(v.merge_sql, v.search_path, v.target, v_attempts > 0);
        exit when v_done.written = inserted + updated + deleted
          and coalesce(v_noted = inserted + updated + deleted, true)
          and coalesce((v_done.inserted, v_done.updated, v_done.deleted) = (inserted, updated, deleted), true);
      end if;
      -- Another session wrote to the target between the count and the merge, or a trigger
      -- swallowed a row. Undo and look again; what stays is a trigger.
      raise exception using errcode = 'SL004', message = 'the books of the merge do not balance';
    exception
      when sqlstate 'SL004' then
        v_attempts := v_attempts + 1;
        if v_attempts >= 3 then
          raise exception using errcode = 'SL004',
            message = format('%s rows were to be written to %s, but %s were%s', inserted + updated + deleted,
              v.target::regclass, v_done.written,
              case when v_done.inserted is not null then
                format(' (%s inserted, %s updated, %s deleted instead of %s, %s, %s)',
                  v_done.inserted, v_done.updated, v_done.deleted, inserted, updated, deleted) end),
            detail = coalesce(sluice._row_triggers(v.target), ''),
            hint = 'a trigger that returns null makes a row vanish: let it raise an exception (the record is '
              'quarantined) or filter in the transform';
        end if;
      when others then
        if sluice._is_run_fault(sqlstate) then
          raise;
        end if;
        if not sluice._isolate_merge_faults() then
          v_attempts := v_attempts + 1;
          if v_attempts >= 3 then
            raise; -- no record fails by itself or together with others: not a record's fault
          end if;
        end if;
        perform sluice._mark_faulty_rows();
        perform sluice._mark_superseded_rows();
    end;
  end loop;
  perform sluice._bury_deleted_keys();
end
$$;

comment on function sluice._merge_rows() is
$$Merges the live rows of the batch and returns what was done. outdated: rows that were left out beforehand, see
sluice._outdated_sql. places: where the rows stand, if all were inserted. SL004: a trigger swallows rows.$$;

-- Whether rows of the batch may meet rows of the target; false if they certainly do not.
create or replace function sluice._overlaps_target(p_statement text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
-- The look into the index, however few rows the planner thinks it would have to read instead.
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  v_overlaps boolean;
begin
  execute p_statement into v_overlaps;
  return v_overlaps;
end
$$;

-- A tombstone for every key the batch deleted, none for those it brought back.
create or replace function sluice._bury_deleted_keys()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v sluice.compiled;
begin
  select * into v from pg_temp.sluice_compiled;
  if exists (select from sluice.tombstones d where d.target = sluice._qualified_name(v.target)) then
    execute v.revive_sql;
  end if;
  if v.has_deleted and exists (select from pg_temp.sluice_rows s where s.sluice_state is null and s.sluice_deleted) then
    execute v.bury_sql;
  end if;
end
$$;

-- What may make a row vanish that a statement was to write; null where there is none.
create or replace function sluice._row_triggers(p_target oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 'before row triggers: ' || string_agg(t.tgname, ', ' order by t.tgname) from pg_trigger t
  where t.tgrelid = p_target and not t.tgisinternal and t.tgtype & 3 = 3
$$;
