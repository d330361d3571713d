create or replace function sluice.merge_sql(pipeline text, version integer default null)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select s.statement from sluice.statements(merge_sql.pipeline, merge_sql.version) s where s.step = 'merge'
$$;

comment on function sluice.merge_sql(text, integer) is
$$The exact statement by which a batch of the pipeline changes its target, as in sluice.statements. version: the active
one unless given. When all rows are new, an insert takes its place. Of several targets it is the first:
sluice.statements has them all. Example: select sluice.merge_sql('orders') \gx$$;
