create or replace function sluice.compare(pipeline text, version_a integer, version_b integer,
  last_batches integer default 20, samples integer default 3)
returns table (outcome_a text, outcome_b text, is_same boolean, records bigint, sample text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_live_pipeline(compare.pipeline);
begin
  return query
  select c.outcome_a, c.outcome_b, c.is_same, sum(c.records)::bigint,
    string_agg(concat_ws(' ', concat_ws(':', c.origin, c.position),
      coalesce(c.error_b, c.error_a, sluice._changes_text(c.changes))), E'\n' order by c.number)
      filter (where c.records is null and c.number <= compare.samples)
  from (
    select d.*, row_number() over (partition by d.outcome_a, d.outcome_b, d.is_same, d.records is null
      order by d.ordinality) as number
    from sluice._compare(v_pipeline, compare.version_a, compare.version_b, compare.last_batches,
      greatest(compare.samples, 0)) with ordinality d) c
  group by c.outcome_a, c.outcome_b, c.is_same
  order by c.is_same, sum(c.records) desc, c.outcome_a, c.outcome_b;
end
$$;

comment on function sluice.compare(text, integer, integer, integer, integer) is
$$What two versions of the transform (version_a, version_b) make of the same records: the retained payloads of the last
batches, and open quarantine. Changes nothing. One line per pair of outcomes, with the number of records and some
samples. Outcomes are what a reload would come to in the target as it is now: insert, update, delete, unchanged, stale,
superseded, filtered, or quarantined with its SQLSTATE; a record that makes several rows may have several.
is_same: both versions make the same rows, value by value and column by column, in all targets.
last_batches (20): how many. samples (3): examples per line.
As nothing is merged, what only the merge would notice is not seen: a second unique constraint, a trigger that raises.
The records that differ, one by one: sluice.compare_records.
Example: select * from sluice.compare('orders', 1, 2)$$;

-- Cells that differ between versions as people read them: order_id=42: amount 10.00 → 12.50, status - → "paid". -:
-- not returned.
create or replace function sluice._changes_text(p_changes jsonb)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(coalesce(r.row ->> 'target' || ' ', '') || (
    select string_agg(format('%s=%s', k.key, k.value), ' ') from jsonb_each(r.row -> 'key') k)
    || coalesce(': ' || (
      select string_agg(format('%s %s → %s', c.key, coalesce(left((c.value -> 'a')::text, 60), '-'),
        coalesce(left((c.value -> 'b')::text, 60), '-')), ', ' order by c.key)
      -- The key has been named.
      from jsonb_each(r.row -> 'changes') c where not r.row -> 'key' ? c.key), ''), '; ' order by r.number)
  from jsonb_array_elements(p_changes) with ordinality r (row, number)
$$;

create or replace function sluice.compare_records(pipeline text, version_a integer, version_b integer,
  last_batches integer default 20)
returns table (batch bigint, origin text, "position" bigint, outcome_a text, outcome_b text, error_a text,
  error_b text, changes jsonb, payload text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_live_pipeline(compare_records.pipeline);
begin
  return query
  select d.batch, d.origin, d.position, d.outcome_a, d.outcome_b, d.error_a, d.error_b, d.changes, d.payload
  from sluice._compare(v_pipeline, compare_records.version_a, compare_records.version_b, compare_records.last_batches,
    null) d
  where d.records is null;
end
$$;

comment on function sluice.compare_records(text, integer, integer, integer) is
$$The records of which two versions make something different, one per line. version_a, version_b, last_batches: as for
sluice.compare. For each record its outcomes and errors, and for each row that differs its key and the cells that do,
{"amount": {"a": 10.00, "b": 12.50}}, without a or b where that version does not return the column; and the target,
unless it is the first.
batch: null for records of quarantine.
Example: select * from sluice.compare_records('orders', 1, 2) where outcome_b like 'quarantined%'$$;
