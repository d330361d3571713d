create or replace function sluice._isolate_merge_fault(p_trial text, p_batch_id bigint, p_ordinals integer[])
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
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
  v_all := sluice._try_merge(p_trial, p_batch_id, v_live[1], v_live[cardinality(v_live)]);
  if v_all.is_good then
    return false;
  end if;

  -- The record at which the merge stopped is the likely one: try it alone.
  select r.sluice_ordinal into v_guess from pg_temp.sluice_rows r
  where r.sluice_state is null and r.sluice_ordinal between v_live[1] and v_live[cardinality(v_live)]
  order by r.sluice_ordinal, r.sluice_line offset greatest(v_all.place - 1, 0) limit 1;
  v_one := sluice._try_merge(p_trial, p_batch_id, v_guess, v_guess);
  if v_one.is_good then
    -- It fails together with others: the last of the shortest failing run of records is the
    -- one that came too late.
    v_low := 1;
    v_high := cardinality(v_live);
    v_one := v_all;
    while v_low < v_high loop
      v_middle := (v_low + v_high) / 2;
      v_all := sluice._try_merge(p_trial, p_batch_id, v_live[1], v_live[v_middle]);
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
  values (v_guess, v_one.sqlstate_, v_one.message, nullif(v_one.detail, ''), nullif(v_one.constraint_name, ''), nullif(v_one.column_name, ''));
  update pg_temp.sluice_rows set sluice_state = 'f' where sluice_ordinal = v_guess;
  return true;
end
$$;

comment on function sluice._isolate_merge_fault(text, bigint, integer[]) is
  'Finds one record among p_ordinals that makes the merge fail and notes it; false when they merge.';
