-- lost: rows that name a batch which is nowhere. unknown: rows of batches that are noted as gone with their ledger.
-- without_batch: rows of other writers.
create or replace function sluice._count_rows_by_origin(
  p_target text, out lost bigint, out a_lost_batch bigint, out unknown bigint, out without_batch bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  execute format($sql$select coalesce(sum(r.rows) filter (where r.is_known = false), 0),
  min(r.sluice_batch) filter (where r.is_known = false), coalesce(sum(r.rows) filter (where r.is_known), 0),
  coalesce(sum(r.rows) filter (where r.is_known is null), 0)
from (
  select t.sluice_batch, t.rows, t.sluice_batch <@ $1 as is_known
  from (select t.sluice_batch, count(*) as rows from %s t group by t.sluice_batch) t
  left join (select batch_id from sluice._all_batches()) b on b.batch_id = t.sluice_batch
  where b.batch_id is null) r$sql$, p_target)
    into lost, a_lost_batch, unknown, without_batch
    using coalesce((
      select range_agg(r.ids) from sluice.unknown_batches u cross join lateral unnest(u.batch_ids) r (ids)
      where u.target = p_target), '{}'::int8multirange);
end
$$;

comment on function sluice._count_rows_by_origin(text) is
  'The rows of a target that no batch of the ledger wrote, by what else is known of them.';

-- Whose rows those of unknown batches are, in words.
create or replace function sluice._unknown_origin(p_target text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce('dropped pipelines (' || string_agg(distinct u.pipeline, ', ' order by u.pipeline) || ')',
    'batches before this ledger')
  from sluice.unknown_batches u where u.target = p_target
$$;
