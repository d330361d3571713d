-- A batch lives in temporary tables: made once a session, and again after an upgrade of the engine;
-- emptied at commit. What the open batch is, every step reads from sluice_batch.
--
--   sluice_staging     payloads as they came                            filled by copy
--   sluice_unreadable  records Postgres cannot hold as text             filled by copy
--   sluice_fields      where the transform takes a row: the fields of
--                      records, as text, by the names of its type       filled by copy, or from sluice_staging
--   sluice_payloads    payloads of sluice_fields, where they are wanted filled by copy
--   sluice_versions    the versions this session has compiled lately    filled here, kept
--   sluice_batch       one row: the batch, its counters                 filled here, and by each step
--   sluice_targets     the targets of the open batch, compiled: a view
--   sluice_compiled    the first of them, which speaks for the version: a view
--   sluice_origins     where the records came from, in spans            filled by transform_batch
--   sluice_replayed    which quarantined record each record is          filled by replays and reloads
--   sluice_known       records whose row stands as they made it         filled by transform_batch
--   sluice_rows        typed rows with hash; sluice_line: in the order
--                      they were made; sluice_state: see README.md      filled by transform_batch
--   sluice_dropped     rows of further targets that their parents no
--                      longer have; number: of the target, negative
--                      while the delete waits for the merges            filled by load_batch
--   sluice_faults      records that will go to quarantine, and why      filled by transform and load
create or replace function sluice._open_batch(
  p_pipeline sluice.pipelines, p_version integer, p_run_id bigint, p_kind text, p_precedence text)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_batch_id bigint := nextval('sluice.batch_id');
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using errcode = 'SL002',
      message = format('a batch cannot be opened under isolation level %s', current_setting('transaction_isolation')),
      detail = 'it would not see what was committed while it waited for a lock, and would judge records by that',
      hint = 'begin isolation level read committed; the session''s default: set default_transaction_isolation';
  end if;
  -- What the transaction has already broken is no record's fault.
  set constraints all immediate;
  perform sluice._make_batch_tables();
  insert into pg_temp.sluice_batch (
    batch_id, pipeline_id, owner_id, pipeline, fingerprint, kind, precedence, run_id, run_started_at, started_at)
  values (
    v_batch_id, p_pipeline.pipeline_id, coalesce(p_pipeline.backfill_of, p_pipeline.pipeline_id),
    sluice._live_name(p_pipeline.name), sluice._take_version(p_pipeline.pipeline_id, p_version, v_batch_id),
    p_kind, p_precedence, p_run_id,
    (select r.started_at from sluice.runs r where r.run_id = p_run_id), clock_timestamp());
  update pg_temp.sluice_batch set has_children = exists (
    select from pg_temp.sluice_targets t where t.number > 1);
  return v_batch_id;
end
$$;

comment on function sluice._open_batch(sluice.pipelines, integer, bigint, text, text) is
$$Makes or empties the temporary tables of a batch and fixes its version (null: the active one); returns its id.
p_kind: as in the ledger. p_precedence: which rows it may overwrite, see sluice._outdated_sql.$$;

create or replace function sluice._make_batch_tables()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_min_messages = warning
as $$
declare
  v_engine text := (select e.bundle_sha256 from sluice.engine e);
  v_object record;
begin
  if obj_description(to_regclass('pg_temp.sluice_batch'), 'pg_class') = v_engine then
    if exists (select from pg_temp.sluice_batch) then
      -- An earlier batch of this same transaction (a dry run, a replay).
      truncate pg_temp.sluice_batch, pg_temp.sluice_staging, pg_temp.sluice_unreadable, pg_temp.sluice_origins,
        pg_temp.sluice_faults, pg_temp.sluice_known, pg_temp.sluice_replayed, pg_temp.sluice_payloads,
        pg_temp.sluice_dropped;
    end if;
    return;
  end if;
  -- They belong to this session alone: Citus need not report that they are on no other server.
  perform set_config('citus.enable_ddl_propagation', 'off', true);
  -- There are none yet, or they are those of another engine version.
  for v_object in
    select format('drop %s if exists pg_temp.%I cascade',
      case c.relkind when 'S' then 'sequence' when 'v' then 'view' else 'table' end, c.relname) as sql
    from pg_class c
    where c.relnamespace = pg_my_temp_schema() and c.relkind in ('r', 'S', 'v') and c.relname ~ (
      '^sluice_(staging|unreadable|payloads|versions|batch|targets|compiled|origins|replayed|known|'
      '(fields|rows|met)(_\w+)?|faults|dropped|place|line)$')
  loop
    execute v_object.sql;
  end loop;

  create temporary table sluice_staging (
    ordinal integer not null, position bigint, payload text not null, digest uuid) on commit delete rows;
  -- Large payloads are read once and thrown away: not worth compressing.
  alter table pg_temp.sluice_staging alter column payload set storage external;
  create temporary table sluice_payloads (
    ordinal integer not null, position bigint, payload text not null) on commit delete rows;
  alter table pg_temp.sluice_payloads alter column payload set storage external;
  create temporary table sluice_unreadable (
    ordinal integer not null, position bigint, payload bytea not null, sqlstate text not null, message text not null)
    on commit delete rows;
  create temporary table sluice_origins (first_ordinal integer, origin text, meta jsonb) on commit delete rows;
  create index on pg_temp.sluice_origins (first_ordinal);
  create temporary table sluice_faults (
    ordinal integer primary key, sqlstate text not null, message text not null, detail text,
    constraint_name text, column_name text, is_suspect boolean not null default false) on commit delete rows;
  create temporary table sluice_known (
    ordinal integer not null, digest uuid not null, row_place tid not null, row_xid xid not null) on commit delete rows;
  create temporary table sluice_replayed (
    ordinal integer primary key, quarantine_id bigint, arrived_at timestamptz not null) on commit delete rows;
  create temporary table sluice_dropped (
    number integer not null, class oid not null, place tid not null, parent tid not null) on commit delete rows;
  -- A place in a trial, which no rollback takes back; and the order of rows, which no update changes.
  create temporary sequence sluice_place;
  create temporary sequence sluice_line cache 1000;
  create temporary table sluice_batch (
    batch_id bigint not null, pipeline_id integer not null, owner_id integer not null, pipeline text not null,
    fingerprint text not null, kind text not null, precedence text not null, run_id bigint,
    run_started_at timestamptz, started_at timestamptz not null, step text not null default 'opened',
    origins jsonb not null default '[]', extracted bigint, transformed bigint, filtered bigint, quarantined bigint,
    produced bigint, superseded bigint, known bigint, has_children boolean,
    known_chunks bigint[] not null default '{}', worn_chunks bigint[] not null default '{}',
    trial_first integer, trial_last integer, fields jsonb) on commit delete rows;
  create temporary table sluice_versions (
    like sluice.compiled, fingerprint text, for_pipeline integer not null, table_set oid not null,
    last_batch_id bigint not null, primary key (fingerprint, number));
  -- With the fields of the type and no others, as they are assigned to variables of it.
  execute format($sql$create temporary view sluice_targets as
    select %s from pg_temp.sluice_versions v join pg_temp.sluice_batch b using (fingerprint)$sql$, (
      select string_agg('v.' || quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a
      where a.attrelid = 'sluice.compiled'::regclass and a.attnum > 0 and not a.attisdropped));
  create temporary view sluice_compiled as
    select t.* from pg_temp.sluice_targets t where t.number = 1;
  execute format('comment on table pg_temp.sluice_batch is %L', v_engine);
end
$$;
