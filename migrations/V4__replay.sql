-- What operating a pipeline needs beyond running it: who made which version the active one, what
-- became of quarantined records, and batches beside the cursor chain.

create table sluice.activations (
  activation_id    bigint      generated always as identity,
  pipeline_id      integer     not null,
  version          integer     not null,
  previous_version integer,
  activated_at     timestamptz not null default clock_timestamp(),
  activated_by     text        not null default session_user,
  constraint activations_pkey primary key (activation_id),
  constraint activations_name_a_version
    foreign key (pipeline_id, version) references sluice.transforms on delete cascade
);

create index activations_by_pipeline on sluice.activations (pipeline_id, activation_id);

comment on table sluice.activations is
  'Which version was made the active one, when and by whom.';

-- What was active before this table was there.
insert into sluice.activations (pipeline_id, version, activated_at, activated_by)
select p.pipeline_id, p.active_version, p.updated_at, p.created_by from sluice.pipelines p;

alter table sluice.pipelines add retry_orphans boolean not null default true;

comment on column sluice.pipelines.retry_orphans is
  'Whether records whose parent row was missing (23503) are tried again by themselves, before and after every run.';

alter table sluice.batches
  alter batch_seq drop not null,
  add origins     jsonb not null default '[]',
  add reloads     bigint,
  add note        text,
  add recorded_by text,
  drop constraint batches_kind_is_known,
  drop constraint batches_loads_name_their_version,
  add constraint batches_kind_is_known check (kind in ('load', 'rewind', 'skip', 'replay', 'snapshot')),
  add constraint batches_loads_belong_to_a_run check (kind <> 'load' or run_id is not null),
  add constraint batches_name_their_version check (kind not in ('load', 'replay') or version is not null),
  add constraint batches_that_move_the_cursor_are_numbered check ((batch_seq is null) = (kind = 'replay')),
  add constraint batches_only_replays_reload check (reloads is null or kind = 'replay');

-- Apart, as a default given with the column would be taken for the rows that are there.
alter table sluice.batches alter recorded_by set default session_user;

comment on table sluice.batches is
  'The ledger: one row for every commit that moved a cursor or wrote to a target. Those with a batch_seq form one chain of cursors, rewinds and skips included; replays stand beside it.';
comment on column sluice.batches.origins is
  'Where the records came from, in their order: [{"origin": "drop/a.csv", "first_ordinal": 0, "first_position": 1, "last_position": 20000}, ...].';
comment on column sluice.batches.reloads is
  'For a replay of retained payloads: the batch that loaded them first.';
comment on column sluice.batches.note is
  'Why, for what a person did: the reason of a skip, the goal of a rewind.';

alter table sluice.quarantine
  add keys              jsonb,
  add resolved_batch_id bigint,
  add original_payload  bytea,
  drop constraint quarantine_status_is_known,
  add constraint quarantine_status_is_known check (status in ('open', 'replayed', 'loaded', 'discarded')),
  add constraint quarantine_resolved_records_name_their_batch
    check ((status in ('replayed', 'loaded')) = (resolved_batch_id is not null));

create index quarantine_by_resolved_batch on sluice.quarantine (resolved_batch_id) where resolved_batch_id is not null;
-- Whether there is anything that a load could close.
create index quarantine_open_by_age on sluice.quarantine (pipeline_id, last_seen_at) where status = 'open';
create index quarantine_open_orphans on sluice.quarantine (pipeline_id) where status = 'open' and sqlstate = '23503';

comment on column sluice.quarantine.status is
  'open; replayed: a replay dealt with it; loaded: the source delivered the same bytes again, and they fitted; discarded.';
comment on column sluice.quarantine.keys is
  'The keys of the rows the record made, where it came that far: [{"order_id": 42}, ...].';
comment on column sluice.quarantine.resolved_batch_id is
  'The batch that dealt with the record in the end.';
comment on column sluice.quarantine.original_payload is
  'What the source delivered, where payload was amended since.';

create table sluice.quarantine_events (
  event_id        bigint      generated always as identity,
  quarantine_id   bigint      not null,
  event           text        not null,
  happened_at     timestamptz not null default clock_timestamp(),
  done_by         text        not null default session_user,
  batch_id        bigint,
  version         integer,
  sqlstate        text,
  message         text,
  constraint_name text,
  column_name     text,
  reason          text,
  payload         bytea,
  constraint quarantine_events_pkey primary key (event_id),
  constraint quarantine_events_belong_to_a_record
    foreign key (quarantine_id) references sluice.quarantine on delete cascade,
  constraint quarantine_events_are_known
    check (event in ('quarantined', 'failed', 'unsure', 'replayed', 'loaded', 'amended', 'discarded'))
);

create index quarantine_events_by_record on sluice.quarantine_events (quarantine_id, event_id);

comment on table sluice.quarantine_events is
  'What became of quarantined records. quarantined: the first error, noted when something else follows; failed: again, in a replay; unsure: a replay could not tell whether the row in the target is newer, and left it; replayed; loaded: the source delivered the same bytes again, and they fitted; amended (payload: what stood before); discarded.';

-- What was closed before has a history, too.
insert into sluice.quarantine_events (quarantine_id, event, happened_at, done_by, batch_id, version, sqlstate, message, constraint_name, column_name)
select q.quarantine_id, 'quarantined', q.last_seen_at, 'unknown', q.last_batch_id, q.version, q.sqlstate, q.message, q.constraint_name, q.column_name
from sluice.quarantine q where q.status = 'discarded' order by q.quarantine_id;
insert into sluice.quarantine_events (quarantine_id, event, happened_at, done_by, reason)
select q.quarantine_id, 'discarded', q.closed_at, coalesce(q.closed_by, 'unknown'), q.reason
from sluice.quarantine q where q.status = 'discarded' order by q.quarantine_id;
