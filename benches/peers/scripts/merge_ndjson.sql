-- Lines into staging, and one MERGE that parses them and writes what differs. CSV with a quote and a
-- delimiter that JSON cannot contain is how \copy takes a line as it is.
begin;
set local work_mem = '256MB';
create temp table staged (line text) on commit drop;
\copy staged from pstdin with (format csv, quote e'\x01', delimiter e'\x02')
analyze staged;
merge into bench.orders t
using (
  select r.* from staged, json_to_record(line::json) as r (
    order_id bigint, customer_id bigint, amount numeric(12,2), status text, currency text, qty integer,
    email text, note text, created_at timestamptz, updated_at timestamptz)
) s on t.order_id = s.order_id
when matched and (t.*) is distinct from (s.*) then update set
  customer_id = s.customer_id, amount = s.amount, status = s.status, currency = s.currency, qty = s.qty,
  email = s.email, note = s.note, created_at = s.created_at, updated_at = s.updated_at
when not matched then insert values (
  s.order_id, s.customer_id, s.amount, s.status, s.currency, s.qty, s.email, s.note, s.created_at, s.updated_at);
commit;
