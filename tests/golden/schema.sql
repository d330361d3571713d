create type sluice.compiled as (
  version integer,
  target oid,
  filenode oid,
  columns text[],
  key text[],
  order_by text,
  search_path text,
  has_deleted boolean,
  made_for uuid,
  keeps_places boolean,
  rules jsonb,
  rows_definition text,
  transform_sql text,
  transform_past_faults_sql text,
  trial_sql text,
  probe_sql text,
  reference_checks text[],
  superseded_sql text,
  matched_sql text,
  overlap_sql text,
  insert_sql text,
  outcomes_sql text,
  count_sql text,
  merge_sql text,
  trial_merge_sql text,
  revive_sql text,
  bury_sql text,
  remember_sql text,
  batch_keys_sql text,
  input_columns text[],
  fields_definition text,
  slice_sql text,
  outbox_sql text,
  number integer,
  rows_table oid,
  parent text[],
  children text,
  orphans_sql text,
  older_sql text,
  follow_sql text,
  dropped_sql text,
  drop_sql text,
  touch_sql text,
  fetch_sql text[],
  route integer,
  wait_sql text[]
);

create sequence sluice.batch_id;

create table sluice.accepted_rows (
  target text not null,
  key_hash bytea not null,
  row_hash bytea not null,
  batch_id bigint not null,
  constraint accepted_rows_belong_to_a_batch FOREIGN KEY (batch_id) REFERENCES sluice.batches(batch_id) ON DELETE CASCADE,
  constraint accepted_rows_pkey PRIMARY KEY (target, key_hash)
);
CREATE INDEX accepted_rows_by_batch ON sluice.accepted_rows USING btree (batch_id);

create table sluice.activations (
  activation_id bigint generated always as identity not null,
  pipeline_id integer not null,
  version integer not null,
  previous_version integer,
  activated_at timestamp with time zone default clock_timestamp() not null,
  activated_by text default SESSION_USER not null,
  constraint activations_name_a_version FOREIGN KEY (pipeline_id, version) REFERENCES sluice.transforms(pipeline_id, version) ON DELETE CASCADE,
  constraint activations_pkey PRIMARY KEY (activation_id)
);
CREATE INDEX activations_by_pipeline ON sluice.activations USING btree (pipeline_id, activation_id);

create table sluice.also_targets (
  pipeline_id integer not null,
  version integer not null,
  number integer not null,
  target text not null,
  function text not null,
  takes_meta boolean not null,
  columns text[] not null,
  key text[] not null,
  parent text[] not null,
  children text not null,
  function_text text not null,
  sha256 text not null,
  constraint also_targets_belong_to_a_version FOREIGN KEY (pipeline_id, version) REFERENCES sluice.transforms(pipeline_id, version) ON DELETE CASCADE,
  constraint also_targets_children_is_known CHECK ((children = ANY (ARRAY['keep'::text, 'replace'::text]))),
  constraint also_targets_come_after_the_first CHECK ((number > 1)),
  constraint also_targets_differ UNIQUE (pipeline_id, version, target),
  constraint also_targets_pkey PRIMARY KEY (pipeline_id, version, number)
);
CREATE INDEX also_targets_by_target ON sluice.also_targets USING btree (target);

