create or replace function sluice._merge_rows(
  p_batch_id bigint,
  out inserted bigint, out updated bigint, out deleted bigint, out unchanged bigint, out stale bigint, out outdated bigint, out places tid[])
language plpgsql volatile
set search_path = pg_catalog, pg_temp
-- Index lookups in the target only: the cost of a batch must not grow with the target, and a
-- temporary table without statistics invites a plan that reads all of it.
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_compiled record;
  v_done     record;
  v_written  bigint;
  v_actions  text;
  v_attempts integer := 0;
begin
  select * into strict v_compiled from pg_temp.sluice_compiled;
  loop
    outdated := sluice._mark_outdated_rows();
    places := null;
    v_actions := null;
    begin
      perform sluice._capture_changes(p_batch_id);
      if not exists (select from pg_temp.sluice_rows where sluice_state is null) then
        select 0, 0, 0, 0, 0 into inserted, updated, deleted, unchanged, stale;
        return;
      end if;
      if v_compiled.insert_sql is not null and not sluice._overlaps_target(v_compiled.overlap_sql) then
        -- All new: what the merge comes to, without its join.
        select count(*), 0, 0, 0, 0 into inserted, updated, deleted, unchanged, stale from pg_temp.sluice_rows where sluice_state is null;
        v_done := sluice._execute_insert(v_compiled.insert_sql, p_batch_id, v_compiled.keeps_places);
        v_written := v_done.written;
        places := v_done.places;
        exit when v_written = inserted;
      else
        execute v_compiled.count_sql into inserted, updated, deleted, unchanged, stale;
        exit when inserted + updated + deleted = 0;
        v_done := sluice._execute_merge(v_compiled.merge_sql, p_batch_id);
        v_written := v_done.written;
        exit when v_written = inserted + updated + deleted
          and coalesce((v_done.inserted, v_done.updated, v_done.deleted) = (inserted, updated, deleted), true);
        v_actions := case when v_done.inserted is not null then format(' (%s inserted, %s updated, %s deleted instead of %s, %s, %s)',
          v_done.inserted, v_done.updated, v_done.deleted, inserted, updated, deleted) end;
      end if;
      -- Another session wrote to the target between the count and the merge, or a trigger
      -- swallowed a row. Undo and look again; what stays is a trigger.
      raise exception using errcode = 'SL004', message = 'the books of the merge do not balance';
    exception
      when sqlstate 'SL004' then
        v_attempts := v_attempts + 1;
        if v_attempts >= 3 then
          raise exception using errcode = 'SL004',
            message = format('%s rows were to be written to %s, but %s were%s', inserted + updated + deleted, v_compiled.target::pg_catalog.regclass, v_written, v_actions),
            detail = coalesce('before row triggers: ' || (
              select string_agg(t.tgname, ', ' order by t.tgname) from pg_catalog.pg_trigger t
              where t.tgrelid = v_compiled.target and not t.tgisinternal and t.tgtype & 3 = 3), ''),
            hint = 'a trigger that returns null makes a row vanish: let it raise an exception (the record is quarantined) or filter in the transform';
        end if;
      when others then
        if not sluice._is_record_fault(sqlstate) then
          raise;
        end if;
        if not sluice._isolate_merge_faults(v_compiled.trial_merge_sql, p_batch_id) then
          v_attempts := v_attempts + 1;
          if v_attempts >= 3 then
            raise; -- no record fails by itself or together with others: not a record's fault
          end if;
        end if;
        perform sluice._mark_faulty_rows();
        perform sluice._mark_superseded_rows(v_compiled.superseded_sql);
    end;
  end loop;
  perform sluice._bury_deleted_keys(p_batch_id);
end
$$;

comment on function sluice._merge_rows(bigint) is
  'Merges the live rows of the batch and returns what was done, counted beforehand and compared with what the merge says. outdated: rows that were left out beforehand, see _outdated_sql. Records that fail in the merge are isolated, and the merge is done again without them. SL004: a trigger swallows rows.';
