create or replace function sluice._merge_rows(
  p_batch_id bigint, p_target oid, p_count text, p_merge text, p_trial text, p_superseded text,
  out inserted bigint, out updated bigint, out deleted bigint, out unchanged bigint, out stale bigint)
language plpgsql volatile
set search_path = ''
-- Index lookups in the target only: the cost of a batch must not grow with the target, and a
-- temporary table without statistics invites a plan that reads all of it.
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_done     record;
  v_attempts integer := 0;
begin
  loop
    begin
      execute p_count into inserted, updated, deleted, unchanged, stale;
      exit when inserted + updated + deleted = 0;
      v_done := sluice._execute_merge(p_merge, p_batch_id);
      exit when v_done.written = inserted + updated + deleted
        and coalesce((v_done.inserted, v_done.updated, v_done.deleted) = (inserted, updated, deleted), true);
      -- Another session wrote to the target between the count and the merge, or a trigger
      -- swallowed a row. Undo and look again; what stays is a trigger.
      raise exception using errcode = 'SL004', message = 'the books of the merge do not balance';
    exception
      when sqlstate 'SL004' then
        v_attempts := v_attempts + 1;
        if v_attempts >= 3 then
          raise exception using errcode = 'SL004',
            message = format('%s rows were to be written to %s, but %s were%s', inserted + updated + deleted, p_target::pg_catalog.regclass, v_done.written,
              case when v_done.inserted is null then '' else
                format(' (%s inserted, %s updated, %s deleted instead of %s, %s, %s)', v_done.inserted, v_done.updated, v_done.deleted, inserted, updated, deleted) end),
            detail = coalesce('before row triggers: ' || (
              select string_agg(t.tgname, ', ' order by t.tgname) from pg_catalog.pg_trigger t
              where t.tgrelid = p_target and not t.tgisinternal and t.tgtype & 3 = 3), ''),
            hint = 'a trigger that returns null makes a row vanish: let it raise an exception (the record is quarantined) or filter in the transform';
        end if;
      when others then
        if not sluice._is_record_fault(sqlstate) then
          raise;
        end if;
        if not sluice._isolate_merge_faults(p_trial, p_batch_id) then
          v_attempts := v_attempts + 1;
          if v_attempts >= 3 then
            raise; -- no record fails by itself or together with others: not a record's fault
          end if;
        end if;
        perform sluice._mark_faulty_rows();
        perform sluice._mark_superseded_rows(p_superseded);
    end;
  end loop;
end
$$;

comment on function sluice._merge_rows(bigint, oid, text, text, text, text) is
  'Merges the live rows of the batch and returns what was done, counted beforehand and compared with what the merge says. Records that fail in the merge are isolated, and the merge is done again without them. SL004: a trigger swallows rows.';
