create or replace function sluice._number_of(p_count numeric, p_one text, p_many text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select regexp_replace(p_count::text, '(?<=\d)(?=(\d{3})+$)', ',', 'g')
    || ' ' || case p_count when 1 then p_one else p_many end
$$;

comment on function sluice._number_of(numeric, text, text) is
  'A number for people: 1 batch, 12 batches, 240,000 records.';