create table sluice.batches (
  batch_id bigint not null,
  pipeline_id integer not null,
  batch_seq bigint,
  run_id bigint,
  kind text default 'load'::text not null,
  version integer,
  cursor_before jsonb,
  cursor_after jsonb,
  objects jsonb default '[]'::jsonb not null,
  started_at timestamp with time zone not null,
  committed_at timestamp with time zone default clock_timestamp() not null,
  extracted bigint default 0 not null,
  transformed bigint default 0 not null,
  filtered bigint default 0 not null,
  quarantined bigint default 0 not null,
  produced bigint default 0 not null,
  inserted bigint default 0 not null,
  updated bigint default 0 not null,
  deleted bigint default 0 not null,
  unchanged bigint default 0 not null,
  stale bigint default 0 not null,
  superseded bigint default 0 not null,
  retried bigint default 0 not null,
  known bigint default 0 not null,
  origins jsonb default '[]'::jsonb not null,
  reloads bigint,
  note text,
  recorded_by text default SESSION_USER,
  rewound_to bigint,
  targets jsonb,
  carried bigint,
  erased jsonb,
  constraint batches_belong_to_a_pipeline FOREIGN KEY (pipeline_id) REFERENCES sluice.pipelines(pipeline_id) ON DELETE CASCADE,
  constraint batches_belong_to_a_run FOREIGN KEY (run_id) REFERENCES sluice.runs(run_id) ON DELETE CASCADE,
  constraint batches_count_upwards CHECK ((LEAST(extracted, transformed, filtered, quarantined, produced, inserted, updated, deleted, unchanged, stale, superseded, retried, known) >= 0)),
  constraint batches_kind_is_known CHECK ((kind = ANY (ARRAY['load'::text, 'rewind'::text, 'skip'::text, 'replay'::text, 'snapshot'::text, 'reconcile'::text, 'carried'::text, 'erase'::text]))),
  constraint batches_known_records_are_transformed CHECK ((known <= transformed)),
  constraint batches_loads_belong_to_a_run CHECK (((kind <> 'load'::text) OR (run_id IS NOT NULL))),
  constraint batches_name_their_version CHECK (((kind <> ALL (ARRAY['load'::text, 'replay'::text])) OR (version IS NOT NULL))),
  constraint batches_only_carried_ones_stand_for_others CHECK (((kind = 'carried'::text) = (carried IS NOT NULL))),
  constraint batches_only_erasures_erase CHECK (((erased IS NULL) OR (kind = 'erase'::text))),
  constraint batches_only_replays_reload CHECK (((reloads IS NULL) OR (kind = 'replay'::text))),
  constraint batches_only_rewinds_go_back CHECK (((rewound_to IS NULL) OR ((kind = 'rewind'::text) AND (rewound_to < batch_seq)))),
  constraint batches_pkey PRIMARY KEY (batch_id),
  constraint batches_records_are_accounted_for CHECK ((extracted = ((transformed + filtered) + quarantined))),
  constraint batches_rows_are_accounted_for CHECK ((produced = (((((inserted + updated) + deleted) + unchanged) + stale) + superseded))),
  constraint batches_rows_of_each_target_are_accounted_for CHECK ((NOT (targets @? '$[*]?(@."produced" != ((((@."inserted" + @."updated") + @."deleted") + @."unchanged") + @."stale") + @."superseded")'::jsonpath))),
  constraint batches_seq_is_unique UNIQUE (pipeline_id, batch_seq),
  constraint batches_that_move_the_cursor_are_numbered CHECK (((batch_seq IS NULL) = (kind = ANY (ARRAY['replay'::text, 'reconcile'::text, 'erase'::text]))))
);
CREATE INDEX batches_by_run ON sluice.batches USING btree (run_id);
CREATE INDEX batches_by_time ON sluice.batches USING btree (pipeline_id, committed_at);
CREATE UNIQUE INDEX batches_carry_once ON sluice.batches USING btree (pipeline_id) WHERE (kind = 'carried'::text);
CREATE INDEX batches_rewinds ON sluice.batches USING btree (pipeline_id, batch_seq) WHERE (kind = 'rewind'::text);
CREATE INDEX batches_with_unchanged_rows ON sluice.batches USING btree (pipeline_id, committed_at) WHERE (unchanged > 0);

create table sluice.delivery_state (
  pipeline_id integer not null,
  epoch bigint default 0 not null,
  body_function text,
  body_sha256 text,
  search_path text not null,
  accepted_at timestamp with time zone,
  sent_count bigint default 0 not null,
  sender text,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  outcome text,
  error text,
  counted_at timestamp with time zone default now() not null,
  stream uuid default gen_random_uuid() not null,
  route integer default 1 not null,
  target text,
  constraint delivery_state_a_target_has_one_route UNIQUE (pipeline_id, target),
  constraint delivery_state_belongs_to_a_pipeline FOREIGN KEY (pipeline_id) REFERENCES sluice.pipelines(pipeline_id) ON DELETE CASCADE,
  constraint delivery_state_pkey PRIMARY KEY (pipeline_id, route),
  constraint delivery_state_the_first_target_has_route_1 CHECK (((target IS NULL) = (route = 1)))
);

