create or replace function sluice.preview_rewind(
  pipeline text, to_batch bigint default null, to_start boolean default false, object text default null,
  to_time timestamptz default null)
returns table (batch bigint, committed_at timestamptz, run bigint, version integer, records bigint, origins text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(preview_rewind.pipeline);
  v_goal     record := sluice._rewind_goal(v_pipeline, preview_rewind.to_batch, preview_rewind.to_start,
    preview_rewind.object, preview_rewind.to_time);
begin
  return query
  select a.batch_id, a.committed_at, a.run_id, a.version, a.records, a.origins
  from sluice._read_again(v_pipeline.pipeline_id, v_goal.batch_seq, preview_rewind.object) a;
end
$$;

comment on function sluice.preview_rewind(text, bigint, boolean, text, timestamptz) is
$$Shows what sluice.rewind would have read again, changing nothing: the batches, oldest first, and how many of their
records (a batch of several files may lie on both sides). The goal is given as there: to_batch, to_time, to_start,
object. It goes by the ledger: what the source has changed or deleted since, and what was never read, is not in it.$$;

-- What a rewind to p_batch_seq (or of p_object) would have read a second time: the batches that
-- led from there to the state as it is now, without those that earlier rewinds undid already.
-- Batches that read files or objects count with the records of each that would no longer be
-- behind; others with all of their records.
-- The batches whose records a rewind would have read again, oldest first, and how many of their records.
create or replace function sluice._read_again(p_pipeline_id integer, p_batch_seq bigint, p_object text)
returns table (batch_id bigint, committed_at timestamptz, run_id bigint, version integer, origins text, records bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- for the pipeline at hand: another one may have nearly all batches
-- The ledger may be long, and nothing is known of how many rows the parts below come to.
set enable_nestloop = off
set jit = off
as $$
#variable_conflict use_column
begin
  return query
  with here as materialized (
    select b.batch_id, b.batch_seq, b.kind, b.committed_at, b.run_id, b.version, b.extracted, b.objects, b.origins,
      b.cursor_after
    from sluice._ledger_path(p_pipeline_id, (
      select s.batch_seq from sluice.etl_state s where s.pipeline_id = p_pipeline_id)) p
    join sluice.batches b on b.pipeline_id = p_pipeline_id and b.batch_seq between p.first_seq and p.last_seq
  ), read as materialized (
    select h.batch_id, h.batch_seq, h.extracted, jsonb_array_length(h.objects) as objects_count,
      x ->> 'object' as object,
      case jsonb_typeof(x #> '{position,records}') when 'number' then (x #>> '{position,records}')::bigint end as behind
    from here h, jsonb_array_elements(h.objects) x
    where h.kind <> 'rewind' and (p_object is null or x ->> 'object' = p_object)
  ), cut as materialized (
    select h.batch_seq, h.objects, h.objects @> '[{"is_removed": true}]' as names_removed
    from here h where h.kind = 'rewind'
  ), named as materialized (
    select c.batch_seq, x ->> 'object' as object, c.names_removed from cut c, jsonb_array_elements(c.objects) x
  ), last_cut as (
    -- Rewinds of a single object: what was read of it before is not behind any more. They name what they removed, or,
    -- of older engines, all that was left.
    select c.object, max(c.batch_seq) as batch_seq
    from (
      select n.object, n.batch_seq from named n where n.names_removed
      union all
      select o.object, c.batch_seq
      from (select distinct r.object from read r) o
      cross join (select c.batch_seq from cut c where not c.names_removed) c
      left join named n using (batch_seq, object)
      where n.object is null) c
    group by c.object
  ), moved as (
    select r.* from read r left join last_cut c using (object) where c.batch_seq is null or c.batch_seq < r.batch_seq
  ), read_of_objects as (
    select m.batch_id, m.object, m.behind,
      -- Of a file that was replaced, the count begins anew.
      case
        when m.objects_count = 1 or m.behind is null then m.extracted
        when m.behind >= m.behind_before then m.behind - m.behind_before
        else m.behind end as records
    from (
      select m.*, coalesce(lag(m.behind) over (partition by m.object order by m.batch_seq), 0) as behind_before
      from moved m) m
  ), behind_there as materialized (
    select o.object, (o.position ->> 'records')::bigint as records
    from sluice._objects_at(p_pipeline_id, p_batch_seq) o
    where p_object is null and jsonb_typeof(o.position -> 'records') = 'number'
  ), again_of_objects as (
    select r.batch_id, string_agg(r.object, ', ' order by r.object) as origins, sum(r.records) as records
    from (
      select r.batch_id, r.object,
        case when r.behind is null then r.records
          else greatest(0, r.behind - greatest(r.behind - r.records, coalesce(t.records, 0))) end as records
      from read_of_objects r left join behind_there t using (object)) r
    where r.records > 0
    group by r.batch_id
  ), there as materialized (
    select p.first_seq, p.last_seq from sluice._ledger_path(p_pipeline_id, p_batch_seq) p where p_object is null
  ), read_of_pages as (
    select h.batch_id, h.extracted as records, sum(h.extracted) over (order by h.batch_seq) as records_to_here
    from here h
    where p_object is null and h.kind in ('load', 'carried') and h.extracted > 0
      -- Standard input cannot be read again.
      and h.objects = '[]' and h.cursor_after ->> 'object' is distinct from '-'
      and not exists (select from there t where h.batch_seq between t.first_seq and t.last_seq)
      -- Behind a sweep that leaves no mark, the next one reads everything in any case.
      and h.batch_seq > coalesce((
        select max(d.batch_seq) from here d join sluice.pipelines p on p.pipeline_id = p_pipeline_id
        where d.cursor_after ->> 'done' = 'true'
          and not (d.cursor_after ?| '{mark,marks}' and p.source ?| '{since,cursor}')
          and d.batch_seq < (select max(l.batch_seq) from here l where l.kind = 'load' and l.extracted > 0)), 0)
  ), again_of_pages as (
    -- A goal that lies beside the way has records behind it, too.
    select r.batch_id, least(r.records, r.records_to_here - beside.records) as records
    from read_of_pages r
    cross join (
      select coalesce(sum(b.extracted), 0) as records
      from there t
      join sluice.batches b on b.pipeline_id = p_pipeline_id and b.batch_seq between t.first_seq and t.last_seq
      where b.kind = 'load' and b.objects = '[]'
        and not exists (select from here h where h.batch_seq = b.batch_seq)) beside
    where r.records_to_here > beside.records
  )
  select h.batch_id, h.committed_at, h.run_id, h.version,
    coalesce(o.origins, (
      select string_agg(distinct x ->> 'origin', ', ') from jsonb_array_elements(h.origins) x)),
    coalesce(o.records, p.records)::bigint
  from here h
  left join again_of_objects o using (batch_id)
  left join again_of_pages p using (batch_id)
  where o.batch_id is not null or p.batch_id is not null
  order by h.batch_seq;
end
$$;
