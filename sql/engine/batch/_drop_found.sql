create or replace function sluice._drop_found(
  p_target sluice.compiled, p_pipeline_id integer, p_batch_id bigint)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_met   text   := sluice._met(p_target.target);
  v_found bigint := (select count(*) from pg_temp.sluice_dropped d where d.number = p_target.number);
  v_done  bigint;
begin
  if v_found = 0 then
    return 0;
  end if;
  if p_batch_id is not null then
    perform sluice._capture_dropped(p_target, p_batch_id);
    perform sluice._note_rows(sluice._as_if_only(p, sluice._qualified_name(p_target.target)), p_target.target,
      p_target.key, 'delete', format('pg_temp.sluice_dropped d join %s t on t.tableoid = d.class and t.ctid = d.place
  where d.number = %s', v_met, p_target.number), p_batch_id)
    from sluice.pipelines p where p.pipeline_id = p_pipeline_id and p_target.route is not null;
  end if;
  if p_target.fetch_sql is null then
    perform sluice._plan_by_index('sluice_drop', p_target.drop_sql, p_target.search_path);
  end if;
  perform set_config('search_path', p_target.search_path, true);
  execute case when p_target.fetch_sql is null then 'execute sluice_drop' else p_target.drop_sql end into v_done;
  perform set_config('search_path', 'pg_catalog, pg_temp', true);
  if p_target.fetch_sql is not null then
    execute format('delete from %s m using pg_temp.sluice_dropped d where d.number = %s and m.tableoid = d.class '
      'and m.ctid = d.place', v_met, p_target.number);
  end if;
  if v_done <> v_found and p_batch_id is not null then
    raise exception using errcode = 'SL004',
      message = format('%s rows were to be deleted from %s, but %s were', v_found, p_target.target::regclass, v_done),
      detail = coalesce(sluice._row_triggers(p_target.target), ''),
      hint = 'a trigger that returns null keeps a row from being deleted: let it raise an exception (the record is '
        'quarantined), or keep the children';
  end if;
  return v_done;
end
$$;

comment on function sluice._drop_found(sluice.compiled, integer, bigint) is
$$Deletes the rows of sluice_dropped from a target and returns how many (SL004 if not all of them are). p_batch_id: null
in a trial.$$;

-- Notes in sluice_changes what is about to leave a target, if capture_changes asked for it in this transaction.
create or replace function sluice._capture_dropped(p_target sluice.compiled, p_batch_id bigint)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wanted record := sluice._changes_wanted();
begin
  if v_wanted.is_asked then
    execute format($sql$insert into pg_temp.sluice_changes (batch_id, ordinal, action, key, changes, target)
select $1, 0, 'delete', %s, %s, %L
from pg_temp.sluice_dropped d join %s t on t.tableoid = d.class and t.ctid = d.place
where d.number = %s order by %s limit $2$sql$,
      sluice._key_json(p_target.key, 't'),
      (select sluice._object_sql(array_agg(c order by n),
          array_agg(format('pg_catalog.json_build_array(t.%I, null)', c) order by n))
        from unnest(p_target.columns) with ordinality as columns (c, n)),
      p_target.target::regclass, sluice._met(p_target.target), p_target.number,
      sluice._column_list(p_target.key, 't'))
      using p_batch_id, v_wanted.most;
  end if;
end
$$;
