-- Tables of the engine. They are not an interface: the functions and views are.

create table sluice.engine (
  is_singleton  boolean     not null default true,
  version       text        not null,
  bundle_sha256 text        not null,
  routines      text[]      not null,
  installed_at  timestamptz not null default now(),
  installed_by  text        not null default session_user,
  constraint engine_pkey primary key (is_singleton),
  constraint engine_has_one_row check (is_singleton)
);

comment on table sluice.engine is
  'The installed engine: one row. routines lists what the next upgrade has to drop.';

create table sluice.pipelines (
  pipeline_id    integer     generated always as identity,
  name           text        not null,
  target         text        not null,
  source         jsonb       not null,
  active_version integer     not null,
  max_bad_ratio  numeric     not null,
  batch_rows     integer,
  batch_bytes    integer,
  is_paused      boolean     not null default false,
  created_at     timestamptz not null default now(),
  created_by     text        not null default session_user,
  updated_at     timestamptz not null default now(),
  constraint pipelines_pkey primary key (pipeline_id),
  constraint pipelines_name_is_unique unique (name),
  constraint pipelines_name_is_plain check (name ~ '^[a-z][a-z0-9_.-]{0,39}$'),
  constraint pipelines_max_bad_ratio_is_a_ratio check (max_bad_ratio between 0 and 1),
  constraint pipelines_batch_rows_is_positive check (batch_rows > 0),
  constraint pipelines_batch_bytes_is_positive check (batch_bytes > 0),
  constraint pipelines_source_is_an_object check (jsonb_typeof(source) = 'object')
);

comment on table sluice.pipelines is
  'A pipeline: source, target, policy and which transform version is active.';

create table sluice.transforms (
  pipeline_id   integer     not null,
  version       integer     not null,
  function      text        not null,
  takes_meta    boolean     not null,
  columns       text[]      not null,
  key           text[]      not null,
  order_by      text,
  search_path   text        not null,
  function_text text        not null,
  sha256        text        not null,
  defined_at    timestamptz not null default now(),
  defined_by    text        not null default session_user,
  first_used_at timestamptz,
  constraint transforms_pkey primary key (pipeline_id, version),
  constraint transforms_belong_to_a_pipeline
    foreign key (pipeline_id) references sluice.pipelines on delete cascade,
  constraint transforms_version_is_positive check (version > 0),
  constraint transforms_key_is_not_empty check (cardinality(key) > 0)
);

comment on table sluice.transforms is
  'The versions of a pipeline''s transform, each with the text it was registered with. Immutable once first_used_at is set.';

alter table sluice.pipelines add constraint pipelines_active_version_exists
  foreign key (pipeline_id, active_version) references sluice.transforms
  deferrable initially deferred;

create table sluice.etl_state (
  pipeline_id integer     not null,
  epoch       bigint      not null default 0,
  batch_seq   bigint      not null default 0,
  cursor      jsonb,
  updated_at  timestamptz not null default now(),
  constraint etl_state_pkey primary key (pipeline_id),
  constraint etl_state_belongs_to_a_pipeline
    foreign key (pipeline_id) references sluice.pipelines on delete cascade,
  constraint etl_state_epoch_is_not_negative check (epoch >= 0),
  constraint etl_state_batch_seq_is_not_negative check (batch_seq >= 0)
) with (fillfactor = 50);

comment on table sluice.etl_state is
  'One row a pipeline, locked last in every batch: the cursor, the number of the last batch, and the epoch of the run that may commit.';

create table sluice.runs (
  run_id         bigint      generated always as identity,
  pipeline_id    integer     not null,
  epoch          bigint      not null,
  started_at     timestamptz not null default clock_timestamp(),
  finished_at    timestamptz,
  outcome        text,
  error          text,
  loader         text        not null,
  started_by     text        not null default session_user,
  batches        bigint      not null default 0,
  extracted      bigint      not null default 0,
  transformed    bigint      not null default 0,
  filtered       bigint      not null default 0,
  quarantined    bigint      not null default 0,
  produced       bigint      not null default 0,
  inserted       bigint      not null default 0,
  updated        bigint      not null default 0,
  deleted        bigint      not null default 0,
  unchanged      bigint      not null default 0,
  stale          bigint      not null default 0,
  superseded     bigint      not null default 0,
  retried        bigint      not null default 0,
  constraint runs_pkey primary key (run_id),
  constraint runs_belong_to_a_pipeline
    foreign key (pipeline_id) references sluice.pipelines on delete cascade,
  constraint runs_epoch_is_unique unique (pipeline_id, epoch),
  constraint runs_outcome_is_known
    check (outcome in ('ok', 'failed', 'threshold', 'locked', 'interrupted')),
  constraint runs_finish_with_an_outcome check ((outcome is null) = (finished_at is null))
);