create table sluice.engine (
  is_singleton boolean default true not null,
  version text not null,
  bundle_sha256 text not null,
  routines text[] not null,
  installed_at timestamp with time zone default now() not null,
  installed_by text default SESSION_USER not null,
  routine_hashes jsonb,
  constraint engine_has_one_row CHECK (is_singleton),
  constraint engine_pkey PRIMARY KEY (is_singleton)
);

create table sluice.etl_state (
  pipeline_id integer not null,
  epoch bigint default 0 not null,
  batch_seq bigint default 0 not null,
  cursor jsonb,
  updated_at timestamp with time zone default now() not null,
  constraint etl_state_batch_seq_is_not_negative CHECK ((batch_seq >= 0)),
  constraint etl_state_belongs_to_a_pipeline FOREIGN KEY (pipeline_id) REFERENCES sluice.pipelines(pipeline_id) ON DELETE CASCADE,
  constraint etl_state_epoch_is_not_negative CHECK ((epoch >= 0)),
  constraint etl_state_pkey PRIMARY KEY (pipeline_id)
);

create table sluice.known_anchors (
  digest uuid not null,
  chunk_id bigint not null,
  constraint known_anchors_pkey PRIMARY KEY (digest, chunk_id)
);

create table sluice.known_payloads (
  chunk_id bigint generated always as identity not null,
  pipeline_id integer not null,
  made_for uuid not null,
  payload_count integer not null,
  digests uuid[] not null,
  row_places tid[] not null,
  row_xids xid[] not null,
  last_used_at timestamp with time zone default now() not null,
  constraint known_payloads_pkey PRIMARY KEY (chunk_id)
);
CREATE INDEX known_payloads_by_pipeline ON sluice.known_payloads USING btree (pipeline_id);

create table sluice.outbox (
  delivery_id bigint generated always as identity not null,
  pipeline_id integer not null,
  key jsonb not null,
  key_hash bytea not null,
  operation text not null,
  hash bytea not null,
  batch_id bigint not null,
  deleted_row jsonb,
  state text default 'unsent'::text not null,
  redelivery integer default 0 not null,
  attempts integer default 0 not null,
  attempted_at timestamp with time zone,
  body text,
  status integer,
  answer text,
  error text,
  noted_at timestamp with time zone default now() not null,
  closed_at timestamp with time zone,
  parcel uuid,
  route integer default 1 not null,
  constraint outbox_closed_has_a_time CHECK (((closed_at IS NOT NULL) = (state = ANY (ARRAY['sent'::text, 'superseded'::text, 'filtered'::text, 'discarded'::text])))),
  constraint outbox_in_flight_was_attempted CHECK (((state <> 'in_flight'::text) OR ((attempts > 0) AND (attempted_at IS NOT NULL)))),
  constraint outbox_operation_is_known CHECK ((operation = ANY (ARRAY['upsert'::text, 'delete'::text]))),
  constraint outbox_pkey PRIMARY KEY (delivery_id),
  constraint outbox_state_is_known CHECK ((state = ANY (ARRAY['unsent'::text, 'in_flight'::text, 'sent'::text, 'dead'::text, 'superseded'::text, 'filtered'::text, 'discarded'::text])))
);
CREATE INDEX outbox_by_key ON sluice.outbox USING hash (key_hash) WHERE (state = ANY (ARRAY['unsent'::text, 'dead'::text]));
CREATE INDEX outbox_closed ON sluice.outbox USING btree (pipeline_id, route, closed_at) WHERE (closed_at IS NOT NULL);
CREATE INDEX outbox_dead ON sluice.outbox USING btree (pipeline_id, route, delivery_id) WHERE (state = 'dead'::text);
CREATE UNIQUE INDEX outbox_one_of_a_key_is_in_flight ON sluice.outbox USING btree (pipeline_id, route, key_hash) WHERE (state = 'in_flight'::text);
CREATE INDEX outbox_unsent ON sluice.outbox USING btree (pipeline_id, route, delivery_id) WHERE (state = 'unsent'::text);

