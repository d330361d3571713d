create or replace function sluice.merge_sql(pipeline text, version integer default null)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select c.merge_sql from sluice._compile((sluice._find_pipeline(merge_sql.pipeline)).pipeline_id, merge_sql.version) c
$$;

comment on function sluice.merge_sql(text, integer) is
  'The exact statement by which a batch of the pipeline changes its target; $1 is the batch id. pg_temp.sluice_rows holds the transformed rows of the batch. version: the active one unless given. Example: select sluice.merge_sql(''orders'') \gx';
