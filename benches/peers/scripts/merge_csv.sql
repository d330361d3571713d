-- CSV into typed staging, and one MERGE that writes what differs. A temporary table writes no WAL; the
-- memory is for the hash join, which would spill to disk otherwise.
begin;
set local work_mem = '256MB';
create temp table staged (like bench.orders) on commit drop;
\copy staged from pstdin with (format csv, header)
analyze staged;
merge into bench.orders t
using staged s on t.order_id = s.order_id
when matched and (t.*) is distinct from (s.*) then update set
  customer_id = s.customer_id, amount = s.amount, status = s.status, currency = s.currency, qty = s.qty,
  email = s.email, note = s.note, created_at = s.created_at, updated_at = s.updated_at
when not matched then insert values (
  s.order_id, s.customer_id, s.amount, s.status, s.currency, s.qty, s.email, s.note, s.created_at, s.updated_at);
commit;
