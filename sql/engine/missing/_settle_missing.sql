create or replace function sluice._settle_missing(p_pipeline sluice.pipelines, p_snapshot sluice.snapshots, p_batch_id bigint, p_max_delete_ratio numeric)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_compiled sluice.compiled := sluice._compile(p_pipeline.pipeline_id, null);
  v_found    record;
  v_written  bigint;
begin
  perform sluice._check_missing(p_pipeline.name, p_pipeline.target, v_compiled.columns, v_compiled.key, p_pipeline.source, p_pipeline.missing, p_pipeline.mark_column, p_pipeline.max_delete_ratio);
  v_found := sluice._find_missing(p_pipeline, v_compiled.target, v_compiled.key, p_snapshot);
  if v_found.missing > p_max_delete_ratio * v_found.held then
    raise exception using errcode = 'SL008',
      message = format('pipeline "%s": %s of its %s rows in %s are not in the source any more: %s%% (limit %s%%)', p_pipeline.name, v_found.missing, v_found.held,
        p_pipeline.target, round(100.0 * v_found.missing / v_found.held, 1), trim_scale(100 * p_max_delete_ratio)),
      detail = format('none of them was %s; the batches of the run stay loaded', case p_pipeline.missing when 'delete' then 'deleted' else 'marked' end),
      hint = format('check that the source was complete; if the rows are really gone, say so once with "sluice run %s --max-delete-ratio 1", or raise max_delete_ratio', p_pipeline.name);
  end if;
  if v_found.missing + v_found.back = 0 then
    return 0;
  end if;
  perform sluice._capture_missing(v_compiled.target, v_compiled.columns, v_compiled.key, p_pipeline.mark_column, p_batch_id);
  v_written := sluice._remove_missing(v_compiled.target, v_compiled.key, v_compiled.order_by, p_pipeline.mark_column, v_compiled.search_path, p_batch_id);
  if v_written <> v_found.missing + v_found.back then
    perform sluice._refuse_partial(v_compiled.target, v_found.missing + v_found.back, v_written);
  end if;
  return v_written;
end
$$;

comment on function sluice._settle_missing(sluice.pipelines, sluice.snapshots, bigint, numeric) is
  'Deletes or marks what a sound snapshot is missing, and unmarks what is back, in a target that the caller has locked; returns how many rows. SL008 beyond p_max_delete_ratio; SL004, 40001: see _refuse_partial.';
