create or replace function sluice.define_pipeline(
  name text, version integer, transform text, target text, key text[], source jsonb, order_by text default null,
  max_bad_ratio numeric default null, batch_rows integer default null, batch_bytes integer default null,
  activate boolean default true, skip_known boolean default null, retry_orphans boolean default null,
  retain_raw interval default null, missing text default null, mark_column text default null,
  max_delete_ratio numeric default null, deliver jsonb default null, also jsonb[] default null,
  retain_history interval default null, owner text default null)
returns text
language sql volatile
-- No search_path of its own: transform and target are looked up as the caller sees them. So there is nothing here but
-- this one call, in which no operator and no function of the caller's path can have a part.
as $$
  select sluice._define_pipeline(
    pg_catalog.current_setting('search_path'), name, version, transform, target, key, source, order_by, activate,
    pg_catalog.jsonb_build_object(
      'max_bad_ratio', max_bad_ratio, 'batch_rows', batch_rows, 'batch_bytes', batch_bytes, 'skip_known', skip_known,
      'retry_orphans', retry_orphans, 'missing', missing, 'mark_column', mark_column, 'max_delete_ratio',
        max_delete_ratio, 'deliver', deliver, 'owner', owner),
    pg_catalog.jsonb_build_object('retain_raw', retain_raw, 'retain_history', retain_history), also)
$$;

comment on function sluice.define_pipeline is
$$Defines or redefines a pipeline, and checks all that can be checked beforehand (SL005 names what is wrong).
transform: a function f(doc jsonb) that returns a table of target columns, or f(r some_type), where the columns of the
  type name the fields of a record; either may take meta jsonb, too.
key: columns of a unique index of the target.
also: further targets of the same records, such as the lines of orders, see sluice.also_target.
order_by: the column that says which of two records is newer (without it, the later arrival).
source: made by sluice.file_source, object_source, http_source, postgres_source, mysql_source, sqlite_source or
  program_source.
activate: false registers the version as a candidate: sluice.compare shows what it would change,
  sluice.activate_version makes it the active one.
Policies; what is left out keeps its value, which is the default of a new pipeline:
max_bad_ratio (0.1): a larger share of bad records stops the run.
batch_rows, batch_bytes (the loader's): size of a batch.
skip_known (true): false parses every record, also those whose bytes and row have not changed since they were loaded.
retry_orphans (true): records whose parent row was missing (23503) are tried again before and after every run.
retain_raw (none): how long to keep the payloads of committed batches, for reload, compare and why; '0' drops them.
retain_history (none: for ever): how long to keep ledger, runs and closed quarantined records, see sluice.prune; '0'
  for none.
missing (keep): what becomes of rows that a complete read of the source no longer brings (sluice.finish_snapshot):
  keep, delete, or mark in mark_column, a timestamptz or boolean column that the transform does not return.
max_delete_ratio (0.1): if a larger share of the rows is missing, nothing is deleted or marked (SL008).
deliver (nowhere): send every row that a batch writes to an API (sluice.http_delivery) or into a table of another
  database (sluice.postgres_delivery); see sluice deliver. Rows of further targets: deliver of sluice.also_target.
owner (you): the role whose members run and mend the pipeline and see its records; you have to be one of them. All
  pipelines of a target have one owner.
The same definition again changes nothing: neither what was activated nor what was set since (sluice.set_policy). A
version that has loaded a batch cannot be changed. Adds the columns sluice_hash and sluice_batch to the target.
Example: select sluice.define_pipeline(name => 'orders', version => 1, transform => 'shop.orders_v1',
  target => 'shop.orders', key => '{order_id}', order_by => 'updated_at',
  source => sluice.file_source(path => 'drop'))$$;
