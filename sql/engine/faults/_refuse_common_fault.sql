create or replace function sluice._refuse_common_fault(p_ordinal integer, p_others_pass boolean)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_few constant integer := 10;
  v_fault record;
begin
  if p_others_pass then
    return;
  end if;
  -- A few records, and those of a replay, say little by themselves: then what the version has done before counts.
  if exists (
    select from pg_temp.sluice_batch b, pg_temp.sluice_compiled c
    where (b.kind = 'replay' or (select count(*) from pg_temp.sluice_staging) < v_few) and exists (
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

comment on function sluice._refuse_common_fault(integer, boolean) is
$$Raises the error of the fault noted for a record, which was judged by trial, unless other records pass: what all of
them raise is not the fault of each.$$;
