create or replace function sluice.transform_batch(origins jsonb default '[]')
returns table (extracted bigint, transformed bigint, filtered bigint, quarantined bigint, produced bigint)
language plpgsql volatile
set search_path = ''
set timezone = 'UTC'
set datestyle = 'ISO, MDY'
set intervalstyle = 'postgres'
set extra_float_digits = 1
set bytea_output = 'hex'
set client_encoding = 'UTF8'
set standard_conforming_strings = on
set jit = off
as $$
declare
  v_batch   record;
  v_counted record;
  v_check   text;
begin
  begin
    select * into strict v_batch from pg_temp.sluice_batch, pg_temp.sluice_compiled;
  exception when no_data_found or undefined_table then
    raise exception using errcode = 'SL002', message = 'no batch is open in this transaction',
      hint = 'begin; select * from sluice.begin_batch(...) comes first';
  end;
  update pg_temp.sluice_batch set origins = transform_batch.origins;

  insert into pg_temp.sluice_faults (ordinal, sqlstate, message)
  select u.ordinal, u.sqlstate, u.message from pg_temp.sluice_unreadable u;

  perform set_config('search_path', v_batch.search_path, true);
  begin
    execute v_batch.load_sql;
  exception when others then
    if not sluice._is_record_fault(sqlstate) then
      raise;
    end if;
    -- Some record cannot be transformed. Find all such records without writing, then write
    -- the rest in one go.
    perform sluice._isolate_transform_faults(v_batch.trial_sql, v_batch.probe_sql, v_batch.columns, v_batch.search_path);
    execute v_batch.load_sql;
  end;
  perform set_config('search_path', '', true);

  insert into pg_temp.sluice_faults (ordinal, sqlstate, message, constraint_name, column_name)
  select distinct on (r.sluice_ordinal) r.sluice_ordinal,
    coalesce(rule ->> 'sqlstate', 'SL100'), coalesce(rule ->> 'message', r.sluice_reject),
    rule ->> 'constraint_name', rule ->> 'column_name'
  from pg_temp.sluice_rows r
  left join jsonb_array_elements(v_batch.rules) rule on (rule ->> 'rule')::smallint = r.sluice_rule
  where r.sluice_rule is not null
  order by r.sluice_ordinal, r.ctid;
  perform sluice._mark_faulty_rows();

  foreach v_check in array v_batch.reference_checks loop
    perform sluice._check_reference(v_check, null);
  end loop;
  if cardinality(v_batch.reference_checks) > 0 then
    perform sluice._mark_faulty_rows();
  end if;
  execute v_batch.superseded_sql;

  v_counted := sluice._count_records();
  update pg_temp.sluice_batch set
    extracted = v_counted.extracted, transformed = v_counted.transformed, filtered = v_counted.filtered,
    quarantined = v_counted.quarantined, produced = v_counted.produced, superseded = v_counted.superseded;
  return query select v_counted.extracted, v_counted.transformed, v_counted.filtered, v_counted.quarantined, v_counted.produced;
end
$$;

comment on function sluice.transform_batch(jsonb) is
  'Second step of a batch: parses, transforms, types, hashes and validates the staged payloads. Writes temporary tables only. origins: where the records came from, [{"first_ordinal": 0, "origin": "drop/a.ndjson"}, ...]. Runs under UTC, ISO dates and the search_path of the definition, so that the result does not depend on who runs it.';
