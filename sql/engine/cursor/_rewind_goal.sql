create or replace function sluice._rewind_goal(
  p_pipeline sluice.pipelines, p_to_batch bigint, p_to_start boolean, p_object text, p_to_time timestamptz,
  out batch_seq bigint, out "cursor" jsonb, out words text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_batch sluice.batches;
begin
  if num_nonnulls(p_to_batch, nullif(p_to_start, false), p_object, p_to_time) <> 1 then
    raise exception using errcode = 'SL005', message = 'rewind needs one goal',
      hint = 'one of to_batch => N, to_time => ''2026-03-01 12:00+00'', to_start => true, object => ''drop/a.ndjson''';
  end if;
  if p_object is not null then
    words := 'the start of ' || p_object;
    if not exists (
      select from sluice.source_objects o where o.pipeline_id = p_pipeline.pipeline_id and o.object = p_object) then
      raise exception using errcode = 'SL005',
        message = format('pipeline %s has read no object %s', p_pipeline.name, quote_literal(p_object)),
        hint = coalesce('it has read ' || (
          select string_agg(o.object, ', ') from (
            select o.object from sluice.source_objects o where o.pipeline_id = p_pipeline.pipeline_id
            order by o.updated_at desc limit 5) o) || ', ...', 'it has read none yet');
    end if;
    return;
  elsif p_to_start then
    words := 'the start';
  elsif p_to_time is not null then
    select * into v_batch from sluice.batches b
    where b.pipeline_id = p_pipeline.pipeline_id and b.batch_seq is not null and b.committed_at <= p_to_time
    order by b.batch_seq desc limit 1;
    words := format('%s, %s', p_to_time, coalesce('after batch ' || v_batch.batch_id, 'before the first batch'));
  else
    words := 'batch ' || p_to_batch;
    select * into v_batch from sluice.batches b
    where b.pipeline_id = p_pipeline.pipeline_id and b.batch_id = p_to_batch;
    if v_batch.batch_seq is null and exists (
      select from sluice.pruned_batches b where b.batch_id = p_to_batch and b.pipeline_id = p_pipeline.pipeline_id) then
      perform sluice._refuse_pruned(p_pipeline, 'batch ' || p_to_batch);
    elsif v_batch.batch_seq is null then
      raise exception using errcode = 'SL005', message = case
          when found then format('batch %s is a replay, which moved no cursor', p_to_batch)
          else format('pipeline %s has no batch %s', p_pipeline.name, p_to_batch) end,
        hint = format('see select batch_id, committed_at, extracted from sluice.batches'
          ' where pipeline_id = %s and batch_seq is not null order by batch_seq desc', p_pipeline.pipeline_id);
    end if;
  end if;
  if v_batch.batch_seq is null and not p_to_start and exists (
    select from sluice.batches b where b.pipeline_id = p_pipeline.pipeline_id and b.kind = 'carried') then
    perform sluice._refuse_pruned(p_pipeline, p_to_time::text);
  end if;
  batch_seq := coalesce(v_batch.batch_seq, 0);
  -- What had been read by then is known only as long as nothing went back behind what was pruned.
  if sluice._leads_past_carry(p_pipeline.pipeline_id, batch_seq)
    and not sluice._leads_past_carry(p_pipeline.pipeline_id, (
      select s.batch_seq from sluice.etl_state s where s.pipeline_id = p_pipeline.pipeline_id)) then
    perform sluice._refuse_pruned(p_pipeline, words);
  end if;
  "cursor" := v_batch.cursor_after;
end
$$;

comment on function sluice._rewind_goal(sluice.pipelines, bigint, boolean, text, timestamptz) is
$$The goal of a rewind: number of the batch after whose end reading goes on (0: from the start; null: only one object),
the cursor there, and the goal in words. SL005 when there is not exactly one goal, or it is none.$$;

-- Raises SL005 for a goal that the ledger knows no more.
create or replace function sluice._refuse_pruned(p_pipeline sluice.pipelines, p_goal text)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_carry sluice.batches;
begin
  select * into v_carry from sluice.batches b where b.pipeline_id = p_pipeline.pipeline_id and b.kind = 'carried';
  raise exception using errcode = 'SL005',
    message = format('pipeline %s cannot go back to %s: how far it had read then was pruned from the ledger',
      p_pipeline.name, p_goal),
    hint = format('to_start => true (--to-start) reads everything again; the ledger goes back to batch %s of %s%s',
      v_carry.batch_id, v_carry.committed_at::timestamptz(0),
      case when sluice._leads_past_carry(p_pipeline.pipeline_id, (
        select s.batch_seq from sluice.etl_state s where s.pipeline_id = p_pipeline.pipeline_id)) then ''
        else ', and what came before the last rewind to the start leads there' end);
end
$$;

-- Whether the way to the state after a batch leads through what was pruned.
create or replace function sluice._leads_past_carry(p_pipeline_id integer, p_batch_seq bigint)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from sluice.batches b
    join sluice._ledger_path(p_pipeline_id, p_batch_seq) p on b.batch_seq between p.first_seq and p.last_seq
    where b.pipeline_id = p_pipeline_id and b.kind = 'carried')
$$;
