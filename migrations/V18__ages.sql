-- What an installation keeps of the past: the ledger before a time as sums, and who erased what.

alter table sluice.pipelines
  add retain_history interval,
  add constraint pipelines_retain_history_is_positive check (retain_history > interval '0');

alter table sluice.batches
  add carried bigint,
  drop constraint batches_kind_is_known,
  add constraint batches_kind_is_known
    check (kind in ('load', 'rewind', 'skip', 'replay', 'snapshot', 'reconcile', 'carried')),
  add constraint batches_only_carried_ones_stand_for_others check ((kind = 'carried') = (carried is not null));

-- The one entry that stands for the pruned ones.
create unique index batches_carry_once on sluice.batches (pipeline_id) where kind = 'carried';

alter table sluice.source_objects add carried jsonb;

create table sluice.pruned_batches (
  batch_id     bigint      not null,
  pipeline_id  integer     not null,
  version      integer,
  kind         text        not null,
  committed_at timestamptz not null,
  constraint pruned_batches_pkey primary key (batch_id),
  constraint pruned_batches_belong_to_a_pipeline
    foreign key (pipeline_id) references sluice.pipelines on delete cascade
);

-- The rows of the target that a pipeline has written.
create index pruned_batches_by_pipeline on sluice.pruned_batches (pipeline_id);

create table sluice.pruned (
  pipeline_id integer     not null,
  batches     bigint      not null default 0,
  runs        bigint      not null default 0,
  records     bigint      not null default 0,
  seen_count  bigint      not null default 0,
  pruned_at   timestamptz not null default now(),
  pruned_by   text        not null default session_user,
  constraint pruned_pkey primary key (pipeline_id),
  constraint pruned_belongs_to_a_pipeline
    foreign key (pipeline_id) references sluice.pipelines on delete cascade
);

-- What each column holds, for \d+.


comment on column sluice.engine.is_singleton is 'Keeps the table at one row.';
comment on column sluice.engine.version is 'The version of sluice whose functions are installed.';
comment on column sluice.engine.bundle_sha256 is
  'Identifies these functions and views: another bundle replaces them all.';
comment on column sluice.engine.routines is 'The functions that the next upgrade has to drop.';
comment on column sluice.engine.installed_at is 'When the functions were replaced last.';
comment on column sluice.engine.installed_by is 'By whom.';

comment on column sluice.pipelines.pipeline_id is 'Names the pipeline in all other tables; never given again.';
comment on column sluice.pipelines.name is 'By which people call it.';
comment on column sluice.pipelines.target is 'The table it loads, with its schema, quoted where that is needed.';
comment on column sluice.pipelines.source is
  'Where records come from: what a constructor such as sluice.file_source returned. Credentials are named in it, never held.';
comment on column sluice.pipelines.active_version is 'The version of the transform that batches use.';
comment on column sluice.pipelines.max_bad_ratio is 'A run stops when more than this share of its records is bad.';
comment on column sluice.pipelines.batch_rows is 'At most so many records a batch; null: as the loader is told.';
comment on column sluice.pipelines.batch_bytes is
  'At most so many bytes of payloads a batch; null: as the loader is told.';
comment on column sluice.pipelines.is_paused is 'Whether runs are refused (sluice.pause_pipeline).';
comment on column sluice.pipelines.created_at is 'When it was defined first.';
comment on column sluice.pipelines.created_by is 'By whom.';
comment on column sluice.pipelines.updated_at is
  'When definition or policies changed last; sessions compile its version anew then.';
comment on column sluice.pipelines.skip_known is
  'Whether payloads whose row stands as they made it are recognised by their bytes and not parsed again.';
comment on column sluice.pipelines.mark_column is
  'The column of the target by which missing rows are marked; null: they are not.';
comment on column sluice.pipelines.retain_history is
  'How long ledger, runs and closed quarantined records are kept (sluice.prune); null: for ever.';

comment on column sluice.transforms.pipeline_id is 'Whose version it is.';
comment on column sluice.transforms.version is 'Its number.';
comment on column sluice.transforms.function is 'The function, with schema and argument types.';
comment on column sluice.transforms.takes_meta is 'Whether it has a second argument, meta.';
comment on column sluice.transforms.columns is 'The columns of the target that it returns.';
comment on column sluice.transforms.key is 'The columns by which a row is known again.';
comment on column sluice.transforms.order_by is
  'The column that says which of two records of a key is newer; null: the later arrival.';