create table sluice.pipelines (
  pipeline_id integer generated always as identity not null,
  name text not null,
  target text not null,
  source jsonb not null,
  active_version integer not null,
  max_bad_ratio numeric not null,
  batch_rows integer,
  batch_bytes integer,
  is_paused boolean default false not null,
  created_at timestamp with time zone default now() not null,
  created_by text default SESSION_USER not null,
  updated_at timestamp with time zone default now() not null,
  skip_known boolean default true not null,
  retry_orphans boolean default true not null,
  missing text default 'keep'::text not null,
  mark_column text,
  max_delete_ratio numeric default 0.1 not null,
  backfill_of integer,
  backfill_range jsonb,
  backfill_finished_at timestamp with time zone,
  retain_raw interval,
  deliver jsonb,
  retain_history interval,
  owner text default CURRENT_USER not null,
  also_deliver jsonb,
  constraint pipelines_active_version_exists FOREIGN KEY (pipeline_id, active_version) REFERENCES sluice.transforms(pipeline_id, version) DEFERRABLE INITIALLY DEFERRED,
  constraint pipelines_backfill_range_is_unique UNIQUE (backfill_of, backfill_range),
  constraint pipelines_backfills_belong_to_a_pipeline FOREIGN KEY (backfill_of) REFERENCES sluice.pipelines(pipeline_id) ON DELETE CASCADE,
  constraint pipelines_backfills_have_a_range CHECK (((backfill_of IS NULL) = (backfill_range IS NULL))),
  constraint pipelines_batch_bytes_is_positive CHECK ((batch_bytes > 0)),
  constraint pipelines_batch_rows_is_positive CHECK ((batch_rows > 0)),
  constraint pipelines_marks_have_a_column CHECK (((missing = 'mark'::text) = (mark_column IS NOT NULL))),
  constraint pipelines_max_bad_ratio_is_a_ratio CHECK (((max_bad_ratio >= (0)::numeric) AND (max_bad_ratio <= (1)::numeric))),
  constraint pipelines_max_delete_ratio_is_a_ratio CHECK (((max_delete_ratio >= (0)::numeric) AND (max_delete_ratio <= (1)::numeric))),
  constraint pipelines_missing_is_known CHECK ((missing = ANY (ARRAY['keep'::text, 'delete'::text, 'mark'::text]))),
  constraint pipelines_name_is_plain CHECK ((name ~ '^[a-z][a-z0-9_.-]{0,39}$'::text)),
  constraint pipelines_name_is_unique UNIQUE (name),
  constraint pipelines_only_backfills_finish CHECK (((backfill_finished_at IS NULL) OR (backfill_of IS NOT NULL))),
  constraint pipelines_pkey PRIMARY KEY (pipeline_id),
  constraint pipelines_retain_history_is_positive CHECK ((retain_history > '00:00:00'::interval)),
  constraint pipelines_retain_raw_is_positive CHECK ((retain_raw > '00:00:00'::interval)),
  constraint pipelines_source_is_an_object CHECK ((jsonb_typeof(source) = 'object'::text))
);
CREATE INDEX pipelines_by_target ON sluice.pipelines USING btree (target);

create table sluice.pruned (
  pipeline_id integer not null,
  batches bigint default 0 not null,
  runs bigint default 0 not null,
  records bigint default 0 not null,
  seen_count bigint default 0 not null,
  pruned_at timestamp with time zone default now() not null,
  pruned_by text default SESSION_USER not null,
  objects bigint default 0 not null,
  objects_to text,
  constraint pruned_belongs_to_a_pipeline FOREIGN KEY (pipeline_id) REFERENCES sluice.pipelines(pipeline_id) ON DELETE CASCADE,
  constraint pruned_pkey PRIMARY KEY (pipeline_id)
);

