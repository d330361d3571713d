create or replace function sluice._changes_text(p_changes jsonb)
returns text
language sql immutable
set search_path = ''
as $$
  select string_agg(format('%s %s', r.row -> 'key', (
    select string_agg(format('%s: %s → %s', c.key, v.value_a, v.value_b), ', ' order by c.key)
    from jsonb_each(r.row -> 'changes') c
    cross join lateral (
      select case when c.value ? 'a' then coalesce(left(c.value ->> 'a', 60), 'null') else '-' end as value_a,
        case when c.value ? 'b' then coalesce(left(c.value ->> 'b', 60), 'null') else '-' end as value_b) v)), '; ' order by r.number)
  from jsonb_array_elements(p_changes) with ordinality r (row, number)
$$;

comment on function sluice._changes_text(jsonb) is
  'Cells that differ between versions as people read them: {"order_id": 42} amount: 10.00 → 12.50, status: - → paid. -: not returned.';
