-- Temporary tables of a batch, made once a connection and emptied at commit:
--   sluice_staging     payloads as they came                            filled by copy
--   sluice_unreadable  records Postgres cannot hold as text             filled by copy
--   sluice_compiled    the statements of the pipeline; kept until what
--                      they were made from changes                      filled here
--   sluice_batch       one row: the batch                               filled here
--   sluice_replayed    which quarantined record each record is          filled by replays
--   sluice_known       records whose row stands as they made it         filled by transform_batch
--   sluice_rows        typed rows with hash, sluice_line in the order
--                      they were made; sluice_state: null live,
--                      f faulty, s superseded, o outdated, u perhaps    filled by transform_batch
--   sluice_faults      records that will go to quarantine, and why      filled by both
create or replace function sluice._open_batch(p_pipeline sluice.pipelines, p_version integer, p_run_id bigint, p_kind text, p_guard text)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_fingerprint text;
  v_definition  text;
  v_batch_id    bigint := nextval('sluice.batch_id');
begin
  if to_regclass('pg_temp.sluice_batch') is null then
    create temporary table sluice_staging (ordinal integer not null, position bigint, payload text not null, digest uuid) on commit delete rows;
    -- Large payloads are read once and thrown away: not worth compressing.
    alter table pg_temp.sluice_staging alter column payload set storage external;
    create temporary table sluice_unreadable (ordinal integer not null, position bigint, payload bytea not null, sqlstate text not null, message text not null) on commit delete rows;
    create temporary table sluice_faults (
      ordinal integer primary key, sqlstate text not null, message text not null, detail text,
      constraint_name text, column_name text, is_suspect boolean not null default false) on commit delete rows;
    create temporary table sluice_known (ordinal integer not null, digest uuid not null, row_place tid not null, row_xid xid not null) on commit delete rows;
    create temporary table sluice_replayed (ordinal integer primary key, quarantine_id bigint, arrived_at timestamptz not null) on commit delete rows;
    create temporary sequence sluice_place;
    create temporary sequence sluice_line cache 1000;
    create temporary table sluice_batch (
      batch_id bigint not null, pipeline_id integer not null, pipeline text not null, kind text not null, guard text not null, run_id bigint,
      run_started_at timestamptz, started_at timestamptz not null, origins jsonb not null default '[]',
      staged bigint, extracted bigint, transformed bigint, filtered bigint, quarantined bigint, produced bigint, superseded bigint, outdated bigint, known bigint,
      known_chunks bigint[] not null default '{}', worn_chunks bigint[] not null default '{}') on commit delete rows;
    create temporary table sluice_compiled (fingerprint text not null, like sluice.compiled);
  elsif exists (select from pg_temp.sluice_batch) then
    -- An earlier batch of this same transaction (a dry run, a replay).
    truncate pg_temp.sluice_batch, pg_temp.sluice_staging, pg_temp.sluice_unreadable, pg_temp.sluice_faults, pg_temp.sluice_known, pg_temp.sluice_replayed;
    if to_regclass('pg_temp.sluice_rows') is not null then
      truncate pg_temp.sluice_rows;
    end if;
  end if;

  v_fingerprint := sluice._fingerprint(p_pipeline.pipeline_id, p_version);
  if not exists (select from pg_temp.sluice_compiled c where c.fingerprint = v_fingerprint) then
    delete from pg_temp.sluice_compiled;
    insert into pg_temp.sluice_compiled select v_fingerprint, c.* from sluice._compile(p_pipeline.pipeline_id, p_version) c;
    select format(
      'create temporary table sluice_rows (sluice_ordinal integer not null, sluice_line bigint not null default nextval(''pg_temp.sluice_line''),
        sluice_state "char", sluice_deleted boolean not null, sluice_reject text, sluice_rule smallint, sluice_hash bytea, sluice_digest uuid, %s) on commit delete rows',
      c.rows_definition) into v_definition
    from pg_temp.sluice_compiled c;
    if to_regclass('pg_temp.sluice_rows') is not null then
      drop table pg_temp.sluice_rows;
    end if;
    execute v_definition;
  end if;

  insert into pg_temp.sluice_batch (batch_id, pipeline_id, pipeline, kind, guard, run_id, run_started_at, started_at)
  select v_batch_id, p_pipeline.pipeline_id, sluice._live_name(p_pipeline.name), p_kind, p_guard, p_run_id,
    (select r.started_at from sluice.runs r where r.run_id = p_run_id), clock_timestamp();
  return v_batch_id;
end
$$;

comment on function sluice._open_batch(sluice.pipelines, integer, bigint, text, text) is
  'Makes or empties the temporary tables of a batch and fixes its version (null: the active one). p_kind: as in the ledger; p_guard: whom it may overwrite, see _outdated_sql. Returns the batch''s id.';