comment on column sluice.transforms.search_path is
  'The path under which the function runs: that of the session that defined it.';
comment on column sluice.transforms.function_text is 'Its source when it was registered.';
comment on column sluice.transforms.sha256 is
  'Hash of that: a function replaced behind the loader''s back stops the run.';
comment on column sluice.transforms.defined_at is 'When the version was registered.';
comment on column sluice.transforms.defined_by is 'By whom.';
comment on column sluice.transforms.first_used_at is
  'When it loaded its first batch, since which it cannot be changed; null: not yet.';

comment on column sluice.etl_state.pipeline_id is 'Whose state it is.';
comment on column sluice.etl_state.epoch is 'Counts runs: one with an older epoch can commit nothing any more.';
comment on column sluice.etl_state.batch_seq is 'The number of the last entry of the ledger.';
comment on column sluice.etl_state.cursor is 'Up to where the source has been committed, in the source''s own terms.';
comment on column sluice.etl_state.updated_at is 'When it moved last.';

comment on column sluice.runs.run_id is 'Names the run.';
comment on column sluice.runs.pipeline_id is 'Which pipeline ran.';
comment on column sluice.runs.epoch is 'Its epoch: see etl_state.';
comment on column sluice.runs.started_at is 'When it began.';
comment on column sluice.runs.finished_at is 'When it ended; null: it is going on, or its loader died.';
comment on column sluice.runs.outcome is 'ok, failed, threshold, locked or interrupted; null: see finished_at.';
comment on column sluice.runs.error is 'Why it ended early, in the words that the loader printed.';
comment on column sluice.runs.loader is 'Program, host and process, for people.';
comment on column sluice.runs.started_by is 'The role it connected as.';

comment on column sluice.batches.batch_id is 'Names the batch: what sluice_batch of a target row says.';
comment on column sluice.batches.pipeline_id is 'Whose batch it is; of a backfill, the backfill.';
comment on column sluice.batches.batch_seq is
  'Its place in the chain of cursors, counted from 1 in each pipeline; null: it stands beside the chain.';
comment on column sluice.batches.run_id is 'The run that committed it; null: a person did.';
comment on column sluice.batches.kind is
  'load: from the source; rewind, skip: the cursor was moved by hand; replay: of quarantined or retained records; snapshot: missing rows were deleted or marked; reconcile: somebody stood for changes by hand; carried: stands for all that were pruned before it.';
comment on column sluice.batches.version is 'The version of the transform that was used.';
comment on column sluice.batches.cursor_before is
  'Where the source stood before; equal to cursor_after of the entry before.';
comment on column sluice.batches.cursor_after is 'Where it stands behind this batch.';
comment on column sluice.batches.started_at is 'When the loader began to send it.';
comment on column sluice.batches.committed_at is
  'When it was committed, but for the milliseconds of the commit itself.';
comment on column sluice.batches.extracted is 'Records read: transformed + filtered + quarantined.';
comment on column sluice.batches.transformed is 'Records that made rows.';
comment on column sluice.batches.filtered is 'Records of which the transform made no row.';
comment on column sluice.batches.quarantined is 'Records set aside.';
comment on column sluice.batches.produced is
  'Rows that the transform made: inserted + updated + deleted + unchanged + stale + superseded.';
comment on column sluice.batches.inserted is 'Rows that were not there.';
comment on column sluice.batches.updated is 'Rows that were there and differed.';
comment on column sluice.batches.deleted is 'Rows that were deleted.';
comment on column sluice.batches.unchanged is 'Rows that stood there as they are; they were not written.';
comment on column sluice.batches.stale is 'Rows older than what the target held.';
comment on column sluice.batches.superseded is 'Rows of which a newer one was in the same batch.';
comment on column sluice.batches.retried is 'How often the batch was begun anew after a transient failure.';
comment on column sluice.batches.recorded_by is 'The role that committed it.';
comment on column sluice.batches.carried is 'Of kind carried: how many entries it stands for.';

comment on column sluice.quarantine.quarantine_id is 'Names the record in commands.';
comment on column sluice.quarantine.pipeline_id is 'Whose record it is.';
comment on column sluice.quarantine.payload is 'Its exact bytes, or what they were amended to.';
comment on column sluice.quarantine.origin is 'The file, URL, object or table it came from.';
comment on column sluice.quarantine.position is 'Which line or element of it.';
comment on column sluice.quarantine.version is 'The version of the transform that last tried it.';
comment on column sluice.quarantine.sqlstate is 'The class of the last error, or the code of sluice.reject.';
comment on column sluice.quarantine.message is
  'The last error, in PostgreSQL''s words. May quote values of the record.';
