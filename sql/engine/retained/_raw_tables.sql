create or replace function sluice._raw_tables(p_pipeline_id integer)
returns table (relation regclass, retained_on date)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select c.oid::regclass, to_date(right(c.relname, 8), 'YYYYMMDD')
  from pg_catalog.pg_class c
  where c.relnamespace = 'sluice'::regnamespace and c.relkind = 'r'
    and c.relname ~ format('^raw_%s_[0-9]{8}$', p_pipeline_id)
  order by c.relname
$$;

comment on function sluice._raw_tables(integer) is
  'The tables of payloads that a pipeline has retained, one a day, the oldest first.';
