create or replace function sluice.prune(pipeline text default null, tombstones_before timestamptz default null,
  history_before timestamptz default null, dry_run boolean default false, max_rows integer default 2000)
returns table (pipeline_name text, retained_on date, bytes bigint, tombstones bigint, batches bigint, runs bigint,
  records bigint, objects bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
#variable_conflict use_column
declare
  v_pipeline sluice.pipelines;
  v_before   timestamptz;
begin
  if prune.pipeline is not null then
    perform sluice._find_own_pipeline(prune.pipeline);
  end if;
  if prune.history_before > now() or prune.max_rows < 1 then
    raise exception using errcode = 'SL005', hint = 'history_before => now() - interval ''1 year'', max_rows => 2000',
      message = case when prune.max_rows < 1 then format('max_rows %s is not positive', prune.max_rows)
        else format('history_before %s has not come yet', prune.history_before) end;
  end if;
  for v_pipeline in
    select * from sluice.pipelines p where coalesce(prune.pipeline, p.name) = p.name and sluice._is_member_of(p.owner)
    order by p.name
  loop
    return query select v_pipeline.name, d.*, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint
    from sluice._prune_payloads(v_pipeline, prune.dry_run) d;
    if not prune.dry_run then
      -- Also for pipelines that no longer deliver.
      perform sluice._prune_outbox(sluice._as_if_only(v_pipeline, coalesce(s.target, v_pipeline.target)))
      from sluice.delivery_state s where s.pipeline_id = v_pipeline.pipeline_id;
    end if;
    if prune.tombstones_before is not null then
      return query
      select v_pipeline.name, null::date, null::bigint, d.tombstones, null::bigint, null::bigint, null::bigint,
        null::bigint
      from sluice._prune_tombstones(v_pipeline.target, prune.tombstones_before, prune.dry_run) d
      where d.tombstones > 0;
    end if;
    v_before := coalesce(prune.history_before, now() - v_pipeline.retain_history);
    -- Where roles may only add to the history, pruning is for the owner of the engine.
    if v_before is not null and v_pipeline.backfill_of is null
      and has_table_privilege('sluice.batches', 'delete') and has_table_privilege('sluice.runs', 'delete')
      and has_table_privilege('sluice.quarantine', 'delete') then
      return query select v_pipeline.name, null::date, null::bigint, null::bigint, h.batches, h.runs,
        h.records, h.objects
      from sluice._prune_history(v_pipeline, v_before, case when not prune.dry_run then prune.max_rows end,
        prune.dry_run) h
      where h.batches + h.runs + h.records + h.objects > 0;
    end if;
  end loop;
end
$$;

comment on function sluice.prune is
$$Drops what is old enough, and says what: one line per pipeline and kind. The loader calls it after every run. dry_run:
only says what would go. Waits for nobody and holds up nobody: what is being read stays until the next time.
Retained payloads that are older than retain_raw says, one line per day, with its size on disk; all of them where
retain_raw is none by now. Deliveries that have been done for keep_days.
history_before, or else what retain_history says: batches of the ledger, runs, and closed records of the quarantine from
before then, at most max_rows of each a call (repeat it until no line comes). One entry of the ledger, of kind carried,
stands for them with their sums, so that sluice.verify balances; what rows of the target name, and open records stay.
objects: files and objects that were read to their end before then and that the source lists no more, as its setting
after says (file_source, object_source); without it all stay, as one that is still there would be loaded anew. The
cursor can then be set back no further than to what is left, or to the start. Roles that may not delete from the ledger
leave all that to one that may.
tombstones_before: also forgets keys that were deleted before then; an older record that comes after that brings its row
back.
Example: select * from sluice.prune('orders', history_before => now() - interval '1 year', dry_run => true)$$;

-- Days of retained payloads that are old enough: dropped, with their sizes.
create or replace function sluice._prune_payloads(p_pipeline sluice.pipelines, p_is_dry boolean)
returns table (retained_on date, bytes bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_day record;
begin
  for v_day in
    select t.retained_on, t.relation from sluice._raw_tables(p_pipeline.pipeline_id) t
    -- A day goes once its last moment is old enough.
    where p_pipeline.retain_raw is null
      or (t.retained_on + 1)::timestamp at time zone 'UTC' <= now() - p_pipeline.retain_raw
  loop
    begin
      bytes := pg_total_relation_size(v_day.relation);
      if not p_is_dry then
        delete from sluice.raw_days d
        where d.pipeline_id = p_pipeline.pipeline_id and d.retained_on = v_day.retained_on;
      end if;
      retained_on := v_day.retained_on;
      return next;
    exception when lock_not_available then
      raise warning 'pipeline %: the payloads retained on % are being read; they go with the next prune',
        p_pipeline.name, v_day.retained_on;
    end;
  end loop;
end
$$;

-- Forgets the tombstones of a target from before a time; returns how many. Those that stop a key stay.
create or replace function sluice._prune_tombstones(p_target text, p_before timestamptz, p_is_dry boolean,
  out tombstones bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_is_dry then
    select count(*) into tombstones from sluice.tombstones d
    where d.target = p_target and d.deleted_at < p_before and not d.is_final;
  else
    delete from sluice.tombstones d where d.target = p_target and d.deleted_at < p_before and not d.is_final;
    get diagnostics tombstones = row_count;
  end if;
end
$$;
