create or replace function sluice._apply_missing(
  p_pipeline sluice.pipelines, p_read sluice.snapshots, p_batch_id bigint, p_max_delete_ratio numeric,
  out written bigint, out targets jsonb)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_targets  sluice.compiled[] := sluice._compile_all(p_pipeline.pipeline_id, null);
  v_compiled sluice.compiled := v_targets[1];
  v_found    record;
begin
  perform sluice._refuse_kept_children(p_pipeline, null);
  perform sluice._check_missing(p_pipeline.name, p_pipeline.target, v_compiled.columns, v_compiled.key,
    p_pipeline.source, p_pipeline.missing, p_pipeline.mark_column, p_pipeline.max_delete_ratio);
  v_found := sluice._find_missing(p_pipeline, v_compiled.target, v_compiled.key, p_read);
  if v_found.missing > p_max_delete_ratio * v_found.held then
    raise exception using errcode = 'SL008',
      message = format('pipeline "%s": %s of its %s rows in %s are not in the source any more: %s%% (limit %s%%)',
        p_pipeline.name, v_found.missing, v_found.held, p_pipeline.target,
        round(100.0 * v_found.missing / v_found.held, 1), trim_scale(100 * p_max_delete_ratio)),
      detail = format('none of them was %s; the batches of the run stay loaded',
        case p_pipeline.missing when 'delete' then 'deleted' else 'marked' end),
      hint = format('check that the source was complete; if the rows are really gone, say so once with'
        ' "sluice run %s --max-delete-ratio 1", or raise max_delete_ratio', p_pipeline.name);
  end if;
  written := 0;
  if v_found.missing + v_found.back = 0 then
    return;
  end if;
  perform sluice._capture_missing(
    v_compiled.target, v_compiled.columns, v_compiled.key, p_pipeline.mark_column, p_batch_id);
  perform sluice._note_rows(p_pipeline, v_compiled.target, v_compiled.key,
    case when p_pipeline.mark_column is null then 'delete' else 'upsert' end,
    format('pg_temp.sluice_missing m join %s t on t.tableoid = m.class and t.ctid = m.place',
      sluice._met(v_compiled.target)), p_batch_id);
  targets := sluice._drop_missing_children(p_pipeline, v_targets, p_batch_id);
  written := sluice._write_missing(v_compiled.target, v_compiled.key, v_compiled.order_by, p_pipeline.mark_column,
    v_compiled.search_path, p_batch_id);
  if written = v_found.missing + v_found.back then
    targets := case p_pipeline.missing when 'delete' then sluice._target_entry(p_pipeline.target, 0, written)
      else sluice._target_entry(p_pipeline.target, written, 0) end || targets;
    written := coalesce((select sum((t ->> 'produced')::bigint) from jsonb_array_elements(targets) t), written);
    return;
  elsif sluice._row_triggers(v_compiled.target) is null then
    raise exception using errcode = 'serialization_failure',
      message = format('missing rows of %s were changed by another session meanwhile', p_pipeline.target);
  end if;
  raise exception using errcode = 'SL004',
    message = format('%s missing rows were to be written to %s, but %s were', v_found.missing + v_found.back,
      p_pipeline.target, written),
    detail = sluice._row_triggers(v_compiled.target),
    hint = 'a trigger that returns null keeps a row from being deleted: let the pipeline mark missing rows instead '
      '(missing => ''mark''), or keep them';
end
$$;

comment on function sluice._apply_missing(sluice.pipelines, sluice.snapshots, bigint, numeric) is
$$Deletes or marks what a sound full read did not bring, and unmarks what is back, in a target that the caller has
locked, with the children of what it deletes; returns how many rows, and of several targets the
books. SL008 beyond p_max_delete_ratio; SL004 where a trigger may have swallowed some, else
40001, which passes.$$;

-- Notes in sluice_changes what is about to become of the rows, if capture_changes asked for it in this transaction.
create or replace function sluice._capture_missing(
  p_target oid, p_columns text[], p_key text[], p_mark_column text, p_batch_id bigint)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wanted record := sluice._changes_wanted();
begin
  if not v_wanted.is_asked then
    return;
  end if;
  execute (
    select format($sql$insert into pg_temp.sluice_changes (batch_id, ordinal, action, key, changes)
select $1, row_number() over (order by %1$s) - 1, %2$L, %3$s, %4$s
from pg_temp.sluice_missing m join %5$s t on t.tableoid = m.class and t.ctid = m.place
order by %1$s limit $2$sql$,
      sluice._column_list(p_key, 't'),
      case when p_mark_column is null then 'delete' else 'update' end, sluice._key_json(p_key, 't'),
      case when p_mark_column is null
        then sluice._object_sql(array_agg(c.column_name),
          array_agg(format('pg_catalog.json_build_array(t.%I, null)', c.column_name)))
        else sluice._object_sql(array[p_mark_column], array[format('pg_catalog.json_build_array(t.%I, %s)',
          p_mark_column, sluice._mark_sql(p_target, p_mark_column))]) end,
      sluice._met(p_target))
    from sluice._target_columns(p_target, p_columns) c) using p_batch_id, v_wanted.most;
end
$$;

-- Deletes the rows of sluice_missing, or marks and unmarks them if there is a mark column; returns how many.
create or replace function sluice._write_missing(
  p_target oid, p_key text[], p_order_by text, p_mark_column text, p_search_path text, p_batch_id bigint)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
set jit = off
as $$
declare
  v_write   text := sluice._write_missing_sql(p_target, p_key, p_order_by, p_mark_column);
  v_bury    text := case when p_mark_column is null then sluice._bury_missing_sql(p_target, p_key, p_order_by) end;
  v_written bigint;
begin
  if v_bury is not null then
    execute v_bury using p_batch_id;
  end if;
  -- Triggers of the target see the definer's search_path, as under any writer.
  perform set_config('search_path', p_search_path, true);
  execute v_write into v_written using p_batch_id;
  -- At commit, deferred constraints would fail without telling what they are about.
  set constraints all immediate;
  return v_written;
end
$$;
