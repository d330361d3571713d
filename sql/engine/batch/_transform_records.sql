-- Turns staged records into checked rows in sluice_rows: all that are not known, or only p_ordinals. Runs under fixed
-- settings and the search_path of the definition, so that the result does not depend on who runs it. records, rows:
-- how many there are if one look has shown that none is bad or superseded; null otherwise.
create or replace function sluice._transform_records(p_ordinals integer[], out records bigint, out rows bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
set jit = off
as $$
declare
  v      sluice.compiled;
  v_look record;
begin
  for v in select * from pg_temp.sluice_targets t order by t.number loop
    if v.number = 1 and v.slice_sql is not null and exists (select from pg_temp.sluice_staging) then
      perform sluice._slice_payloads(v.slice_sql, p_ordinals);
    end if;
    perform set_config('search_path', v.search_path, true);
    begin
      execute v.transform_sql using p_ordinals;
    exception when others then
      if sluice._is_run_fault(sqlstate) then
        raise;
      end if;
      -- Some record cannot be transformed: again, past all such records.
      execute v.transform_past_faults_sql using p_ordinals;
    end;
    perform set_config('search_path', 'pg_catalog, pg_temp', true);
    select * into v_look from sluice._look_at_rows(v) where p_ordinals is null;
    if v_look.are_sound then
      perform sluice._check_references(null);
      if not exists (select from pg_temp.sluice_faults) then
        records := v_look.records;
        rows := v_look.rows;
      end if;
      return;
    end if;
    perform sluice._note_broken_rules(v);
  end loop;
  if (select b.has_children from pg_temp.sluice_batch b) then
    perform sluice._note_orphans(p_ordinals);
  end if;
  perform sluice._mark_faulty_rows();
  perform sluice._check_references(p_ordinals);
  perform sluice._mark_superseded_rows(p_ordinals is null);
end
$$;

comment on function sluice._transform_records(integer[]) is
  'Turns staged records into typed, hashed and checked rows.';

-- Whether the rows of all records, for the only target, are sound: none breaks a rule, and each has a key of its own.
-- One pass instead of three, and only if it is cheap.
create or replace function sluice._look_at_rows(
  p_target sluice.compiled, out records bigint, out rows bigint, out are_sound boolean)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if sluice._sorts_cheaply(p_target.target, p_target.key)
    and not (select b.has_children from pg_temp.sluice_batch b)
    and not exists (select from pg_temp.sluice_faults)
  then
    execute format($sql$select count(distinct r.sluice_ordinal), count(*),
  count(r.sluice_rule) = 0 and count(distinct r.%I) = count(*) from pg_temp.sluice_rows r$sql$, p_target.key[1])
      into records, rows, are_sound;
  end if;
end
$$;

-- Records whose rows the transform rejects, or that break a rule of the target.
create or replace function sluice._note_broken_rules(p_target sluice.compiled)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into pg_temp.sluice_faults (ordinal, sqlstate, message, constraint_name, column_name)
  select distinct on (r.sluice_ordinal) r.sluice_ordinal,
    coalesce(rule ->> 'sqlstate', 'SL100'), coalesce(rule ->> 'message', r.sluice_reject),
    rule ->> 'constraint_name', rule ->> 'column_name'
  from pg_temp.sluice_rows r
  left join jsonb_array_elements(p_target.rules) rule on (rule ->> 'rule')::smallint = r.sluice_rule
  where r.sluice_rule is not null and r.sluice_state is null and r.tableoid = p_target.rows_table
    and r.sluice_ordinal not in (select ordinal from pg_temp.sluice_faults)
  order by r.sluice_ordinal, r.sluice_line;
end
$$;

-- For a transform that takes a row: the fields of records that came as payloads, as in a replay, or because the
-- loader could not take them apart. A payload that is not a JSON object is its record's fault.
create or replace function sluice._slice_payloads(p_statement text, p_ordinals integer[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  execute p_statement using p_ordinals;
exception when data_exception or program_limit_exceeded then
  insert into pg_temp.sluice_faults (ordinal, sqlstate, message, detail)
  select s.ordinal, f.sqlstate_, f.message, nullif(f.detail, '')
  from pg_temp.sluice_staging s cross join lateral sluice._fault_of_json(s.payload) f
  where (p_ordinals is null or s.ordinal = any (p_ordinals)) and f.sqlstate_ is not null
    and s.ordinal not in (select ordinal from pg_temp.sluice_faults)
    and s.ordinal not in (select ordinal from pg_temp.sluice_known);
  execute p_statement using p_ordinals;
end
$$;

-- What is raised when a payload is taken apart as an object, if anything is. Only reads, so its subtransaction takes
-- no id.
create or replace function sluice._fault_of_json(p_payload text, out sqlstate_ text, out message text, out detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform from json_to_record(p_payload::json) as r (nothing text);
exception when data_exception or program_limit_exceeded then
  get stacked diagnostics sqlstate_ = returned_sqlstate, message = message_text, detail = pg_exception_detail;
  if sqlstate_ = '22023' then
    message := 'the record is not a JSON object, so it has no fields';
  end if;
end
$$;
