-- Several targets of one pipeline: orders and their lines, say. A record makes rows of each, and loads into all of them
-- or into none.

create table sluice.also_targets (
  pipeline_id   integer not null,
  version       integer not null,
  number        integer not null,
  target        text    not null,
  function      text    not null,
  takes_meta    boolean not null,
  columns       text[]  not null,
  key           text[]  not null,
  parent        text[]  not null,
  children      text    not null,
  function_text text    not null,
  sha256        text    not null,
  constraint also_targets_pkey primary key (pipeline_id, version, number),
  constraint also_targets_belong_to_a_version
    foreign key (pipeline_id, version) references sluice.transforms on delete cascade,
  constraint also_targets_come_after_the_first check (number > 1),
  constraint also_targets_differ unique (pipeline_id, version, target),
  constraint also_targets_children_is_known check (children in ('keep', 'replace'))
);

create index also_targets_by_target on sluice.also_targets (target);

comment on table sluice.also_targets is
  'The targets of a version besides the first, which pipelines and transforms have: each with its transform, in the order in which they are merged.';
comment on column sluice.also_targets.pipeline_id is 'The pipeline, or a backfill of it.';
comment on column sluice.also_targets.version is 'The version of the pipeline to which the target belongs.';
comment on column sluice.also_targets.number is
  'Its place in the order in which the targets are merged; 1 is the first target, which is not here.';
comment on column sluice.also_targets.target is 'The table, with its schema.';
comment on column sluice.also_targets.function is 'Its transform, with schema and argument types.';
comment on column sluice.also_targets.takes_meta is 'Whether the transform takes meta beside the record.';
comment on column sluice.also_targets.columns is 'The columns that the transform returns.';
comment on column sluice.also_targets.key is 'The columns of its key.';
comment on column sluice.also_targets.function_text is 'The text of the transform when the version was defined.';
comment on column sluice.also_targets.sha256 is 'By which a replaced transform is noticed.';
comment on column sluice.also_targets.parent is
  'Its columns that hold the key of the first target, in the order of that key: whose child a row is.';
comment on column sluice.also_targets.children is
  'What becomes of the rows of a parent that a newer record of it no longer makes: keep or replace.';

-- The books of a batch are sums over its targets; where there are several, each has its own beside them.
alter table sluice.batches
  add targets jsonb,
  add constraint batches_rows_of_each_target_are_accounted_for check (not targets @?
    '$[*] ? (@.produced != @.inserted + @.updated + @.deleted + @.unchanged + @.stale + @.superseded)');

comment on column sluice.batches.targets is
  'Where there are several targets, the rows of each: [{"target": "shop.orders", "produced": 3, "inserted": 2, ...}, ...]; see the view target_books.';

alter type sluice.compiled
  add attribute number       integer,
  add attribute rows_table   oid,
  add attribute parent       text[],
  add attribute children     text,
  add attribute orphans_sql  text,
  add attribute older_sql    text,
  add attribute follow_sql   text,
  add attribute dropped_sql  text,
  add attribute drop_sql     text,
  add attribute touch_sql    text;

comment on column sluice.compiled.number is
  'Which of the targets of the version: 1 is the first.';
comment on column sluice.compiled.rows_table is
  'Where the session keeps the rows that a batch makes of it; set by sluice._take_version.';
comment on column sluice.compiled.parent is 'Of a further target, the columns that hold the key of the first.';
comment on column sluice.compiled.children is 'Of a further target, keep or replace.';