create table sluice.pruned_batches (
  batch_id bigint not null,
  pipeline_id integer not null,
  version integer,
  kind text not null,
  committed_at timestamp with time zone not null,
  constraint pruned_batches_belong_to_a_pipeline FOREIGN KEY (pipeline_id) REFERENCES sluice.pipelines(pipeline_id) ON DELETE CASCADE,
  constraint pruned_batches_pkey PRIMARY KEY (batch_id)
);
CREATE INDEX pruned_batches_by_pipeline ON sluice.pruned_batches USING btree (pipeline_id);

create table sluice.quarantine (
  quarantine_id bigint generated always as identity not null,
  pipeline_id integer not null,
  payload_sha256 bytea not null,
  payload bytea not null,
  origin text,
  "position" bigint,
  version integer not null,
  sqlstate text not null,
  message text not null,
  detail text,
  constraint_name text,
  column_name text,
  status text default 'open'::text not null,
  reason text,
  seen_count bigint default 1 not null,
  first_seen_at timestamp with time zone default now() not null,
  last_seen_at timestamp with time zone default now() not null,
  first_batch_id bigint not null,
  last_batch_id bigint not null,
  closed_at timestamp with time zone,
  closed_by text,
  keys jsonb,
  resolved_batch_id bigint,
  original_payload bytea,
  constraint quarantine_belongs_to_a_pipeline FOREIGN KEY (pipeline_id) REFERENCES sluice.pipelines(pipeline_id) ON DELETE CASCADE,
  constraint quarantine_closed_when_not_open CHECK (((status = 'open'::text) = (closed_at IS NULL))),
  constraint quarantine_pkey PRIMARY KEY (quarantine_id),
  constraint quarantine_resolved_records_name_their_batch CHECK (((status = ANY (ARRAY['replayed'::text, 'loaded'::text])) = (resolved_batch_id IS NOT NULL))),
  constraint quarantine_seen_count_is_positive CHECK ((seen_count > 0)),
  constraint quarantine_status_is_known CHECK ((status = ANY (ARRAY['open'::text, 'replayed'::text, 'loaded'::text, 'discarded'::text, 'erased'::text])))
);
CREATE INDEX quarantine_by_batch ON sluice.quarantine USING btree (last_batch_id);
CREATE INDEX quarantine_by_key ON sluice.quarantine USING gin (keys jsonb_path_ops) WHERE (keys IS NOT NULL);
CREATE INDEX quarantine_by_pipeline ON sluice.quarantine USING btree (pipeline_id, status, quarantine_id) INCLUDE (seen_count);
CREATE INDEX quarantine_by_resolved_batch ON sluice.quarantine USING btree (resolved_batch_id) WHERE (resolved_batch_id IS NOT NULL);
CREATE INDEX quarantine_closed ON sluice.quarantine USING btree (pipeline_id, closed_at) WHERE (closed_at IS NOT NULL);
CREATE INDEX quarantine_discarded_bytes ON sluice.quarantine USING btree (pipeline_id, payload_sha256) WHERE (status = ANY (ARRAY['discarded'::text, 'erased'::text]));
CREATE INDEX quarantine_open_by_age ON sluice.quarantine USING btree (pipeline_id, last_seen_at) WHERE (status = 'open'::text);
CREATE INDEX quarantine_open_orphans ON sluice.quarantine USING btree (pipeline_id) WHERE ((status = 'open'::text) AND (sqlstate = '23503'::text));
CREATE UNIQUE INDEX quarantine_open_record_is_unique ON sluice.quarantine USING btree (pipeline_id, payload_sha256) WHERE (status = 'open'::text);

