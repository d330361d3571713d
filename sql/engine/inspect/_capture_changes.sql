create or replace function sluice._capture_changes(p_batch_id bigint)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wanted record := sluice._changes_wanted();
begin
  if v_wanted.is_asked then
    execute format($sql$insert into pg_temp.sluice_changes (batch_id, ordinal, action, key, changes)
select $1, o.ordinal, o.outcome, o.key, case when o.outcome not in ('stale', 'unsure') then o.changes end
from (%s) o
where o.state is distinct from 'f' and o.outcome not in ('unchanged', 'superseded')
order by o.ordinal, o.line
limit $2$sql$, (select c.outcomes_sql from pg_temp.sluice_compiled c)) using p_batch_id, v_wanted.most;
  end if;
end
$$;

comment on function sluice._capture_changes(bigint) is
  'Notes in sluice_changes what the merge is about to change, if capture_changes asked for it in this transaction.';
