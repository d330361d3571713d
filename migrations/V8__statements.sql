-- What a pipeline version comes to: the facts and the statements that its batches run by. In a table of
-- this type, temporary, a session keeps them from batch to batch; people see them by sluice.statements.
create type sluice.compiled as (
  version                    integer,
  target                     oid,
  filenode                   oid,
  columns                    text[],
  key                        text[],
  order_by                   text,
  search_path                text,
  has_deleted                boolean,
  made_for                   uuid,
  keeps_places               boolean,
  rules                      jsonb,
  rows_definition            text,
  transform_sql              text,
  transform_past_faults_sql  text,
  trial_sql                  text,
  probe_sql                  text,
  reference_checks           text[],
  superseded_sql             text,
  matched_sql                text,
  overlap_sql                text,
  insert_sql                 text,
  outcomes_sql               text,
  count_sql                  text,
  merge_sql                  text,
  trial_merge_sql            text,
  revive_sql                 text,
  bury_sql                   text,
  remember_sql               text,
  batch_keys_sql             text
);

comment on type sluice.compiled is
  'A pipeline version as its batches run it, made by sluice._compile.';
comment on column sluice.compiled.made_for is
  'What known payloads are remembered for; null where they are not.';
comment on column sluice.compiled.keeps_places is
  'Whether an insert says where it put its rows, for known payloads.';