create table sluice.quarantine_events (
  event_id bigint generated always as identity not null,
  quarantine_id bigint not null,
  event text not null,
  happened_at timestamp with time zone default clock_timestamp() not null,
  done_by text default SESSION_USER not null,
  batch_id bigint,
  version integer,
  sqlstate text,
  message text,
  constraint_name text,
  column_name text,
  reason text,
  payload bytea,
  constraint quarantine_events_are_known CHECK ((event = ANY (ARRAY['quarantined'::text, 'failed'::text, 'unsure'::text, 'replayed'::text, 'loaded'::text, 'amended'::text, 'restored'::text, 'discarded'::text, 'reopened'::text, 'erased'::text]))),
  constraint quarantine_events_belong_to_a_record FOREIGN KEY (quarantine_id) REFERENCES sluice.quarantine(quarantine_id) ON DELETE CASCADE,
  constraint quarantine_events_pkey PRIMARY KEY (event_id)
);
CREATE INDEX quarantine_events_by_record ON sluice.quarantine_events USING btree (quarantine_id, event_id);

create table sluice.raw_chunks (
  batch_id bigint not null,
  first_ordinal integer not null,
  ordinals integer[] not null,
  positions bigint[] not null,
  payloads text[] not null
);
CREATE INDEX raw_chunks_by_batch ON sluice.raw_chunks USING btree (batch_id, first_ordinal);

create table sluice.raw_days (
  pipeline_id integer not null,
  retained_on date not null,
  constraint raw_days_are_days CHECK (isfinite(retained_on)),
  constraint raw_days_belong_to_a_pipeline FOREIGN KEY (pipeline_id) REFERENCES sluice.pipelines(pipeline_id) ON DELETE CASCADE,
  constraint raw_days_pkey PRIMARY KEY (pipeline_id, retained_on)
);

create table sluice.record_fields (
  pipeline_id integer not null,
  field text not null,
  first_run_id bigint not null,
  first_seen_at timestamp with time zone default clock_timestamp() not null,
  first_origin text,
  last_run_id bigint not null,
  last_seen_at timestamp with time zone default clock_timestamp() not null,
  last_origin text,
  constraint record_fields_belong_to_a_pipeline FOREIGN KEY (pipeline_id) REFERENCES sluice.pipelines(pipeline_id) ON DELETE CASCADE,
  constraint record_fields_pkey PRIMARY KEY (pipeline_id, field)
);

create table sluice.refinery_schema_history (
  version integer not null,
  name character varying(255),
  applied_on character varying(255),
  checksum character varying(255),
  constraint refinery_schema_history_pkey PRIMARY KEY (version)
);

create table sluice.replayed_keys (
  batch_id bigint not null,
  key_hash bytea not null,
  arrived_at timestamp with time zone not null,
  read_by integer,
  constraint replayed_keys_belong_to_a_batch FOREIGN KEY (batch_id) REFERENCES sluice.batches(batch_id) ON DELETE CASCADE,
  constraint replayed_keys_pkey PRIMARY KEY (batch_id, key_hash)
);
CREATE INDEX replayed_keys_to_note ON sluice.replayed_keys USING btree (batch_id) WHERE (key_hash = '\x'::bytea);

create table sluice.runs (
  run_id bigint generated always as identity not null,
  pipeline_id integer not null,
  epoch bigint not null,
  started_at timestamp with time zone default clock_timestamp() not null,
  finished_at timestamp with time zone,
  outcome text,
  error text,
  loader text not null,
  started_by text default SESSION_USER not null,
  constraint runs_belong_to_a_pipeline FOREIGN KEY (pipeline_id) REFERENCES sluice.pipelines(pipeline_id) ON DELETE CASCADE,
  constraint runs_epoch_is_unique UNIQUE (pipeline_id, epoch),
  constraint runs_finish_with_an_outcome CHECK (((outcome IS NULL) = (finished_at IS NULL))),
  constraint runs_outcome_is_known CHECK ((outcome = ANY (ARRAY['ok'::text, 'failed'::text, 'threshold'::text, 'locked'::text, 'interrupted'::text]))),
  constraint runs_pkey PRIMARY KEY (run_id)
);
CREATE INDEX runs_by_pipeline ON sluice.runs USING btree (pipeline_id, run_id DESC);
CREATE INDEX runs_without_outcome ON sluice.runs USING btree (pipeline_id) WHERE (finished_at IS NULL);

