create or replace function sluice.connection(env text default null, file text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('connection', jsonb_build_object('env', env, 'file', file))
$$;

comment on function sluice.connection is
$$Where a database is that records come from: the name of an environment variable (env) or of a file of the machine that
  runs sluice, which holds its connection string. The string itself, with its password, is never written into a
  pipeline.
Example: sluice.connection(env => 'SHOP_DB')$$;
