-- What the ledger does not tell of a target by itself: rows whose ledger is gone, changes by hand that somebody stands
-- for, and the fields that records have had.

create table sluice.unknown_batches (
  target    text           not null,
  pipeline  text,
  batch_ids int8multirange not null,
  noted_at  timestamptz    not null default clock_timestamp(),
  noted_by  text           not null default session_user
);

create index unknown_batches_by_target on sluice.unknown_batches (target);

comment on table sluice.unknown_batches is
  'Batches by which rows of a target were written and which the ledger does not have: of a pipeline that was dropped, or (no pipeline) from before the first one of today. What such a row says of itself is not trusted.';

-- Older engines noted no dropped pipeline: whatever was written before the first batch of those of today.
insert into sluice.unknown_batches (target, batch_ids, noted_by)
select p.target, int8multirange(int8range(0, f.first_id)), 'unknown'
from (select distinct target from sluice.pipelines) p
cross join lateral (
  select coalesce(min(b.batch_id), (select s.last_value + 1 from sluice.batch_id s)) as first_id
  from sluice.batches b join sluice.pipelines o using (pipeline_id) where o.target = p.target) f
where f.first_id > 1;

-- The kind of entry by which somebody stands for what was done by hand.
alter table sluice.batches
  drop constraint batches_kind_is_known,
  drop constraint batches_that_move_the_cursor_are_numbered,
  add constraint batches_kind_is_known
    check (kind in ('load', 'rewind', 'skip', 'replay', 'snapshot', 'reconcile')),
  add constraint batches_that_move_the_cursor_are_numbered
    check ((batch_seq is null) = (kind in ('replay', 'reconcile')));

create table sluice.accepted_rows (
  target    text   not null,
  key_hash  bytea  not null,
  row_hash  bytea  not null,
  batch_id  bigint not null,
  constraint accepted_rows_pkey primary key (target, key_hash),
  constraint accepted_rows_belong_to_a_batch foreign key (batch_id) references sluice.batches on delete cascade
);

create index accepted_rows_by_batch on sluice.accepted_rows (batch_id);

comment on table sluice.accepted_rows is
  'Rows that were changed by hand, as they stood when somebody accepted the change (sluice.reconcile). Their sluice_hash stays that of the record they came from.';
comment on column sluice.accepted_rows.row_hash is
  'The hash of the values that were accepted.';

create table sluice.record_fields (
  pipeline_id    integer     not null,
  field          text        not null,
  first_run_id   bigint      not null,
  first_seen_at  timestamptz not null default clock_timestamp(),
  first_origin   text,
  last_run_id    bigint      not null,
  last_seen_at   timestamptz not null default clock_timestamp(),
  last_origin    text,
  constraint record_fields_pkey primary key (pipeline_id, field),
  constraint record_fields_belong_to_a_pipeline
    foreign key (pipeline_id) references sluice.pipelines on delete cascade
) with (fillfactor = 50);

comment on table sluice.record_fields is
  'The top-level fields that records of a pipeline have had, by a sample of each batch; last_*: of the last run that had them. See sluice.drift.';
