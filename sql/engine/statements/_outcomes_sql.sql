-- What will happen to each row of a batch, said once: the merge is held to these numbers (count_sql), dry runs show
-- these changes, and versions are compared by these outcomes (outcomes_sql).
create or replace function sluice._outcomes_sql(
  p_target oid, p_columns text[], p_key text[], p_order_by text, out count_sql text, out outcomes_sql text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_outcome text := format($sql$case
    when s.sluice_state = 's' then 'superseded'
    when s.sluice_state = 'o' then 'stale'
    when s.sluice_state = 'u' then 'unsure'
    when t.%1$I is null and s.sluice_deleted then 'unchanged'
    when t.%1$I is null then 'insert'
    when %2$s then 'stale'
    when s.sluice_deleted then 'delete'
    when t.sluice_hash is distinct from s.sluice_hash then 'update'
    else 'unchanged' end$sql$, p_key[1], sluice._stale_condition(p_target, p_order_by));
  v_from    text := format(E'from pg_temp.sluice_rows s\nleft join %s t on %s',
    p_target::regclass, sluice._key_condition(p_target, p_key, 't', 's'));
begin
  count_sql := format($sql$select
  pg_catalog.count(*) filter (where o.outcome = 'insert') as inserted,
  pg_catalog.count(*) filter (where o.outcome = 'update') as updated,
  pg_catalog.count(*) filter (where o.outcome = 'delete') as deleted,
  pg_catalog.count(*) filter (where o.outcome = 'unchanged') as unchanged,
  pg_catalog.count(*) filter (where o.outcome = 'stale') as stale
from (
  select %s as outcome
  %s
  where s.sluice_state is null) o$sql$, v_outcome, v_from);

  -- json, not jsonb, which would not keep the order of the columns.
  select format($sql$select s.sluice_state as state, s.sluice_ordinal as ordinal, s.sluice_line as line,
    s.sluice_hash as hash,
  %s as key,
  %s as key_hash,
  %s as outcome,
  (select pg_catalog.json_object_agg(c.name, pg_catalog.json_build_array(c.old, c.new))
   from (values
     %s) c (name, old, new)
   where c.old is distinct from c.new) as changes
%s$sql$,
      sluice._key_json(p_key, 's'), sluice._key_hash(p_target, p_key, 's'), v_outcome,
      string_agg(format($sql$(
       %1$L, pg_catalog.to_jsonb(t.%1$I), case when not s.sluice_deleted then pg_catalog.to_jsonb(s.%1$I) end)$sql$,
        c), E',\n     '), v_from)
    into outcomes_sql
  from unnest(p_columns) c;
end
$$;

comment on function sluice._outcomes_sql(oid, text[], text[], text) is
$$What the rows of the batch would come to in the target as it is now, counted; and for each row, with the cells
it would change: {"amount": [old, new], ...}.$$;
