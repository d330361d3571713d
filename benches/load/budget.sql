-- One batch by hand, stage by stage; benches/load/budget.rs runs this again and again, prints the
-- medians, and has made batch.bin: what the loader sends. Each "stage" line names the statement
-- that follows it. Transaction 1 is a batch that inserts, 2 the same batch again, 3 once more with
-- every record parsed, 4 the pieces of 1.

\set QUIET on
\o /dev/null
truncate bench.orders;
select run_id, epoch, batch_seq from sluice.start_run('orders', 'by hand') \gset

\timing on
begin;
select sluice.begin_batch('orders', :run_id);
\echo stage copy
\copy pg_temp.sluice_staging from 'batch.bin' (format binary)
\echo stage transform_batch
select sluice.transform_batch();
\echo stage load_batch
select sluice.load_batch(:run_id, :epoch, :batch_seq + 1, '{}');
\echo stage commit
commit;

-- The truncate made the first begin_batch compile the pipeline anew; this one is as usual.
\echo stage begin
begin;
\echo stage begin_batch
select sluice.begin_batch('orders', :run_id);
\echo stage copy again
\copy pg_temp.sluice_staging from 'batch.bin' (format binary)
\echo stage transform_batch known
select sluice.transform_batch();
\echo stage load_batch known
select sluice.load_batch(:run_id, :epoch, :batch_seq + 2, '{}');
\echo stage commit known
commit;

begin;
select sluice.begin_batch('orders', :run_id);
\copy pg_temp.sluice_staging from 'batch.bin' (format binary)
update pg_temp.sluice_versions set made_for = null;
select sluice.transform_batch();
\echo stage load_batch parsed
select sluice.load_batch(:run_id, :epoch, :batch_seq + 3, '{}');
commit;

\timing off
truncate bench.orders;
begin;
select sluice.begin_batch('orders', :run_id);
\copy pg_temp.sluice_staging from 'batch.bin' (format binary)
set local timezone = 'UTC';
set local jit = off;
select count_sql, overlap_sql from pg_temp.sluice_compiled \gset
select format('prepare transform_rows (integer[]) as %s', transform_sql) from pg_temp.sluice_compiled \gexec
select format('prepare insert_rows as %s', insert_sql) from pg_temp.sluice_compiled \gexec
\timing on
\echo stage scan
select count(payload) from pg_temp.sluice_staging;
\echo stage parse
select count(doc) from (select payload::jsonb as doc from pg_temp.sluice_staging offset 0) s;
\echo stage extract
select count(t) from (select payload::jsonb as doc from pg_temp.sluice_staging offset 0) s
cross join lateral (select r.* from bench.orders_v1(s.doc) r offset 0) t;
\echo stage insert into temp
execute transform_rows (null);
\echo stage rows
select count(r) from pg_temp.sluice_rows r;
\echo stage hash
select count(substr(sha256(record_send(row(
  order_id, customer_id, amount, status, currency, qty, email, note, created_at, updated_at))), 1, 16))
from pg_temp.sluice_rows;
\echo stage record
select count(row(
  order_id, customer_id, amount, status, currency, qty, email, note, created_at, updated_at))
from pg_temp.sluice_rows;
\echo stage look
select count(distinct sluice_ordinal), count(*), count(sluice_rule) = 0 and count(distinct order_id) = count(*)
from pg_temp.sluice_rows;
set local enable_hashjoin = off;
set local enable_mergejoin = off;
\echo stage overlap
:overlap_sql;
\echo stage insert
execute insert_rows;
\echo stage count
:count_sql;
rollback;
deallocate transform_rows;
deallocate insert_rows;
