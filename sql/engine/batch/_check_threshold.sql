create or replace function sluice._check_threshold(p_pipeline_id integer, p_batch sluice.batches, p_max_bad_ratio numeric)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines;
  v_limit    numeric;
  v_records  bigint := p_batch.extracted;
  v_bad      bigint := p_batch.quarantined;
begin
  if v_bad = 0 then
    return;
  end if;
  select * into v_pipeline from sluice.pipelines where pipeline_id = p_pipeline_id;
  v_limit := coalesce(p_max_bad_ratio, v_pipeline.max_bad_ratio);
  -- A small batch says little by itself: count it with the run so far.
  if v_records < 1000 then
    select v_records + r.extracted, v_bad + r.quarantined into v_records, v_bad
    from sluice.runs r where r.run_id = p_batch.run_id;
  end if;
  if v_bad > v_limit * v_records then
    raise exception using errcode = 'SL003',
      message = format('pipeline "%s" stopped at batch %s: %s%% of records are bad (limit %s%%)', v_pipeline.name, p_batch.batch_seq,
        round(100.0 * v_bad / v_records, 1), trim_scale(100 * v_limit)),
      detail = (
        select string_agg(format('%s × %s %s%s', n, sqlstate, message, places), E'\n' order by n desc)
        from (
          select count(*) as n, f.sqlstate, min(f.message) as message,
            format(' (%s_v%s', v_pipeline.name, p_batch.version) || coalesce(', column ' || f.column_name, '') || ')' as places
          from pg_temp.sluice_faults f group by f.sqlstate, f.column_name, f.constraint_name
          order by count(*) desc limit 3) most),
      hint = format('nothing of this batch was committed; "sluice run %s --dry-run" shows all that is bad; fix the transform (version %s), or accept it once with --max-bad-ratio, and run again', v_pipeline.name, p_batch.version + 1);
  end if;
end
$$;

comment on function sluice._check_threshold(integer, sluice.batches, numeric) is
  'Raises SL003 when more than max_bad_ratio of the records are bad: of the batch, or, for a batch below 1,000 records, of the run so far.';
