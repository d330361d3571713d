create or replace function sluice._origin_of(p_origins jsonb, p_ordinal integer)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select span ->> 'origin'
  from jsonb_array_elements(p_origins) span
  where (span ->> 'first_ordinal')::integer <= p_ordinal
  order by (span ->> 'first_ordinal')::integer desc
  limit 1
$$;

comment on function sluice._origin_of(jsonb, integer) is
  'Where a record of the batch came from: origins are spans, each valid up to the next.';
