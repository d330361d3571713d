create or replace function sluice._changes_text(p_changes jsonb)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg((select string_agg(format('%s=%s', k.key, k.value), ' ') from jsonb_each(r.row -> 'key') k)
    || coalesce(': ' || (
      select string_agg(format('%s %s → %s', c.key, coalesce(left((c.value -> 'a')::text, 60), '-'), coalesce(left((c.value -> 'b')::text, 60), '-')), ', ' order by c.key)
      -- The key has been named.
      from jsonb_each(r.row -> 'changes') c where not r.row -> 'key' ? c.key), ''), '; ' order by r.number)
  from jsonb_array_elements(p_changes) with ordinality r (row, number)
$$;

comment on function sluice._changes_text(jsonb) is
  'Cells that differ between versions as people read them: order_id=42: amount 10.00 → 12.50, status - → "paid". -: not returned.';
