-- Whose fault is an error?
--
--   of its record   data exceptions (22), constraints (23), rejections, a RAISE, values too large or nested too
--                   deeply; never anybody else's
--   of the run      the connection, the server, the transaction, rights, the engine: never a record's
--   by trial        everything else. Input functions raise what they like (ltree 42601, regclass 42P01, xpath and
--                   PostGIS XX000), and so does code that is broken. It is the record's own if the record raises
--                   it alone, too, and other records pass.
create or replace function sluice._is_record_fault(p_sqlstate text)
returns boolean
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select left(p_sqlstate, 2) in ('22', '23') or p_sqlstate in ('SL100', 'P0001', '54000', '54001')
$$;

comment on function sluice._is_record_fault(text) is
  'Whether an error is a single record''s own fault whatever becomes of other records.';

-- Whether an error is never a record's fault: it is retried or fails the run.
create or replace function sluice._is_run_fault(p_sqlstate text)
returns boolean
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
-- Not in SQL, which would be planned again for every error.
begin
  return p_sqlstate <> 'SL100' and (left(p_sqlstate, 2) in (
      '08', -- connection
      '0B', '25', '2D', '34', '24', '3B', '40', -- transaction, cursors
      '0L', '0P', '28', '3D', -- roles, databases
      '53', '55', '57', '58', 'F0', -- resources, locks, operators, disk
      'HV', -- another server
      'SL')
    or p_sqlstate in ('42501', 'XX001', 'XX002')); -- rights; corrupted data and indexes
end
$$;

-- Whether an error that a record of the open batch raised may be its own fault.
create or replace function sluice._may_be_own_fault(p_ordinal integer, p_sqlstate text, p_message text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if sluice._is_run_fault(p_sqlstate) then
    return false;
  end if;
  if left(p_sqlstate, 2) not in ('3F', '42') or p_sqlstate in ('42601', '42602', '42622') then
    return true;
  end if;
  -- Something does not exist, or is not what it should be. Broken code names what it lacks; a value of type regclass
  -- and the like is itself what is lacking.
  begin
    return exists (
      select from (
        select s.payload::jsonb as doc from pg_temp.sluice_staging s where s.ordinal = p_ordinal
        union all
        select to_jsonb(f.*) from pg_temp.sluice_fields f where f.sluice_ordinal = p_ordinal) r
      cross join regexp_matches(lower(p_message), '["«»„“”]([^"«»„“”]+)["«»„“”]', 'g') m
      cross join jsonb_path_query(r.doc, 'strict $.** ? (@.type() == "string")') x (value)
      where strpos(lower(x.value #>> '{}'), m[1]) > 0);
  exception when invalid_text_representation then
    return false; -- the payload is no JSON
  end;
end
$$;

-- Raises the error of the fault noted for a record, which was judged by trial, unless other records pass: what all of
-- them raise is not the fault of each.
create or replace function sluice._refuse_common_fault(p_ordinal integer, p_others_pass boolean)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_few constant integer := 10;
  v_fault record;
begin
  -- A comparison loads nothing, and shows what either version makes of each record.
  if p_others_pass or exists (select from pg_temp.sluice_batch b where b.kind = 'compare') then
    return;
  end if;
  -- A few records, and those of a replay, say little by themselves: then what the version has loaded before counts.
  if exists (
    select from pg_temp.sluice_batch b, pg_temp.sluice_compiled c
    where (b.kind = 'replay' or b.extracted < v_few) and exists (
      select from sluice.batches l
      where l.pipeline_id in (b.pipeline_id, b.owner_id) and l.version = c.version and l.transformed > 0))
  then
    return;
  end if;
  select f.sqlstate, f.message, coalesce(f.detail, '') as detail into v_fault
  from pg_temp.sluice_faults f where f.ordinal = p_ordinal;
  raise exception using errcode = v_fault.sqlstate, message = v_fault.message, detail = v_fault.detail,
    hint = 'every record of the batch fails, so it is the fault of the transform or of the target, not of a record';
end
$$;

-- How many places a trial noted before it raised.
create or replace function sluice._place()
returns bigint
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select case when is_called then last_value else 0 end from pg_temp.sluice_place
$$;
