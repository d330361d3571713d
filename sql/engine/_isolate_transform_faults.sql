create or replace function sluice._isolate_transform_faults(p_trial text, p_probe text, p_columns text[], p_search_path text)
returns void
language plpgsql volatile
set search_path = ''
as $$
declare
  v_from       tid := '(0,0)';
  v_record     record;
  v_place      bigint;
  v_sqlstate   text;
  v_message    text;
  v_detail     text;
  v_constraint text;
  v_column     text;
  v_repeats    integer := 0;
begin
  perform set_config('search_path', p_search_path, true); -- to the end of this function
  -- Prepared, as planning would cost more than running them once for each fault.
  perform sluice._prepare('sluice_trial', p_trial);
  perform sluice._prepare('sluice_probe', p_probe);
  loop
    perform setval('pg_temp.sluice_place', 1, false);
    begin
      execute format('execute sluice_trial(%L)', v_from);
      return;
    exception when others then
      if not sluice._is_record_fault(sqlstate) then
        raise;
      end if;
      v_place := sluice._place();
      if v_place = 0 then
        raise; -- raised before any record was looked at
      end if;
    end;

    -- Staging was filled by copy alone, so physical order is the order of the records.
    select s.ctid as row_id, s.ordinal into v_record
    from pg_temp.sluice_staging s where s.ctid > v_from offset v_place - 1 limit 1;

    perform setval('pg_temp.sluice_place', 1, false);
    begin
      execute format('execute sluice_probe(%L)', v_record.row_id);
      -- Not this record's fault alone. Once is chance (a volatile transform); twice is not.
      v_repeats := v_repeats + 1;
      if v_repeats > 1 then
        execute format('execute sluice_trial(%L)', v_from);
      end if;
      continue;
    exception when others then
      get stacked diagnostics v_sqlstate = returned_sqlstate, v_message = message_text, v_detail = pg_exception_detail,
        v_constraint = constraint_name, v_column = column_name;
      if not sluice._is_record_fault(v_sqlstate) then
        raise;
      end if;
    end;
    v_place := sluice._place();
    insert into pg_temp.sluice_faults (ordinal, sqlstate, message, detail, constraint_name, column_name)
    values (v_record.ordinal, v_sqlstate, v_message, nullif(v_detail, ''), nullif(v_constraint, ''),
      coalesce(p_columns[nullif(v_place, 0)], nullif(v_column, '')));
    v_from := v_record.row_id;
    v_repeats := 0;
  end loop;
end
$$;

comment on function sluice._isolate_transform_faults(text, text, text[], text) is
  'Notes every staged record that the transform cannot turn into rows. Reads only: a trial over all records is started again behind each record that raised, so that one pass finds them all and no subtransaction takes an id.';
