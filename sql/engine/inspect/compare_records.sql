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
$$The records of which two versions make something else, one a line. version_a, version_b, last_batches: as for
sluice.compare. For each record its outcomes, errors, and for each row that differs its key and the cells that do,
{"amount": {"a": 10.00, "b": 12.50}}; without a or b where that version does not return it. batch: null for records
of quarantine. Example: select * from sluice.compare_records('orders', 1, 2) where outcome_b like 'quarantined%'$$;
