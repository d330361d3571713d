create or replace function sluice._verify_cursors(p_pipeline_id integer, out is_ok boolean, out detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- for the pipeline at hand, see sluice.verify
as $$
begin
  with ledger as (
    select b.batch_id, b.batch_seq, b.cursor_before, b.cursor_after, b.carried,
      lag(b.batch_seq, 1, 0::bigint) over w as seq_before, lag(b.cursor_after) over w as cursor_expected
    from sluice.batches b where b.pipeline_id = p_pipeline_id and b.batch_seq is not null
    window w as (order by b.batch_seq)
  ), broken as (
    select batch_seq, format('batch %s follows batch number %s with number %s, cursor %s follows %s', batch_id,
      seq_before, batch_seq, cursor_before, cursor_expected) as what
    from ledger
    -- The first entry may stand for others before it.
    where (batch_seq <> seq_before + 1 or cursor_before is distinct from cursor_expected)
      and not (carried is not null and seq_before = 0 and carried = batch_seq)
    union all
    select s.batch_seq, format('the ledger ends at batch number %s and cursor %s, the state at %s and %s',
      last.batch_seq, last.cursor_after, s.batch_seq, s.cursor)
    from sluice.etl_state s
    left join (select * from ledger order by batch_seq desc limit 1) last on true
    where s.pipeline_id = p_pipeline_id
      and (s.batch_seq <> coalesce(last.batch_seq, 0) or s.cursor is distinct from last.cursor_after)
  )
  select count(*) = 0, coalesce(sluice._first_and_more(array_agg(what order by batch_seq)),
    (select format('batches: %s, unbroken%s', coalesce(sum(coalesce(carried, 1)), 0),
      ', ' || sum(carried) || ' of them pruned') from ledger))
    into is_ok, detail
  from broken;
end
$$;

comment on function sluice._verify_cursors(integer) is
  'Whether the batches that moved the cursor form one chain, without a gap, that ends at the state.';
