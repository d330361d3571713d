create or replace function sluice._objects_at(p_pipeline_id integer, p_batch_seq bigint)
returns table (object text, identity jsonb, "position" jsonb, is_done boolean, batch_id bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- for the pipeline at hand: another one may have nearly all batches
as $$
#variable_conflict use_column
begin
  return query
  with way as materialized (
    select b.batch_id, b.batch_seq, b.objects,
      -- Rewinds of older engines hold the state of all objects, those of today the one that they removed.
      b.kind = 'rewind' and not b.objects @> '[{"is_removed": true}]' as holds_all
    from sluice._ledger_path(p_pipeline_id, p_batch_seq) p
    join sluice.batches b on b.pipeline_id = p_pipeline_id and b.batch_seq between p.first_seq and p.last_seq
  ), latest as (
    select distinct on (x ->> 'object') x as object, w.batch_id
    from way w cross join lateral jsonb_array_elements(w.objects) x
    where w.batch_seq >= coalesce((select max(h.batch_seq) from way h where h.holds_all), 0)
    order by x ->> 'object', w.batch_seq desc)
  select l.object ->> 'object', l.object -> 'identity', l.object -> 'position',
    (l.object ->> 'is_done')::boolean, l.batch_id
  from latest l where not l.object ? 'is_removed';
end
$$;

comment on function sluice._objects_at(integer, bigint) is
  'The files and objects as the ledger says they were after a batch: what it last says of each on the way there.';

-- The spans of the ledger that lead from the start to the state after a batch: without what was undone by rewinds to
-- a batch, a time or the start.
create or replace function sluice._ledger_path(p_pipeline_id integer, p_batch_seq bigint)
returns table (first_seq bigint, last_seq bigint)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive part (last_seq, rewind_seq, rewound_to) as (
    select p_batch_seq, r.batch_seq, r.rewound_to
    from (select) here left join lateral (
      select b.batch_seq, b.rewound_to from sluice.batches b
      where b.pipeline_id = p_pipeline_id and b.kind = 'rewind' and b.rewound_to is not null
        and b.batch_seq <= p_batch_seq
      order by b.batch_seq desc limit 1) r on true
    union all
    select p.rewound_to, r.batch_seq, r.rewound_to
    from part p left join lateral (
      select b.batch_seq, b.rewound_to from sluice.batches b
      where b.pipeline_id = p_pipeline_id and b.kind = 'rewind' and b.rewound_to is not null
        and b.batch_seq <= p.rewound_to
      order by b.batch_seq desc limit 1) r on true
    where p.rewind_seq is not null)
  select coalesce(p.rewind_seq, 0) + 1, p.last_seq from part p where p.last_seq > coalesce(p.rewind_seq, 0)
$$;
