-- The rows of all staged records, or of p_ordinals, that the transform of a target can make; the other records are
-- noted in sluice_faults. One pass: it continues after each record that raised, and no subtransaction writes, so none
-- takes an id (beyond 64 in one transaction every other session's snapshots would slow down). Whose fault it is: see
-- _is_record_fault.
create or replace function sluice._rows_past_faults(p_ordinals integer[], p_number integer default 1)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set work_mem = '64MB' -- the rows of one batch
as $$
declare
  v_enough constant integer := 100;
  v_compiled   record;
  v_from       tid := '(0,0)';
  v_place      bigint;
  v_record     record;
  v_sqlstate   text;
  v_message    text;
  v_detail     text;
  v_constraint text;
  v_column     text;
  v_is_alone   boolean;
  v_by_trial   integer[] := '{}';
begin
  select * into strict v_compiled from pg_temp.sluice_targets t where t.number = p_number;
  perform set_config('search_path', v_compiled.search_path, true); -- to the end of this function
  -- Prepared, as planning again for each fault would cost more than running them.
  perform sluice._prepare('sluice_trial', 'tid, integer[]', v_compiled.trial_sql);
  perform sluice._prepare('sluice_probe', 'tid', v_compiled.probe_sql);
  loop
    perform setval('pg_temp.sluice_place', 1, false);
    begin
      -- Rows returned before a record raises are kept: what a function has returned is not undone by a rollback. What
      -- the raising record itself returned is marked later.
      return query execute format('execute sluice_trial(%L, %L)', v_from, p_ordinals);
      exit;
    exception when others then
      get stacked diagnostics v_sqlstate = returned_sqlstate, v_message = message_text, v_detail = pg_exception_detail,
        v_constraint = constraint_name, v_column = column_name;
      v_place := sluice._place();
      -- Filled by copy, or from other tables in the order of the records: so the physical order is the order of the
      -- trial.
      if v_compiled.input_columns is null then
        select s.ctid as row_id, s.ordinal into v_record
        from pg_temp.sluice_staging s where s.ctid > v_from and s.ordinal = v_place - 1 limit 1;
      else
        select s.ctid as row_id, s.sluice_ordinal as ordinal into v_record
        from pg_temp.sluice_fields s where s.ctid > v_from and s.sluice_ordinal = v_place - 1 limit 1;
      end if;
      if v_place = 0 or not sluice._may_be_own_fault(v_record.ordinal, v_sqlstate, v_message) then
        raise; -- before any record was looked at, or no record's fault
      end if;
      v_is_alone := sluice._is_record_fault(v_sqlstate);
    end;

    -- Again by itself, to find the column. Even if it passes now, as with a volatile transform, it has raised, and
    -- its rows are not complete.
    perform setval('pg_temp.sluice_place', 1, false);
    v_place := 0;
    begin
      execute format('execute sluice_probe(%L)', v_record.row_id);
    exception when others then
      get stacked diagnostics v_sqlstate = returned_sqlstate, v_message = message_text, v_detail = pg_exception_detail,
        v_constraint = constraint_name, v_column = column_name;
      if not sluice._may_be_own_fault(v_record.ordinal, v_sqlstate, v_message) then
        raise;
      end if;
      v_place := sluice._place();
      v_is_alone := true;
    end;
    if not v_is_alone then
      raise exception using errcode = v_sqlstate, message = v_message, detail = v_detail,
        hint = 'the records pass one by one, so it is not the fault of one of them';
    end if;
    insert into pg_temp.sluice_faults (ordinal, sqlstate, message, detail, constraint_name, column_name)
    values (v_record.ordinal, v_sqlstate, v_message, nullif(v_detail, ''), nullif(v_constraint, ''),
      coalesce((v_compiled.input_columns || v_compiled.columns)[nullif(v_place, 0)], nullif(v_column, '')));
    v_from := v_record.row_id;
    if not sluice._is_record_fault(v_sqlstate) then
      v_by_trial := v_by_trial || v_record.ordinal;
      if cardinality(v_by_trial) = v_enough then
        perform sluice._refuse_common_fault(v_by_trial[1], exists (
          select from sluice._staged() s
          where s.ordinal < v_by_trial[v_enough] and s.ordinal not in (select f.ordinal from pg_temp.sluice_faults f)));
      end if;
    end if;
  end loop;
  if v_by_trial <> '{}' then
    perform sluice._refuse_common_fault(v_by_trial[1], exists (
      select from sluice._staged() s where s.ordinal not in (select f.ordinal from pg_temp.sluice_faults f)));
  end if;
end
$$;

comment on function sluice._rows_past_faults(integer[], integer) is
  'The rows of the staged records that the transform of a target can make; notes the other records in sluice_faults.';
