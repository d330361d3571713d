-- Keys that were deleted, so that an older record that comes late does not bring them back.

create table sluice.tombstones (
  target      text        not null,
  key_hash    bytea       not null,
  key         jsonb       not null,
  order_value text,
  batch_id    bigint      not null,
  deleted_at  timestamptz not null default clock_timestamp(),
  constraint tombstones_pkey primary key (target, key_hash)
);

comment on table sluice.tombstones is
  'Keys that were deleted, so that an older record that comes late does not bring them back.';
comment on column sluice.tombstones.key_hash is
  'The key in bytes that no setting changes, see sluice._key_hash.';
comment on column sluice.tombstones.order_value is
  'The order_by value of the record that deleted it, as text; null without one.';

-- Rows that a source no longer has (sluice.finish_snapshot).

alter table sluice.pipelines
  add missing          text    not null default 'keep',
  add mark_column      text,
  add max_delete_ratio numeric not null default 0.1,
  add constraint pipelines_missing_is_known check (missing in ('keep', 'delete', 'mark')),
  add constraint pipelines_marks_have_a_column check ((missing = 'mark') = (mark_column is not null)),
  add constraint pipelines_max_delete_ratio_is_a_ratio check (max_delete_ratio between 0 and 1);

comment on column sluice.pipelines.missing is
  'What becomes of rows that a complete read of the source does not bring any more: keep, delete, or mark (in mark_column).';
comment on column sluice.pipelines.max_delete_ratio is
  'When more than this share of its rows is missing, nothing is deleted or marked, and the run fails (SL008).';

create table sluice.snapshots (
  pipeline_id integer     not null,
  first_seq   bigint      not null,
  made_for    uuid        not null,
  began_at    timestamptz not null default clock_timestamp(),
  has_records boolean     not null default false,
  spoilt_by   text,
  constraint snapshots_pkey primary key (pipeline_id),
  constraint snapshots_belong_to_a_pipeline
    foreign key (pipeline_id) references sluice.pipelines on delete cascade
);

comment on table sluice.snapshots is
  'Complete reads that are going on, of pipelines that do not keep missing rows. None between the end of one and the first batch of the next.';
comment on column sluice.snapshots.first_seq is
  'The number of its first batch.';
comment on column sluice.snapshots.made_for is
  'What decides which keys a record has; once it changes, the keys seen so far are of no use.';
comment on column sluice.snapshots.has_records is
  'Whether there was a batch of the source itself yet, and not only of records from elsewhere.';
comment on column sluice.snapshots.spoilt_by is
  'Why nothing can be concluded from this read, if so; it is over when the source has nothing left to read.';

create table sluice.snapshot_keys (
  pipeline_id       integer not null,
  batch_id          bigint  not null,
  key_hashes        bytea[] not null,
  is_from_elsewhere boolean not null default false,
  constraint snapshot_keys_pkey primary key (pipeline_id, batch_id),
  constraint snapshot_keys_belong_to_a_snapshot
    foreign key (pipeline_id) references sluice.snapshots on delete cascade
);

-- They are hashes: compressing them is time lost.
alter table sluice.snapshot_keys alter column key_hashes set storage external;

comment on column sluice.snapshot_keys.is_from_elsewhere is
  'Of records that the source did not bring: replayed, or read from another path. Their rows are not missing.';
comment on table sluice.snapshot_keys is
  'The keys that the batches of a snapshot have seen, a chunk a batch, see sluice._key_hash.';
