-- Of what was read before the ledger was pruned, the state of files and objects itself holds how far it was then.
create or replace function sluice._objects_at(p_pipeline_id integer, p_batch_seq bigint)
returns table (object text, identity jsonb, "position" jsonb, is_done boolean, batch_id bigint)
language sql stable
set search_path = pg_catalog, pg_temp
set enable_nestloop = off -- nothing is known of how many the parts come to
set jit = off
as $$
  with ledger as materialized (
    select * from sluice._objects_of_ledger(p_pipeline_id, p_batch_seq)
  ), carry as (
    select b.batch_seq from sluice.batches b
    join sluice._ledger_path(p_pipeline_id, p_batch_seq) p on b.batch_seq between p.first_seq and p.last_seq
    where b.pipeline_id = p_pipeline_id and b.kind = 'carried'
  ), carried as (
    select o.object, o.identity, o.position, o.is_done, o.last_batch_id as batch_id
    from sluice.source_objects o
    where o.pipeline_id = p_pipeline_id and o.carried is null and exists (select from carry)
      and not exists (select from sluice.batches b where b.batch_id = o.last_batch_id)
    union all
    select o.object, o.carried -> 'identity', o.carried -> 'position', (o.carried ->> 'is_done')::boolean,
      (o.carried ->> 'batch_id')::bigint
    from sluice.source_objects o
    where o.pipeline_id = p_pipeline_id and o.carried is not null and exists (select from carry))
  select * from ledger
  union all
  select c.* from carried c where not exists (select from ledger l where l.object = c.object)
$$;

comment on function sluice._objects_at(integer, bigint) is
  'The files and objects as the ledger says they were after a batch: what it last says of each on the way there.';

-- What the entries of the ledger say that are there.
create or replace function sluice._objects_of_ledger(p_pipeline_id integer, p_batch_seq bigint)
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
