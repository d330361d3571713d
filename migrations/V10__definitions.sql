-- What a definition said when it was applied last, so that the next one tells what is new in it.

alter table sluice.transforms add definition jsonb;

comment on column sluice.transforms.definition is
  'The source and the policies as the last call of define_pipeline with this version said them, and whether it was to be activated; null for a version no call has named since definitions are kept.';

-- What a run has counted is the sum over its batches, and the ledger has those. The views of an engine that is there
-- are emptied, not dropped: others may depend on them, and the functions and views that follow replace them.
do $$
declare
  v_empty text;
begin
  for v_empty in
    select format('create or replace view %s as select %s where false', a.attrelid::regclass,
      string_agg(format('null::%s as %I', format_type(a.atttypid, a.atttypmod), a.attname), ', ' order by a.attnum))
    from pg_catalog.pg_attribute a
    where a.attnum > 0 and a.attrelid = any (array[to_regclass('sluice.backfills'), to_regclass('sluice.recent_runs'),
      to_regclass('sluice.status'), to_regclass('sluice.status_details')]::oid[])
    group by a.attrelid
  loop
    execute v_empty;
  end loop;
end
$$;

alter table sluice.runs
  drop batches, drop extracted, drop transformed, drop filtered, drop quarantined, drop produced, drop inserted,
  drop updated, drop deleted, drop unchanged, drop stale, drop superseded, drop retried;
