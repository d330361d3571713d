-- The versions that wrote rows of a target that are there, and how many. unread: why these cannot be checked.
-- rows_sql: the rows of that version, each with its key and whether it still is what was written, or what somebody
-- accepted since; for _read_under.
create or replace function sluice._versions_of_rows(p_pipeline sluice.pipelines)
returns table (version integer, search_path text, rows bigint, unread text, rows_sql text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_target regclass  := p_pipeline.target;
  v_ids    integer[] := sluice._with_backfills(p_pipeline.pipeline_id);
  v_count  record;
  v        record;
begin
  for v_count in execute format($sql$select b.version, count(*) as rows from %s r
join (select batch_id, version from sluice._all_batches() where pipeline_id = any ($1)) b
  on b.batch_id = r.sluice_batch
group by b.version order by b.version$sql$, v_target) using v_ids
  loop
    select * into v from sluice._versions_of_target(p_pipeline.pipeline_id, p_pipeline.target) t
    where t.version = v_count.version;
    continue when not found;
    version := v.version;
    search_path := v.search_path;
    rows := v_count.rows;
    unread := sluice._why_unreadable(p_pipeline.target, v.columns || v.key);
    rows_sql := case when unread is null then format($sql$select t.sluice_hash, %s as key, %s as key_hash,
  %s as row_hash, %s as is_same
from %s t
join (select batch_id, kind from sluice._all_batches() where pipeline_id = any (%L::int4[]) and version = %s) b
  on b.batch_id = t.sluice_batch$sql$,
      sluice._key_json(v.key, 't'), sluice._key_hash(v_target, v.key, 't'), sluice._hash_sql(v_target, v.columns),
      sluice._is_as_written_sql(v_target, v.columns, v.key, p_pipeline.pipeline_id), v_target, v_ids, v.version) end;
    return next;
  end loop;
end
$$;

comment on function sluice._versions_of_rows(sluice.pipelines) is
  'The versions that wrote the rows of a pipeline, with the statement that checks the hashes of each.';

-- The rows of a query as its pipeline's definer would read them: types of others are hashed by what their names mean
-- under that search_path. Stable, so that all checks look at one snapshot.
create or replace function sluice._read_under(p_search_path text, p_query text)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('search_path', p_search_path, true);
  return query execute p_query;
end
$$;

-- Whether a row t is as its batch b wrote it with these columns, or as somebody accepted it since; null without a hash.
create or replace function sluice._is_as_written_sql(
  p_target oid, p_columns text[], p_key text[], p_pipeline_id integer)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- A snapshot marks rows as they stand, and so does who accepts them, whichever version wrote them.
  select format($sql$(case when b.kind in ('snapshot', 'reconcile') then t.sluice_hash = any (array[%s])
    else t.sluice_hash = %s end
  or t.sluice_hash is not null and %s)$sql$,
    (select string_agg(distinct sluice._hash_sql(p_target, t.columns), ', ')
     from sluice._versions_of_target(p_pipeline_id, sluice._qualified_name(p_target)) t
     where sluice._why_unreadable(sluice._qualified_name(p_target), t.columns) is null),
    sluice._hash_sql(p_target, p_columns), sluice._is_accepted_sql(sluice._qualified_name(p_target),
      sluice._key_hash(p_target, p_key, 't'), sluice._hash_sql(p_target, p_columns)))
$$;
