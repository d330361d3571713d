-- The batch transaction, as the loader runs it and as anyone can run it by hand in psql:
--
--   begin;
--   select * from sluice.begin_batch('orders', run_id);      -- temp tables, active version
--   copy pg_temp.sluice_staging from stdin (format binary);  -- raw payloads
--   select * from sluice.transform_batch(origins);           -- pure: touches nothing permanent
--   select * from sluice.load_batch(run_id, epoch, batch_seq, cursor, objects);
--   commit;
--
-- Until load_batch no lock is held that another session could wait for, so a loader frozen in
-- copy stops nobody. load_batch locks the state row, checks the fence, merges, quarantines,
-- writes the ledger and moves the cursor. Nothing is visible to anyone before the commit, and
-- everything is after it.
--
-- Temporary tables, made once a connection and emptied at commit:
--   sluice_staging     payloads as they came                            filled by copy
--   sluice_unreadable  records Postgres cannot hold as text             filled by copy
--   sluice_compiled    the statements of the pipeline; kept until what
--                      they were made from changes                      filled here
--   sluice_batch       one row: the batch                               filled here
--   sluice_known       records whose row stands as they made it         filled by transform_batch
--   sluice_rows        typed rows with hash; sluice_state: null live,
--                      f faulty, s superseded                           filled by transform_batch
--   sluice_faults      records that will go to quarantine, and why      filled by both
create or replace function sluice.begin_batch(pipeline text, run_id bigint default null)
returns table (version integer, batch_id bigint)
language plpgsql volatile
set search_path = ''
as $$
declare
  v_pipeline    sluice.pipelines;
  v_fingerprint text;
  v_definition  text;
  v_version     integer;
  v_batch_id    bigint;
begin
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  v_pipeline := sluice._find_pipeline(begin_batch.pipeline);
  if v_pipeline.is_paused then
    raise exception using errcode = 'SL007',
      message = format('pipeline %s is paused', v_pipeline.name),
      hint = format('select sluice.resume_pipeline(%L)', v_pipeline.name);
  end if;
  perform pg_advisory_xact_lock_shared(sluice._lock_class('batch'), v_pipeline.pipeline_id);
  v_batch_id := nextval('sluice.batch_id');
  if current_setting('application_name') like 'sluice%' then
    perform set_config('application_name', format('sluice %s run %s batch %s', v_pipeline.name, begin_batch.run_id, v_batch_id), true);
  end if;

  if to_regclass('pg_temp.sluice_batch') is null then
    create temporary table sluice_staging (ordinal integer not null, position bigint, payload text not null, digest uuid) on commit delete rows;
    -- Large payloads are read once and thrown away: not worth compressing.
    alter table pg_temp.sluice_staging alter column payload set storage external;
    create temporary table sluice_unreadable (ordinal integer not null, position bigint, payload bytea not null, sqlstate text not null, message text not null) on commit delete rows;
    create temporary table sluice_faults (
      ordinal integer primary key, sqlstate text not null, message text not null, detail text,
      constraint_name text, column_name text, is_suspect boolean not null default false) on commit delete rows;
    create temporary table sluice_known (ordinal integer not null, digest uuid not null, row_place tid not null, row_xid xid not null) on commit delete rows;
    create temporary sequence sluice_place;
    create temporary table sluice_batch (
      batch_id bigint not null, pipeline_id integer not null, pipeline text not null, run_id bigint,
      run_started_at timestamptz, started_at timestamptz not null, origins jsonb not null default '[]',
      staged bigint, extracted bigint, transformed bigint, filtered bigint, quarantined bigint, produced bigint, superseded bigint, known bigint,
      known_chunks bigint[] not null default '{}', worn_chunks bigint[] not null default '{}') on commit delete rows;
    create temporary table sluice_compiled (
      fingerprint text not null, made_for uuid, version integer not null, target oid not null, filenode oid, columns text[] not null, search_path text not null,
      rules jsonb not null, load_sql text not null, load_past_faults_sql text not null, trial_sql text not null, probe_sql text not null,
      reference_checks text[] not null, superseded_sql text not null, matched_sql text not null, count_sql text not null, meets_sql text not null, insert_sql text,
      merge_sql text not null, trial_merge_sql text not null, remember_sql text not null, keeps_places boolean not null, rows_definition text not null);
  elsif exists (select from pg_temp.sluice_batch) then
    -- An earlier batch of this same transaction (a dry run).
    truncate pg_temp.sluice_batch, pg_temp.sluice_staging, pg_temp.sluice_unreadable, pg_temp.sluice_faults, pg_temp.sluice_known;
    if to_regclass('pg_temp.sluice_rows') is not null then
      truncate pg_temp.sluice_rows;
    end if;
  end if;

  v_fingerprint := sluice._fingerprint(v_pipeline.pipeline_id);
  if not exists (select from pg_temp.sluice_compiled c where c.fingerprint = v_fingerprint) then
    delete from pg_temp.sluice_compiled;
    insert into pg_temp.sluice_compiled
    select v_fingerprint, case when c.skips_known then sluice._made_for(v_pipeline.pipeline_id) end, c.version, c.target, pg_catalog.pg_relation_filenode(c.target),
      c.columns, c.search_path, c.rules, c.load_sql, c.load_past_faults_sql, c.trial_sql, c.probe_sql,
      c.reference_checks, c.superseded_sql, c.matched_sql, c.count_sql, c.meets_sql, c.insert_sql,
      c.merge_sql, c.trial_merge_sql, c.remember_sql, c.keeps_places, c.rows_definition
    from sluice._compile(v_pipeline.pipeline_id, null) c;
    select format(
      'create temporary table sluice_rows (sluice_ordinal integer not null, sluice_state "char", sluice_deleted boolean not null, sluice_reject text, sluice_rule smallint, sluice_hash bytea, sluice_digest uuid, %s) on commit delete rows',
      c.rows_definition) into v_definition
    from pg_temp.sluice_compiled c;
    if to_regclass('pg_temp.sluice_rows') is not null then
      drop table pg_temp.sluice_rows;
    end if;
    execute v_definition;
  end if;
  select c.version into v_version from pg_temp.sluice_compiled c;

  insert into pg_temp.sluice_batch (batch_id, pipeline_id, pipeline, run_id, run_started_at, started_at)
  select v_batch_id, v_pipeline.pipeline_id, v_pipeline.name, begin_batch.run_id,
    (select r.started_at from sluice.runs r where r.run_id = begin_batch.run_id), clock_timestamp();

  return query select v_version, v_batch_id;
end
$$;

comment on function sluice.begin_batch(text, bigint) is
  'First step of a batch: makes or empties the temporary tables and fixes the version. Raises SL005 (definition no longer fits), SL006 (transform replaced), SL007 (paused).';