create table sluice.snapshot_keys (
  pipeline_id integer not null,
  batch_id bigint not null,
  key_hashes bytea[] not null,
  is_from_elsewhere boolean default false not null,
  constraint snapshot_keys_belong_to_a_snapshot FOREIGN KEY (pipeline_id) REFERENCES sluice.snapshots(pipeline_id) ON DELETE CASCADE,
  constraint snapshot_keys_pkey PRIMARY KEY (pipeline_id, batch_id)
);

create table sluice.snapshots (
  pipeline_id integer not null,
  first_seq bigint not null,
  made_for uuid not null,
  began_at timestamp with time zone default clock_timestamp() not null,
  has_records boolean default false not null,
  spoilt_by text,
  constraint snapshots_belong_to_a_pipeline FOREIGN KEY (pipeline_id) REFERENCES sluice.pipelines(pipeline_id) ON DELETE CASCADE,
  constraint snapshots_pkey PRIMARY KEY (pipeline_id)
);

create table sluice.source_objects (
  pipeline_id integer not null,
  object text not null,
  identity jsonb not null,
  "position" jsonb not null,
  is_done boolean not null,
  last_batch_id bigint not null,
  updated_at timestamp with time zone default now() not null,
  carried jsonb,
  constraint source_objects_belong_to_a_pipeline FOREIGN KEY (pipeline_id) REFERENCES sluice.pipelines(pipeline_id) ON DELETE CASCADE,
  constraint source_objects_pkey PRIMARY KEY (pipeline_id, object)
);
CREATE INDEX source_objects_begun ON sluice.source_objects USING btree (pipeline_id) WHERE (NOT is_done);

create table sluice.tombstones (
  target text not null,
  key_hash bytea not null,
  key jsonb not null,
  order_value text,
  batch_id bigint not null,
  deleted_at timestamp with time zone default clock_timestamp() not null,
  is_final boolean default false not null,
  order_by text,
  is_typed boolean default false not null,
  constraint tombstones_pkey PRIMARY KEY (target, key_hash)
);
CREATE INDEX tombstones_final ON sluice.tombstones USING btree (target) WHERE is_final;
CREATE INDEX tombstones_typed ON sluice.tombstones USING btree (target) WHERE is_typed;

create table sluice.transforms (
  pipeline_id integer not null,
  version integer not null,
  function text not null,
  takes_meta boolean not null,
  columns text[] not null,
  key text[] not null,
  order_by text,
  search_path text not null,
  function_text text not null,
  sha256 text not null,
  defined_at timestamp with time zone default now() not null,
  defined_by text default SESSION_USER not null,
  first_used_at timestamp with time zone,
  is_repeatable boolean default false not null,
  definition jsonb,
  input_definition text,
  constraint transforms_belong_to_a_pipeline FOREIGN KEY (pipeline_id) REFERENCES sluice.pipelines(pipeline_id) ON DELETE CASCADE,
  constraint transforms_key_is_not_empty CHECK ((cardinality(key) > 0)),
  constraint transforms_pkey PRIMARY KEY (pipeline_id, version),
  constraint transforms_version_is_positive CHECK ((version > 0))
);

create table sluice.unknown_batches (
  target text not null,
  pipeline text,
  batch_ids int8multirange not null,
  noted_at timestamp with time zone default clock_timestamp() not null,
  noted_by text default SESSION_USER not null
);
CREATE INDEX unknown_batches_by_target ON sluice.unknown_batches USING btree (target);

create table sluice.waiting (
  pipeline_id integer not null,
  name text not null,
  reason text not null,
  since timestamp with time zone default clock_timestamp() not null,
  on_purpose boolean default false not null,
  constraint waiting_belongs_to_a_pipeline FOREIGN KEY (pipeline_id) REFERENCES sluice.pipelines(pipeline_id) ON DELETE CASCADE,
  constraint waiting_pkey PRIMARY KEY (pipeline_id, name)
);
