-- The rows of a source beside those of the target, while runs go on. Who reads the source (the loader) calls, all in
-- one session:
--
--   begin_source_check(pipeline)            temporary tables; what the pipeline is like
--   for each batch of all records, in a transaction of its own that writes nothing but these tables:
--     begin_checked_batch, copy, transform_batch    as in a batch
--     find_differences                      which records make rows that are not in the target as they make them
--     note_differences                      where those stand in the source
--   differing_places, and those records once more: what is found again, from the same bytes, is no matter of
--   when one looked; note_due: which of them the next run reads anyway
--   finish_source_check, source_differences the verdict
--
-- Between the batches only the hash of each key is kept, in a temporary table: neither side is held in memory.
create or replace function sluice.begin_source_check(pipeline text)
returns table (
  check_id uuid, source jsonb, "cursor" jsonb, batch_rows integer, batch_bytes integer, input_columns text[])
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_min_messages = warning
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_live_pipeline(begin_source_check.pipeline);
  v_unread   text := (
    select min(sluice._why_unreadable(t.target, '{sluice_batch,sluice_hash}'))
    from sluice._version_targets(v_pipeline.pipeline_id, null) t);
  v_id       uuid := gen_random_uuid();
begin
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  if v_unread is not null then
    raise exception using errcode = 'SL005', message = format('pipeline %s: %s', v_pipeline.name, v_unread),
      hint = 'compare as a role that may read the target';
  end if;
  drop table if exists pg_temp.sluice_source_check, pg_temp.sluice_source_keys, pg_temp.sluice_differences,
    pg_temp.sluice_found, pg_temp.sluice_amended;
  create temporary table sluice_source_check as
  select v_id as check_id, v_pipeline.pipeline_id as pipeline_id, v_pipeline.active_version as version,
    -- Rows of later batches may come from records that are newer than what is read here.
    nextval('sluice.batch_id') as before_batch,
    0::bigint as records, 0::bigint as filtered, 0::bigint as bad, 0::bigint as bad_without_key,
    0::bigint as in_quarantine, 0::bigint as repaired;
  -- of_target: a further target by name; empty of the first.
  create temporary table sluice_source_keys (
    key_hash bytea not null, is_same boolean not null, of_target text not null);
  create temporary table sluice_differences (
    place text not null, digest uuid, what text not null, key_hash bytea, key jsonb, row_batch bigint,
    state text not null, of_target text not null);
  create index on pg_temp.sluice_differences (place);
  create index on pg_temp.sluice_differences (state, place);
  create temporary table sluice_found (
    ordinal integer not null, what text not null, key_hash bytea, key jsonb, row_batch bigint,
    of_target text not null default '') on commit delete rows;
  -- What follows may only read, and write to tables that are there.
  perform sluice._make_batch_tables();
  perform sluice._fetch_met(to_regclass(t.target), '{}') from sluice._version_targets(v_pipeline.pipeline_id, null) t
  where sluice._is_distributed(to_regclass(t.target));
  -- What the source has of records that were mended in quarantine.
  create temporary table sluice_amended as
  select encode(substr(sha256(q.original_payload), 1, 16), 'hex')::uuid as digest
  from sluice.quarantine q where q.pipeline_id = v_pipeline.pipeline_id and q.original_payload is not null;
  return query
  select v_id, v_pipeline.source, s.cursor, v_pipeline.batch_rows, v_pipeline.batch_bytes,
    (sluice._compile(v_pipeline.pipeline_id, null)).input_columns
  from sluice.etl_state s where s.pipeline_id = v_pipeline.pipeline_id;
end
$$;

comment on function sluice.begin_source_check(text) is
$$Begins to compare the source of a pipeline with its target ("sluice verify PIPELINE --source" does it). What is found
stands in temporary tables of the session. check_id: for the other functions, which refuse (SL002) to go on in another
session, as a pooler may give one. source, cursor, batch_rows, batch_bytes: of the pipeline; input_columns: see
begin_batch.$$;

create or replace function sluice.begin_checked_batch(check_id uuid)
returns table (input_columns text[], wants_payloads boolean)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._checked_pipeline(begin_checked_batch.check_id);
begin
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  perform sluice._open_batch(v_pipeline, (select c.version from pg_temp.sluice_source_check c), null, 'check', 'live');
  return query select c.input_columns, false from pg_temp.sluice_compiled c;
end
$$;

comment on function sluice.begin_checked_batch(uuid) is
$$As begin_batch, for records that are compared and not loaded; of a paused pipeline, too. transform_batch comes
next. check_id: see begin_source_check.$$;

-- The pipeline that is compared in this session.
create or replace function sluice._checked_pipeline(p_check_id uuid)
returns sluice.pipelines
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines;
begin
  begin
    select p.* into strict v_pipeline
    from pg_temp.sluice_source_check c join sluice.pipelines p using (pipeline_id) where c.check_id = p_check_id;
  exception when undefined_table or no_data_found then
    raise exception using errcode = 'SL002', message = 'this is not the session in which the comparison began',
      hint = 'connect to the server itself and not to a pooler that changes sessions between transactions';
  end;
  return v_pipeline;
end
$$;
