-- Loading a past range beside the live cursor, going back to a batch or a time, passing over
-- what cannot be read.

alter table sluice.pipelines
  add backfill_of          integer,
  add backfill_range       jsonb,
  add backfill_finished_at timestamptz,
  add constraint pipelines_backfills_belong_to_a_pipeline
    foreign key (backfill_of) references sluice.pipelines on delete cascade,
  add constraint pipelines_backfills_have_a_range check ((backfill_of is null) = (backfill_range is null)),
  add constraint pipelines_backfill_range_is_unique unique (backfill_of, backfill_range),
  add constraint pipelines_only_backfills_finish check (backfill_finished_at is null or backfill_of is not null);

comment on column sluice.pipelines.backfill_of is
  'The pipeline whose past this one loads: with its source, narrowed to backfill_range, its transform and target, and a cursor, files and ledger of its own. Quarantined records belong to the pipeline itself.';
comment on column sluice.pipelines.backfill_range is
  '{"from": ..., "to": ...}: marks of since; or {"objects": ...}: a glob for names of files or objects.';
comment on column sluice.pipelines.backfill_finished_at is
  'When a run of the backfill came to the end of its range.';

alter table sluice.batches
  add rewound_to bigint,
  add constraint batches_only_rewinds_go_back check (rewound_to is null or (kind = 'rewind' and rewound_to < batch_seq));

comment on column sluice.batches.rewound_to is
  'For a rewind: the batch_seq whose end it went back to, 0 for the start; null for the rewind of one file or object.';

create index batches_rewinds on sluice.batches (pipeline_id, batch_seq) where kind = 'rewind';