comment on column sluice.quarantine.detail is 'Its detail, if it had one. May quote values, too.';
comment on column sluice.quarantine.constraint_name is 'The constraint that was violated, if it was one.';
comment on column sluice.quarantine.column_name is 'The column it was about, if that is known.';
comment on column sluice.quarantine.reason is 'Why it was discarded.';
comment on column sluice.quarantine.seen_count is 'How often the source brought these bytes.';
comment on column sluice.quarantine.first_seen_at is 'When the source brought them first.';
comment on column sluice.quarantine.last_seen_at is 'When it brought them last.';
comment on column sluice.quarantine.first_batch_id is 'The batch that set it aside first.';
comment on column sluice.quarantine.last_batch_id is 'The batch that did last: when it arrived.';
comment on column sluice.quarantine.closed_at is 'When it was closed; null: it is open.';
comment on column sluice.quarantine.closed_by is 'By whom.';

comment on column sluice.quarantine_events.event_id is 'In the order in which things happened.';
comment on column sluice.quarantine_events.quarantine_id is 'To which record.';
comment on column sluice.quarantine_events.event is 'What happened: see the comment of the table.';
comment on column sluice.quarantine_events.happened_at is 'When.';
comment on column sluice.quarantine_events.done_by is 'Who did it.';
comment on column sluice.quarantine_events.batch_id is 'The batch it happened in.';
comment on column sluice.quarantine_events.version is 'The version of the transform that was tried.';
comment on column sluice.quarantine_events.sqlstate is 'Of an error: its class.';
comment on column sluice.quarantine_events.message is 'Its message. May quote values of the record.';
comment on column sluice.quarantine_events.constraint_name is 'The constraint that was violated.';
comment on column sluice.quarantine_events.column_name is 'The column it was about.';
comment on column sluice.quarantine_events.reason is 'Why a person did it.';
comment on column sluice.quarantine_events.payload is 'Of an amendment: what stood before.';

comment on column sluice.source_objects.pipeline_id is 'Who read it.';
comment on column sluice.source_objects.object is 'Its name: path or URL.';
comment on column sluice.source_objects.identity is
  'By what a replacement is noticed: size, time, hash of the beginning, ETag.';
comment on column sluice.source_objects.position is
  'Up to where it was read: bytes, records, and what the reader needs to go on.';
comment on column sluice.source_objects.is_done is 'Whether it was read to its end.';
comment on column sluice.source_objects.last_batch_id is 'The batch that moved it last.';
comment on column sluice.source_objects.updated_at is 'When that was.';
comment on column sluice.source_objects.carried is
  'How far it was when the ledger was pruned, where it has moved on since: what a rewind to a later batch goes by.';

comment on column sluice.known_payloads.chunk_id is 'Names the chunk.';
comment on column sluice.known_payloads.pipeline_id is 'Whose payloads these are.';
comment on column sluice.known_payloads.payload_count is 'How many.';
comment on column sluice.known_payloads.digests is 'The first half of SHA-256 of each payload.';
comment on column sluice.known_payloads.row_places is 'Where the row of each stands.';
comment on column sluice.known_payloads.last_used_at is 'When a batch last brought some of them.';

comment on column sluice.known_anchors.digest is 'A digest that stands for its chunk.';
comment on column sluice.known_anchors.chunk_id is 'The chunk.';

comment on column sluice.activations.activation_id is 'In the order in which it was done.';
comment on column sluice.activations.pipeline_id is 'In which pipeline.';
comment on column sluice.activations.version is 'What became the active version.';
comment on column sluice.activations.previous_version is 'What had been; null: none.';
comment on column sluice.activations.activated_at is 'When.';
comment on column sluice.activations.activated_by is 'By whom.';

comment on column sluice.tombstones.target is 'The table it was deleted from.';
comment on column sluice.tombstones.key is 'The key as people read it.';
comment on column sluice.tombstones.batch_id is 'The batch that deleted it.';
comment on column sluice.tombstones.deleted_at is 'When.';

comment on column sluice.snapshots.pipeline_id is 'Whose read it is.';
comment on column sluice.snapshots.began_at is 'When its first batch did.';

