-- Where a batch looks for the rows of a target that it may meet: in the target. Those of a distributed one are
-- fetched first (fetch_sql), into a table of the session. Joined to a table of the session, such a target would come
-- over as a whole, and no statement that changes a table of the session can read it.
create or replace function sluice._met(p_target oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case when sluice._is_distributed(p_target) then 'pg_temp.sluice_met_' || p_target
    else p_target::regclass::text end
$$;

comment on function sluice._met(oid) is
  'The table that has the rows of a target which the open batch may meet: the target itself, unless it is distributed.';

-- Fetches the rows t of a distributed target that belong to others, s, and have not been fetched.
create or replace function sluice._fetch_sql(p_target oid, p_key text[], p_others_sql text, p_condition text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$insert into %1$s
select t.* from %2$s t join (%3$s) s on %4$s
where not exists (select from (select %5$s from %1$s) m where %6$s)$sql$,
    sluice._met(p_target), p_target::regclass, p_others_sql, p_condition,
    sluice._column_list(p_key), sluice._key_condition(p_target, p_key, 't', 'm'))
  where sluice._is_distributed(p_target)
$$;

-- Those that have the keys of the batch, as fetch_sql of a version begins; null for a target that is not distributed.
create or replace function sluice._fetch_by_key_sql(p_target oid, p_key text[])
returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select array[sluice._fetch_sql(p_target, p_key,
    format('select distinct %s from pg_temp.sluice_rows where sluice_state is null', sluice._column_list(p_key)),
    sluice._key_condition(p_target, p_key, 't', 's'))]
  where sluice._is_distributed(p_target)
$$;