comment on table sluice.runs is
  'Invocations of the loader. A run without outcome is either going on or dead: the lock tells (see the view status).';

create table sluice.batches (
  batch_id       bigint      not null,
  pipeline_id    integer     not null,
  batch_seq      bigint      not null,
  run_id         bigint,
  kind           text        not null default 'load',
  version        integer,
  cursor_before  jsonb,
  cursor_after   jsonb,
  objects        jsonb       not null default '[]',
  started_at     timestamptz not null,
  committed_at   timestamptz not null default clock_timestamp(),
  extracted      bigint      not null default 0,
  transformed    bigint      not null default 0,
  filtered       bigint      not null default 0,
  quarantined    bigint      not null default 0,
  produced       bigint      not null default 0,
  inserted       bigint      not null default 0,
  updated        bigint      not null default 0,
  deleted        bigint      not null default 0,
  unchanged      bigint      not null default 0,
  stale          bigint      not null default 0,
  superseded     bigint      not null default 0,
  retried        bigint      not null default 0,
  constraint batches_pkey primary key (batch_id),
  constraint batches_seq_is_unique unique (pipeline_id, batch_seq),
  constraint batches_belong_to_a_pipeline
    foreign key (pipeline_id) references sluice.pipelines on delete cascade,
  constraint batches_belong_to_a_run foreign key (run_id) references sluice.runs on delete cascade,
  constraint batches_kind_is_known check (kind in ('load', 'rewind')),
  constraint batches_loads_name_their_version check (kind <> 'load' or (version is not null and run_id is not null)),
  constraint batches_records_are_accounted_for
    check (extracted = transformed + filtered + quarantined),
  constraint batches_rows_are_accounted_for
    check (produced = inserted + updated + deleted + unchanged + stale + superseded)
);

create sequence sluice.batch_id owned by sluice.batches.batch_id;

comment on table sluice.batches is
  'The ledger: one row for every commit that moved a cursor. A rewind is an entry too, so that cursors form one chain.';
comment on column sluice.batches.objects is
  'Files and objects this batch moved, in the state it left them; for a rewind the state of all of them.';

create table sluice.quarantine (
  quarantine_id   bigint      generated always as identity,
  pipeline_id     integer     not null,
  payload_sha256  bytea       not null,
  payload         bytea       not null,
  origin          text,
  position        bigint,
  version         integer     not null,
  sqlstate        text        not null,
  message         text        not null,
  detail          text,
  constraint_name text,
  column_name     text,
  status          text        not null default 'open',
  reason          text,
  seen_count      bigint      not null default 1,
  first_seen_at   timestamptz not null default now(),
  last_seen_at    timestamptz not null default now(),
  first_batch_id  bigint      not null,
  last_batch_id   bigint      not null,
  closed_at       timestamptz,
  closed_by       text,
  constraint quarantine_pkey primary key (quarantine_id),
  constraint quarantine_belongs_to_a_pipeline
    foreign key (pipeline_id) references sluice.pipelines on delete cascade,
  constraint quarantine_status_is_known check (status in ('open', 'replayed', 'discarded')),
  constraint quarantine_closed_when_not_open check ((status = 'open') = (closed_at is null)),
  constraint quarantine_seen_count_is_positive check (seen_count > 0)
);

create unique index quarantine_open_record_is_unique
  on sluice.quarantine (pipeline_id, payload_sha256) where status = 'open';

comment on table sluice.quarantine is
  'Records that could not be loaded, with their exact bytes. The same bytes are open only once: seen again, the counters move.';

create table sluice.source_objects (
  pipeline_id  integer     not null,
  object       text        not null,
  identity     jsonb       not null,
  position     jsonb       not null,
  is_done      boolean     not null,
  last_batch_id bigint     not null,
  updated_at   timestamptz not null default now(),
  constraint source_objects_pkey primary key (pipeline_id, object),
  constraint source_objects_belong_to_a_pipeline
    foreign key (pipeline_id) references sluice.pipelines on delete cascade
);

comment on table sluice.source_objects is
  'Files and objects read or in progress: up to where, and by what a replacement is noticed.';

create index batches_by_run on sluice.batches (run_id);
create index runs_by_pipeline on sluice.runs (pipeline_id, run_id desc);
create index quarantine_by_batch on sluice.quarantine (last_batch_id);
