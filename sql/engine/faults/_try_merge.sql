create or replace function sluice._try_merge(
  p_first integer, p_last integer,
  out is_good boolean, out came_to integer, out sqlstate_ text, out message text, out detail text,
  out constraint_name text, out column_name text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_search_path text;
  v_targets     integer;
  v_waits       boolean := false;
  v             sluice.compiled;
begin
  select min(t.search_path), count(*) into v_search_path, v_targets from pg_temp.sluice_targets t;
  update pg_temp.sluice_batch set trial_first = p_first, trial_last = p_last;
  perform set_config('search_path', v_search_path, true);
  for v_attempt in 1 .. 2 loop
    perform setval('pg_temp.sluice_place', 1, false);
    begin
      if v_targets > 1 then
        set constraints all deferred;
        select d.has_waiting into v_waits from sluice._drop_children(p_first, p_last) d;
      end if;
      for v_number in 1 .. v_targets loop
        execute 'execute sluice_trial_merge_' || v_number;
      end loop;
      for v in select * from pg_temp.sluice_targets t where v_waits order by t.number desc loop
        perform sluice._take_up_dropped(v.number);
        perform sluice._drop_found(v, null, null);
        if sluice._take_up_rows(v.rows_table) then
          execute 'execute sluice_trial_merge_' || v.number;
        end if;
      end loop;
      set constraints all immediate;
      raise exception using errcode = 'SL999', message = 'a trial always rolls back';
    exception
      when sqlstate 'SL999' then
        is_good := true;
        return;
      when others then
        get stacked diagnostics sqlstate_ = returned_sqlstate, message = message_text, detail = pg_exception_detail,
          constraint_name = constraint_name, column_name = column_name;
        if sluice._is_run_fault(sqlstate_) then
          raise;
        end if;
        is_good := false;
        came_to := nullif(sluice._place(), 0) - 1;
    end;
    -- A unique violation may be another session's insert that was not visible yet.
    exit when sqlstate_ <> '23505';
  end loop;
end
$$;

comment on function sluice._try_merge(integer, integer) is
$$Merges the records from p_first to p_last and rolls back; says whether they merge, and if not, why and which record it
had come to, if it is known.$$;
