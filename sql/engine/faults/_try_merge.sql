create or replace function sluice._try_merge(
  p_trial text, p_batch_id bigint, p_first integer, p_last integer,
  out is_good boolean, out place bigint, out sqlstate_ text, out message text, out detail text, out constraint_name text, out column_name text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('search_path', (select c.search_path from pg_temp.sluice_compiled c), true);
  for v_attempt in 1 .. 2 loop
    perform setval('pg_temp.sluice_place', 1, false);
    begin
      execute p_trial using p_batch_id, p_first, p_last;
      set constraints all immediate;
      raise exception using errcode = 'SL999', message = 'a trial always rolls back';
    exception
      when sqlstate 'SL999' then
        is_good := true;
        return;
      when others then
        get stacked diagnostics sqlstate_ = returned_sqlstate, message = message_text, detail = pg_exception_detail,
          constraint_name = constraint_name, column_name = column_name;
        if not sluice._is_record_fault(sqlstate_) then
          raise;
        end if;
        is_good := false;
        place := sluice._place();
    end;
    -- A unique violation may be another session's insert that was not visible yet.
    exit when sqlstate_ <> '23505';
  end loop;
end
$$;

comment on function sluice._try_merge(text, bigint, integer, integer) is
  'Tries to merge some records and always rolls back; says whether they merge, and if not, why and how far it came.';
