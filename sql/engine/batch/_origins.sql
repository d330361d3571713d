create or replace function sluice._origins(p_origins jsonb)
returns table (first_ordinal integer, origin text, meta jsonb)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select o.first_ordinal, o.origin, case when o.origin ~ '^https?://.* for [{].*[}]$'
    then jsonb_build_object('origin', o.origin, 'row', substring(o.origin from ' for ([{].*[}])$')::jsonb)
    else jsonb_build_object('origin', o.origin) end
  from jsonb_to_recordset(p_origins) o (first_ordinal integer, origin text)
$$;

comment on function sluice._origins(jsonb) is
$$Where records come from, span by span, and what a transform is told of it: the origin, and the row of for_each that
the request was made for, which the loader writes after the address.$$;

-- Where a record of the batch came from: origins are spans, each valid up to the next.
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
