-- What a load remembers of the payloads it has seen, so that the same bytes need not be parsed
-- again while the row they made still stands. A cache: unlogged, and empty after a crash.

create unlogged table sluice.known_payloads (
  chunk_id      bigint      generated always as identity,
  pipeline_id   integer     not null,
  made_for      uuid        not null,
  payload_count integer     not null,
  digests       uuid[]      not null,
  row_places    tid[]       not null,
  row_xids      xid[]       not null,
  last_used_at  timestamptz not null default now(),
  constraint known_payloads_pkey primary key (chunk_id)
);

-- They are digests: compressing them is time lost.
alter table sluice.known_payloads
  alter column digests set storage external,
  alter column row_places set storage external,
  alter column row_xids set storage external;

create index known_payloads_by_pipeline on sluice.known_payloads (pipeline_id);

comment on table sluice.known_payloads is
  'Payloads that were loaded, in chunks of about a batch: the digest of each, and the row version it made. A cache, see sluice._find_known; it may be emptied at any time.';
comment on column sluice.known_payloads.made_for is
  'What the rows were made by: version, target and everything the result depends on. A chunk made for anything else is of no use.';
comment on column sluice.known_payloads.row_xids is
  'The transaction that wrote the row version: with the place it names one version and no other.';

create unlogged table sluice.known_anchors (
  digest   uuid   not null,
  chunk_id bigint not null,
  constraint known_anchors_pkey primary key (digest, chunk_id)
);

comment on table sluice.known_anchors is
  'One digest in 64 of each chunk, by which the chunks a batch needs are found.';

alter table sluice.transforms add is_repeatable boolean not null default false;

comment on column sluice.transforms.is_repeatable is
  'Whether the same payload makes the same rows whenever it comes: the function is declared immutable, or does nothing but what is known to be so (see sluice._is_repeatable).';

alter table sluice.pipelines add skip_known boolean not null default true;

alter table sluice.batches
  add known bigint not null default 0,
  add constraint batches_known_records_are_transformed check (known <= transformed),
  add constraint batches_count_upwards check (
    least(extracted, transformed, filtered, quarantined, produced, inserted, updated, deleted, unchanged, stale, superseded, retried, known) >= 0);

comment on column sluice.batches.known is
  'Of the transformed records, those recognised by their bytes: their row stands as they made it, so they were not parsed again.';
