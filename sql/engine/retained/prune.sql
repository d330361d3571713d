create or replace function sluice.prune(pipeline text default null, tombstones_before timestamptz default null)
returns table (pipeline_name text, retained_on date, bytes bigint, tombstones bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines;
  v_day      date;
begin
  if prune.pipeline is not null then
    perform sluice._find_pipeline(prune.pipeline);
  end if;
  for v_pipeline in
    select * from sluice.pipelines p where prune.pipeline is null or p.name = prune.pipeline order by p.name
  loop
    pipeline_name := v_pipeline.name;
    tombstones := null;
    for v_day in
      select t.retained_on from sluice._raw_tables(v_pipeline.pipeline_id) t
      -- A day goes when its last moment is old enough.
      where v_pipeline.retain_raw is null
        or (t.retained_on + 1)::timestamp at time zone 'UTC' <= now() - v_pipeline.retain_raw
    loop
      begin
        bytes := sluice._drop_raw_table(v_pipeline.pipeline_id, v_day);
        retained_on := v_day;
        return next;
      exception when lock_not_available then
        raise warning 'pipeline %: the payloads retained on % are being read; they go with the next prune',
          v_pipeline.name, v_day;
      end;
    end loop;
    perform sluice._prune_outbox(v_pipeline);
    if prune.tombstones_before is not null then
      delete from sluice.tombstones d where d.target = v_pipeline.target and d.deleted_at < prune.tombstones_before;
      get diagnostics tombstones = row_count;
      if tombstones > 0 then
        retained_on := null;
        bytes := null;
        return next;
      end if;
    end if;
  end loop;
end
$$;

comment on function sluice.prune(text, timestamptz) is
$$Drops retained payloads that are older than retain_raw says; one line a day, with its size on disk. Where retain_raw
was left out since, all of them go. Waits for nobody and holds up nobody: what is being read stays until the next time.
Deliveries that have been done for keep_days go, too. The loader calls it after every run.
tombstones_before: also forgets keys that were deleted before then; an older record that comes after that brings its row
back.
Example: select * from sluice.prune()$$;
