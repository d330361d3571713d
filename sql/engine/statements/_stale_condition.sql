create or replace function sluice._stale_condition(p_target oid, p_order_by text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case when p_order_by is null then 'false'
    else format('coalesce(s.%1$I %2$s t.%1$I, s.%1$I is null and t.%1$I is not null)', p_order_by,
      sluice._operator(p_target, p_order_by, 1)) end
$$;

comment on function sluice._stale_condition(oid, text) is
  'Whether a row s of the batch is older than the target''s row t. Without order_by the later arrival is the newer.';