comment on column sluice.snapshot_keys.pipeline_id is 'Whose read it is.';
comment on column sluice.snapshot_keys.batch_id is 'The batch that has seen these keys.';
comment on column sluice.snapshot_keys.key_hashes is 'The keys, hashed.';

comment on column sluice.raw_chunks.batch_id is 'The batch that loaded them.';
comment on column sluice.raw_chunks.first_ordinal is 'The place in the batch of the first one.';
comment on column sluice.raw_chunks.ordinals is 'Their places in the batch.';
comment on column sluice.raw_chunks.positions is 'Their positions in what they came from.';

comment on column sluice.replayed_keys.batch_id is 'The replay.';
comment on column sluice.replayed_keys.arrived_at is 'When the last record with the key had arrived.';

comment on column sluice.accepted_rows.target is 'The table.';
comment on column sluice.accepted_rows.key_hash is 'The key in bytes that no setting changes.';
comment on column sluice.accepted_rows.batch_id is 'The entry of the ledger by which it was accepted.';

comment on column sluice.unknown_batches.target is 'The table whose rows name them.';
comment on column sluice.unknown_batches.pipeline is 'The pipeline that was dropped; null: from before the ledger.';
comment on column sluice.unknown_batches.batch_ids is
  'Their numbers, as ranges: those of one pipeline that follow each other in the target are one.';
comment on column sluice.unknown_batches.noted_at is 'When that was noted.';
comment on column sluice.unknown_batches.noted_by is 'By whom.';

comment on column sluice.record_fields.pipeline_id is 'Whose records.';
comment on column sluice.record_fields.field is 'The name of the field, as it stands in the records.';
comment on column sluice.record_fields.first_run_id is 'The first run whose records had it.';
comment on column sluice.record_fields.first_seen_at is 'When that was.';
comment on column sluice.record_fields.first_origin is 'In which file, URL, object or table.';
comment on column sluice.record_fields.last_run_id is 'The last run whose records had it.';
comment on column sluice.record_fields.last_seen_at is 'When that was.';
comment on column sluice.record_fields.last_origin is 'In which file, URL, object or table.';

comment on column sluice.waiting.pipeline_id is 'Whose source it is.';
comment on column sluice.waiting.name is 'The file, object or sweep.';
comment on column sluice.waiting.reason is 'Why it could not be read to its end.';
comment on column sluice.waiting.since is 'Since when it waits for this reason.';

comment on column sluice.delivery_state.pipeline_id is 'Whose deliveries.';
comment on column sluice.delivery_state.started_at is 'When the last sender began.';
comment on column sluice.delivery_state.finished_at is 'When it ended; null: it sends, or died.';
comment on column sluice.delivery_state.error is 'Why it ended early.';

comment on column sluice.pruned_batches.batch_id is 'The batch, as rows of the target name it.';
comment on column sluice.pruned_batches.pipeline_id is 'Whose batch it was.';
comment on column sluice.pruned_batches.version is
  'The version of the transform it used, by whose columns its rows are hashed.';
comment on column sluice.pruned_batches.kind is 'load or snapshot.';
comment on column sluice.pruned_batches.committed_at is
  'When it was committed: as old are the records that made its rows.';

comment on column sluice.pruned.pipeline_id is 'Of which pipeline.';
comment on column sluice.pruned.batches is 'Entries of the ledger that are gone.';
comment on column sluice.pruned.runs is 'Runs that are gone.';
comment on column sluice.pruned.records is 'Closed quarantined records that are gone.';
comment on column sluice.pruned.seen_count is
  'How often the source had brought these: part of what its batches have quarantined.';
comment on column sluice.pruned.pruned_at is 'When something was pruned last.';
comment on column sluice.pruned.pruned_by is 'By whom.';

comment on column sluice.refinery_schema_history.version is 'The number of the migration.';
comment on column sluice.refinery_schema_history.name is 'What it holds.';
comment on column sluice.refinery_schema_history.applied_on is 'When it was applied, UTC.';
comment on column sluice.refinery_schema_history.checksum is
  'Of its text: a migration that was applied is never edited.';

comment on column sluice.compiled.version is 'The version.';
comment on column sluice.compiled.target is 'The table it loads.';
comment on column sluice.compiled.filenode is
  'The file that the table had then: another one means that it was rewritten.';
