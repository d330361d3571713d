-- Rows that batches wrote, sent on to an API: the outbox is written in the batch's own transaction.

alter table sluice.pipelines add deliver jsonb;
comment on column sluice.pipelines.deliver is
  'Where the rows that its batches write are sent (sluice.http_delivery); null: nowhere, and batches note nothing.';

alter type sluice.compiled add attribute outbox_sql text;

create table sluice.outbox (
  delivery_id  bigint      generated always as identity,
  pipeline_id  integer     not null,
  key          jsonb       not null,
  key_hash     bytea       not null,
  operation    text        not null,
  hash         bytea       not null,
  batch_id     bigint      not null,
  deleted_row  jsonb,
  state        text        not null default 'unsent',
  redelivery   integer     not null default 0,
  attempts     integer     not null default 0,
  attempted_at timestamptz,
  body         text,
  status       integer,
  answer       text,
  error        text,
  noted_at     timestamptz not null default now(),
  closed_at    timestamptz,
  constraint outbox_pkey primary key (delivery_id),
  constraint outbox_operation_is_known check (operation in ('upsert', 'delete')),
  constraint outbox_state_is_known
    check (state in ('unsent', 'in_flight', 'sent', 'dead', 'superseded', 'filtered', 'discarded')),
  constraint outbox_in_flight_was_attempted check (state <> 'in_flight' or attempts > 0 and attempted_at is not null),
  constraint outbox_closed_has_a_time
    check ((closed_at is not null) = (state in ('sent', 'superseded', 'filtered', 'discarded')))
);

-- What a sender takes next; what the next change of a key supersedes; what is pruned.
create index outbox_unsent on sluice.outbox (pipeline_id, delivery_id) where state = 'unsent';
create unique index outbox_one_of_a_key_is_in_flight on sluice.outbox (pipeline_id, key_hash) where state = 'in_flight';
create index outbox_by_key on sluice.outbox (pipeline_id, key_hash) where state in ('unsent', 'dead');
create index outbox_closed on sluice.outbox (pipeline_id, closed_at) where closed_at is not null;

comment on table sluice.outbox is
  'Deliveries: one row for each row that a batch of a delivering pipeline inserted, updated or deleted. See the views deliveries and deliveries_details.';
comment on column sluice.outbox.delivery_id is 'In the order in which the rows were written; those of one key are sent in it.';
comment on column sluice.outbox.pipeline_id is 'The pipeline that delivers; rows of its backfills are its own. No foreign key: it would be looked up for every row of a batch, which has locked the pipeline''s state; drop_pipeline takes them along.';
comment on column sluice.outbox.key is 'The key of the row, as people read it.';
comment on column sluice.outbox.key_hash is 'Identifies the key, whatever the settings of a session.';
comment on column sluice.outbox.operation is 'upsert: the row was inserted or updated; delete.';
comment on column sluice.outbox.hash is 'The content of the row (sluice_hash) as the batch wrote or deleted it.';
comment on column sluice.outbox.batch_id is 'The batch that wrote it, or the call of enqueue_deliveries.';
comment on column sluice.outbox.deleted_row is 'Of a delete, the row as it was; any other row is read from the target when it is sent.';
comment on column sluice.outbox.state is
  'unsent; in_flight: an attempt was begun, and repeats have the same key and body until an answer decides; sent; dead: refused, waits for redeliver or discard_deliveries; superseded: a newer change of the key is sent instead; filtered: the body function returned null; discarded.';
comment on column sluice.outbox.redelivery is 'How often it was sent anew by hand. Part of the idempotency key, as servers remember refusals.';
comment on column sluice.outbox.attempts is 'Requests begun.';
comment on column sluice.outbox.attempted_at is 'When the first of them was begun: from then on the body stays what it is.';
comment on column sluice.outbox.body is 'What is sent; kept of what is in flight or dead.';
comment on column sluice.outbox.status is 'The HTTP status of the last answer.';
comment on column sluice.outbox.answer is 'The beginning of the last answer that was not a success.';
comment on column sluice.outbox.error is 'Why it was not sent, or has not been yet.';
comment on column sluice.outbox.noted_at is 'When the batch began that wrote it.';
comment on column sluice.outbox.closed_at is 'Since when there is nothing more to do about it.';

create table sluice.delivery_state (
  pipeline_id   integer not null,
  epoch         bigint  not null default 0,
  body_function text,
  body_sha256   text,
  search_path   text    not null,
  accepted_at   timestamptz,
  sent_count    bigint  not null default 0,
  sender        text,
  started_at    timestamptz,
  finished_at   timestamptz,
  outcome       text,
  error         text,
  counted_at    timestamptz not null default now(),
  constraint delivery_state_pkey primary key (pipeline_id),
  constraint delivery_state_belongs_to_a_pipeline
    foreign key (pipeline_id) references sluice.pipelines on delete cascade
);

comment on table sluice.delivery_state is 'How far the deliveries of a pipeline are, and how the last sender fared.';
comment on column sluice.delivery_state.epoch is 'Counts senders: one that was replaced can record nothing any more.';
comment on column sluice.delivery_state.body_function is 'The function that makes the body, with schema and argument types; null: the row as it is.';
comment on column sluice.delivery_state.body_sha256 is 'Its text when the pipeline was defined: a function replaced behind that stops the sender.';
comment on column sluice.delivery_state.search_path is 'The search_path under which it runs.';
comment on column sluice.delivery_state.accepted_at is 'When the endpoint last took a row under the settings of now: a 404 is about one row then.';
comment on column sluice.delivery_state.sent_count is 'Deliveries sent in all, those that were pruned included.';
comment on column sluice.delivery_state.counted_at is 'Up to when the superseded deliveries have been told.';
comment on column sluice.delivery_state.sender is 'Who sends or sent last, for people.';
comment on column sluice.delivery_state.outcome is 'How the last sender ended; null: it sends, or died.';
