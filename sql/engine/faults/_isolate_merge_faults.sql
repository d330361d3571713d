-- Which records make the merge fail? Tries live records chunk by chunk for those that fail by themselves or with a
-- neighbour, then all together for those that fail only with a distant one. Every trial is rolled back.
create or replace function sluice._isolate_merge_faults()
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_chunk constant integer := 256;
  v_ordinals integer[];
  v_first    integer;
  v_last     integer;
  v_found    boolean := false;
  v_by_trial integer;
begin
  -- Citus plans at execution, and explains in sessions of its own, which have none of this session's temporary
  -- tables.
  perform case when t.fetch_sql is null
    then sluice._plan_by_index('sluice_trial_merge_' || t.number, t.trial_merge_sql, t.search_path)
    else sluice._prepare('sluice_trial_merge_' || t.number, null, t.trial_merge_sql) end
  from pg_temp.sluice_targets t;
  select array_agg(ordinal order by ordinal) into v_ordinals
  from (select distinct sluice_ordinal as ordinal from pg_temp.sluice_rows where sluice_state is null) o;
  v_first := 1;
  while v_first <= cardinality(v_ordinals) loop
    v_last := least(v_first + v_chunk - 1, cardinality(v_ordinals));
    while sluice._isolate_merge_fault(v_ordinals[v_first:v_last]) loop
      v_found := true;
    end loop;
    v_first := v_last + 1;
  end loop;
  while sluice._isolate_merge_fault(v_ordinals) loop
    v_found := true;
  end loop;
  select min(f.ordinal) into v_by_trial from pg_temp.sluice_faults f
  where f.ordinal = any (v_ordinals) and not sluice._is_record_fault(f.sqlstate);
  if v_by_trial is not null then
    perform sluice._refuse_common_fault(
      v_by_trial, exists (select from pg_temp.sluice_rows where sluice_state is null));
  end if;
  return v_found;
end
$$;

comment on function sluice._isolate_merge_faults() is
$$Notes the records that make the merge fail (a second unique constraint, an exclusion, a trigger, a deferred
constraint). False when there is none.$$;

-- Finds one record among p_ordinals that makes the merge fail and notes it; false when they merge.
create or replace function sluice._isolate_merge_fault(p_ordinals integer[])
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_enough constant integer := 100;
  v_live   integer[];
  v_all    record;
  v_one    record;
  v_guess  integer;
  v_low    integer;
  v_high   integer;
  v_middle integer;
begin
  -- Never more than the live rows; ordinals stay in order.
  select array_agg(o order by o) into v_live from unnest(p_ordinals) o
  where not exists (select from pg_temp.sluice_faults f where f.ordinal = o);
  if v_live is null then
    return false;
  end if;
  v_all := sluice._try_merge(v_live[1], v_live[cardinality(v_live)]);
  if v_all.is_good then
    return false;
  end if;

  -- The record at which the merge stopped is the most likely one: try it alone.
  v_guess := coalesce(v_all.came_to, v_live[1]);
  v_one := sluice._try_merge(v_guess, v_guess);
  if not sluice._may_be_own_fault(v_guess, v_all.sqlstate_, v_all.message)
    or v_one.is_good and not sluice._is_record_fault(v_all.sqlstate_)
  then
    raise exception using errcode = v_all.sqlstate_, message = v_all.message, detail = v_all.detail,
      hint = 'it is not the fault of one record: a trigger, a default or the table itself fails';
  end if;
  if v_one.is_good then
    -- It fails together with others: the last of the shortest failing run of records is the
    -- one that came too late.
    v_low := 1;
    v_high := cardinality(v_live);
    v_one := v_all;
    while v_low < v_high loop
      v_middle := (v_low + v_high) / 2;
      v_all := sluice._try_merge(v_live[1], v_live[v_middle]);
      if v_all.is_good then
        v_low := v_middle + 1;
      else
        v_high := v_middle;
        v_one := v_all;
      end if;
    end loop;
    v_guess := v_live[v_high];
  end if;

  insert into pg_temp.sluice_faults (ordinal, sqlstate, message, detail, constraint_name, column_name)
  values (v_guess, v_one.sqlstate_, v_one.message, nullif(v_one.detail, ''), nullif(v_one.constraint_name, ''),
    nullif(v_one.column_name, ''));
  update pg_temp.sluice_rows set sluice_state = 'f' where sluice_ordinal = v_guess;
  if not sluice._is_record_fault(v_one.sqlstate_)
    and (select count(*) = v_enough from pg_temp.sluice_faults f where not sluice._is_record_fault(f.sqlstate))
  then
    perform sluice._refuse_common_fault(v_guess, exists (
      select from pg_temp.sluice_rows r where r.sluice_state is null and r.sluice_ordinal < v_guess));
  end if;
  return true;
end
$$;