comment on column sluice.compiled.columns is 'The columns that the transform returns.';
comment on column sluice.compiled.key is 'The key columns.';
comment on column sluice.compiled.order_by is
  'The column that says which of two records is newer; null: the later arrival.';
comment on column sluice.compiled.search_path is 'The path under which the transform runs.';
comment on column sluice.compiled.has_deleted is 'Whether the transform returns sluice_deleted.';
comment on column sluice.compiled.rules is
  'What is checked of each row before the merge, and what each check is called.';
comment on column sluice.compiled.rows_definition is 'The columns of the table of typed rows.';
comment on column sluice.compiled.transform_sql is 'Makes typed rows of the staged records.';
comment on column sluice.compiled.transform_past_faults_sql is 'The same, when some record raises: goes on behind it.';
comment on column sluice.compiled.trial_sql is 'Makes rows of one piece of the batch, to see whether it raises.';
comment on column sluice.compiled.probe_sql is 'Makes rows of one record, to learn its error.';
comment on column sluice.compiled.reference_checks is 'Find rows whose parent is missing, one statement a foreign key.';
comment on column sluice.compiled.superseded_sql is 'Marks rows of which a newer one is in the batch.';
comment on column sluice.compiled.matched_sql is 'Counts what the merge will find in the target.';
comment on column sluice.compiled.overlap_sql is 'Whether any row of the batch is in the target.';
comment on column sluice.compiled.insert_sql is 'Writes the rows of a batch of which none is in the target.';
comment on column sluice.compiled.outcomes_sql is 'Says of each row what the merge will do with it.';
comment on column sluice.compiled.count_sql is 'Counts rows by that.';
comment on column sluice.compiled.merge_sql is 'The MERGE.';
comment on column sluice.compiled.trial_merge_sql is 'The MERGE of some of the rows, to see whether it raises.';
comment on column sluice.compiled.revive_sql is 'Removes the tombstones of keys that came back.';
comment on column sluice.compiled.bury_sql is 'Sets tombstones for deleted keys.';
comment on column sluice.compiled.remember_sql is 'Notes payloads and where their rows stand.';
comment on column sluice.compiled.batch_keys_sql is 'The keys that the batch has seen.';
comment on column sluice.compiled.fields_definition is 'The columns of the table that fields are copied into.';
comment on column sluice.compiled.slice_sql is 'Makes such fields of payloads.';
comment on column sluice.compiled.outbox_sql is 'Notes the rows that were written as deliveries.';

comment on column sluice.also_targets.pipeline_id is 'Whose version it is.';
comment on column sluice.also_targets.version is 'Its number.';
comment on column sluice.also_targets.number is 'Its place in the order; the first target is 1.';
comment on column sluice.also_targets.target is 'The table, with its schema.';
comment on column sluice.also_targets.function is 'The function that makes its rows, with schema and argument types.';
comment on column sluice.also_targets.takes_meta is 'Whether it has a second argument, meta.';
comment on column sluice.also_targets.columns is 'The columns of the target that it returns.';
comment on column sluice.also_targets.key is 'The columns by which a row is known again.';
comment on column sluice.also_targets.function_text is 'Its source when it was registered.';
comment on column sluice.also_targets.sha256 is 'Hash of that.';
comment on column sluice.compiled.parent is 'The columns that hold the key of the first target.';
comment on column sluice.compiled.children is 'What becomes of rows of a parent that a newer record of it no longer makes: keep or replace.';
comment on column sluice.compiled.orphans_sql is 'Marks rows whose parent the record does not load.';
comment on column sluice.compiled.older_sql is 'Marks rows whose parent is older than what the target holds.';
comment on column sluice.compiled.follow_sql is 'Makes the rows of a record share its fate.';
comment on column sluice.compiled.dropped_sql is 'Finds rows that a newer record of their parent no longer makes.';
comment on column sluice.compiled.drop_sql is 'Deletes these.';
comment on column sluice.compiled.touch_sql is 'Notes at a parent that its children changed.';

comment on table sluice.refinery_schema_history is
  'The migrations that were applied: tables, types, indexes and constraints. Written by sluice migrate.';
comment on table sluice.pruned_batches is
  'What is left of each batch that was pruned from the ledger (sluice.prune): what rows and records that name it are asked for.';
comment on table sluice.pruned is
  'How much was pruned of a pipeline in all: by seen_count the books of its quarantine balance.';
