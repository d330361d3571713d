-- Rows of distributed targets, which a batch fetches to look at them.

alter type sluice.compiled add attribute fetch_sql text[];
comment on column sluice.compiled.fetch_sql is
  'Of a distributed target: fetch the rows that the batch may meet, into pg_temp.sluice_met_<its oid>.';
