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

comment on function sluice._ledger_path(integer, bigint) is
$$The spans of the ledger that lead from the start to the state after a batch: without what was undone by rewinds to a
batch, a time or the start.$$;
