-- What is older than a time goes from ledger, runs and closed quarantine, at most so much of each, and so that what is
-- left proves itself: one entry of the ledger (kind carried) stands for all before it, with their sums and the cursor
-- after them; of each of them remains what rows of the target ask for (sluice.pruned_batches), and of files and
-- objects that have moved on since, how far they were (source_objects.carried). Files and objects themselves go where
-- the source lists them no more (its setting after). Nothing that is still in use goes.
create or replace function sluice._prune_history(p_pipeline sluice.pipelines, p_before timestamptz, p_limit integer,
  p_is_dry boolean, out batches bigint, out runs bigint, out records bigint, out objects bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- for the pipeline at hand: another one may have nearly all batches
as $$
declare
  v_last bigint;
  v_seen bigint;
  v_object text;
begin
  if not p_is_dry then
    -- A batch that is being loaded goes first: next time.
    perform from sluice.etl_state s where s.pipeline_id = p_pipeline.pipeline_id for update skip locked;
    if not found then
      return;
    end if;
  end if;
  v_last := sluice._last_prunable_batch(p_pipeline.pipeline_id, p_before, p_limit);
  batches := (select count(*) from sluice.batches b
    where b.pipeline_id = p_pipeline.pipeline_id and b.batch_seq <= v_last and b.kind <> 'carried');
  if batches > 0 and not p_is_dry then
    perform sluice._carry_batches(p_pipeline.pipeline_id, v_last);
  end if;

  with old as (
    select r.run_id from sluice.runs r
    where r.pipeline_id = p_pipeline.pipeline_id and r.finished_at < p_before
      and not exists (select from sluice.batches b where b.run_id = r.run_id
        and (not p_is_dry or b.batch_seq is null or b.batch_seq > coalesce(v_last, 0)))
      -- By these the status tells how things stand, and since when.
      and r.run_id < (select max(l.run_id) from sluice.runs l where l.pipeline_id = p_pipeline.pipeline_id)
      and r.run_id is distinct from (
        select max(l.run_id) from sluice.runs l
        where l.pipeline_id = p_pipeline.pipeline_id and l.outcome = 'ok')
    order by r.run_id limit p_limit
  ), gone as (
    delete from sluice.runs r using old where r.run_id = old.run_id and not p_is_dry returning r.run_id)
  select count(*) into runs from old left join gone using (run_id);

  with old as (
    select q.quarantine_id from sluice.quarantine q
    where q.pipeline_id = p_pipeline.pipeline_id and q.closed_at < p_before and q.last_seen_at < p_before
      -- Its keys are still to be noted for the replay that closed it.
      and not exists (
        select from sluice.replayed_keys k where k.batch_id = q.resolved_batch_id and k.key_hash = '')
    order by q.closed_at, q.quarantine_id limit p_limit
  ), gone as (
    delete from sluice.quarantine q using old
    where q.quarantine_id = old.quarantine_id and q.status <> 'open' and not p_is_dry
    returning q.quarantine_id, q.seen_count)
  select count(*), sum(gone.seen_count) into records, v_seen from old left join gone using (quarantine_id);

  select f.objects, f.last_object into objects, v_object
  from sluice._forget_objects(p_pipeline, p_before, v_last, p_limit, p_is_dry) f;

  if not p_is_dry and batches + runs + records + objects > 0 then
    insert into sluice.pruned as s (pipeline_id, batches, runs, records, seen_count, objects, objects_to)
    values (p_pipeline.pipeline_id, batches, runs, records, coalesce(v_seen, 0), objects, v_object)
    on conflict (pipeline_id) do update set batches = s.batches + excluded.batches, runs = s.runs + excluded.runs,
      records = s.records + excluded.records, seen_count = s.seen_count + excluded.seen_count,
      objects = s.objects + excluded.objects,
      objects_to = greatest(s.objects_to collate "C", excluded.objects_to collate "C"), pruned_at = now(),
      pruned_by = session_user;
  end if;
end
$$;

comment on function sluice._prune_history(sluice.pipelines, timestamptz, integer, boolean) is
  'Drops ledger, runs and closed quarantined records of before a time, and counts them; null where a batch is in hand.';

-- Up to which number the ledger may be carried: what is younger, in use, or where the way to the present state turns
-- back to, stays. Null: nothing of it.
create or replace function sluice._last_prunable_batch(p_pipeline_id integer, p_before timestamptz, p_limit integer)
returns bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_first  bigint := (select min(b.batch_seq) from sluice.batches b where b.pipeline_id = p_pipeline_id);
  -- The payloads of a batch need its place in the ledger; they lie under the day it began.
  v_before timestamptz := least(p_before, (
    select min(t.retained_on) - 1 from sluice._raw_tables(p_pipeline_id) t)::timestamp at time zone 'UTC');
  v_end    bigint := (
    select least(max(b.batch_seq), s.batch_seq - 1, (
      select n.first_seq - 1 from sluice.snapshots n where n.pipeline_id = p_pipeline_id))
    from sluice.etl_state s
    cross join lateral (
      select b.batch_seq from sluice.batches b
      where b.pipeline_id = p_pipeline_id and b.batch_seq is not null and b.committed_at < v_before
      order by b.committed_at desc limit 1) b
    where s.pipeline_id = p_pipeline_id
    group by s.batch_seq);
  v_last   bigint := case when v_end is not null then least(v_end, v_first + p_limit) end;
  v_goal   bigint;
begin
  -- A rewind leads back to its goal, which stays as long as it does.
  loop
    select min(r.rewound_to) into v_goal from sluice.batches r
    where r.pipeline_id = p_pipeline_id and r.kind = 'rewind' and r.rewound_to > 0
      and r.rewound_to < v_last and r.batch_seq > v_last;
    exit when v_goal is null;
    v_last := v_goal;
  end loop;
  return case when v_last > v_first then v_last end;
end
$$;

-- Makes one entry of the ledger up to a batch.
create or replace function sluice._carry_batches(p_pipeline_id integer, p_last_seq bigint)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- How far files and objects were at its end, where that is not how far they are now.
  update sluice.source_objects o set carried = case when o.last_batch_id <> a.batch_id then jsonb_build_object(
    'identity', a.identity, 'position', a.position, 'is_done', a.is_done, 'batch_id', a.batch_id) end
  from sluice._objects_of_ledger(p_pipeline_id, p_last_seq) a
  where o.pipeline_id = p_pipeline_id and o.object = a.object
    and (o.last_batch_id <> a.batch_id or o.carried is not null);
  with gone as (
    delete from sluice.batches b where b.pipeline_id = p_pipeline_id and b.batch_seq <= p_last_seq returning b.*
  ), kept as (
    insert into sluice.pruned_batches (batch_id, pipeline_id, version, kind, committed_at)
    select g.batch_id, g.pipeline_id, g.version, g.kind, g.committed_at from gone g
    where g.kind in ('load', 'snapshot'))
  insert into sluice.batches (batch_id, pipeline_id, batch_seq, kind, carried, version, cursor_after, started_at,
    committed_at, extracted, transformed, filtered, quarantined, produced, inserted, updated, deleted, unchanged, stale,
    superseded, retried, known, targets)
  select nextval('sluice.batch_id'), p_pipeline_id, p_last_seq, 'carried', sum(coalesce(g.carried, 1)),
    (array_agg(g.version order by g.batch_seq desc) filter (where g.version is not null))[1],
    (array_agg(g.cursor_after order by g.batch_seq desc))[1], min(g.started_at), max(g.committed_at),
    sum(g.extracted), sum(g.transformed), sum(g.filtered), sum(g.quarantined), sum(g.produced), sum(g.inserted),
    sum(g.updated), sum(g.deleted), sum(g.unchanged), sum(g.stale), sum(g.superseded), sum(g.retried), sum(g.known),
    case when bool_or(g.targets is not null) then (
      select jsonb_agg(to_jsonb(t) order by t.target)
      from (
        select b.target, sum(b.produced) as produced, sum(b.inserted) as inserted, sum(b.updated) as updated,
          sum(b.deleted) as deleted, sum(b.unchanged) as unchanged, sum(b.stale) as stale,
          sum(b.superseded) as superseded
        from sluice.target_books b where b.batch in (select x.batch_id from gone x) group by b.target) t) end
  from gone g;
end
$$;
