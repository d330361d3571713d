-- Deletes that have to wait until the rows that refer to what they delete are merged.

alter type sluice.compiled add attribute wait_sql text[];
comment on column sluice.compiled.wait_sql is
  'Of one of several targets: mark the deletes that rows of these targets still stand in the way of.';
