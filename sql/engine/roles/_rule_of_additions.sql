-- What else holds for rows that are added: they bear the name of who adds them and the server's time, a number that
-- this session drew, and nothing of others.
create or replace function sluice._rule_of_additions(p_name text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case p_name
    when 'activations' then sluice._is_signed('activated_by', 'activated_at')
    when 'also_targets' then sluice._no_strangers(p_name)
      || ' and exists (select from sluice.transforms t where t.pipeline_id = also_targets.pipeline_id'
      ' and t.version = also_targets.version and t.first_used_at is null)'
    when 'batches' then sluice._is_signed('recorded_by', 'committed_at', 'sluice._ledger_time(pipeline_id)')
      || ' and batch_id = pg_catalog.currval(''sluice.batch_id'') and (run_id is null or exists ('
      'select from sluice.runs r where r.run_id = batches.run_id and r.pipeline_id = batches.pipeline_id))'
    when 'etl_state' then 'batch_seq = 0 and cursor is null'
    when 'pipelines' then sluice._no_strangers(p_name)
      || ' and (backfill_of is null or exists (select from sluice._mine m where m.pipeline_id = backfill_of))'
    -- The first error of a record is noted when something else happens to it; the run that brought it found it.
    when 'quarantine_events' then '(' || sluice._is_signed('done_by', 'happened_at')
      || ' or event = ''quarantined'' and (done_by, happened_at) = (
        select coalesce(b.recorded_by, ''unknown''), q.last_seen_at
        from sluice.quarantine q left join sluice.batches b on b.batch_id = q.last_batch_id
        where q.quarantine_id = quarantine_events.quarantine_id))'
    -- A batch may have begun before midnight.
    when 'raw_days' then
      '(pg_catalog.clock_timestamp() at time zone ''UTC'')::pg_catalog.date - retained_on between 0 and 1'
    when 'runs' then sluice._is_signed('started_by', 'started_at', 'sluice._ledger_time(pipeline_id)')
    when 'transforms' then sluice._is_signed('defined_by', 'defined_at')
    when 'unknown_batches' then sluice._is_signed('noted_by', 'noted_at') end
$$;

comment on function sluice._rule_of_additions(text) is
  'What row security asks of a row that is added to a table of the engine, beside whose it is.';

-- The clock may have been set back since the transaction began.
create or replace function sluice._is_signed(
  p_by text, p_at text, p_latest text default 'greatest(pg_catalog.now(), pg_catalog.clock_timestamp())')
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select format('%I = session_user and %I between least(pg_catalog.now(), pg_catalog.clock_timestamp()) and %s', p_by,
    p_at, p_latest)
$$;

-- Batches of one table read each other's ledgers: whose one pipeline is, theirs all are.
create or replace function sluice._no_strangers(p_name text)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select format('not exists (select from sluice._loaded l where l.target = %I.target and '
    'not sluice._is_member_of(l.owner))', p_name)
$$;
