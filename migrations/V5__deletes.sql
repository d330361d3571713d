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
