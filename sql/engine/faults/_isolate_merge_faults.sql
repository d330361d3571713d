create or replace function sluice._isolate_merge_faults(p_trial text, p_batch_id bigint)
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
begin
  select array_agg(ordinal order by ordinal) into v_ordinals
  from (select distinct sluice_ordinal as ordinal from pg_temp.sluice_rows where sluice_state is null) o;
  -- Chunk by chunk for records that fail by themselves or with a neighbour; then all together
  -- for those that only fail with one far away.
  v_first := 1;
  while v_first <= cardinality(v_ordinals) loop
    v_last := least(v_first + v_chunk - 1, cardinality(v_ordinals));
    while sluice._isolate_merge_fault(p_trial, p_batch_id, v_ordinals[v_first:v_last]) loop
      v_found := true;
    end loop;
    v_first := v_last + 1;
  end loop;
  while sluice._isolate_merge_fault(p_trial, p_batch_id, v_ordinals) loop
    v_found := true;
  end loop;
  return v_found;
end
$$;

comment on function sluice._isolate_merge_faults(text, bigint) is
  'Notes the records that make the merge fail (a second unique constraint, an exclusion, a trigger, a deferred constraint). False when there is none.';
