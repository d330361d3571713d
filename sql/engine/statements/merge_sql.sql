create or replace function sluice.merge_sql(pipeline text, version integer default null, target text default null)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select s.statement from sluice.statements(merge_sql.pipeline, merge_sql.version) s where s.step = 'merge' || coalesce(
    ' of ' || nullif(target, (sluice._find_pipeline(merge_sql.pipeline)).target), '')
$$;

comment on function sluice.merge_sql(text, integer, text) is
$$The exact statement by which a batch of the pipeline changes its target, as in sluice.statements. version: the active
one unless given. target: one of several, unless it is the first. When all rows are new, an insert takes its place.
Example: select sluice.merge_sql('orders') \gx$$;
