create or replace function sluice._said_of_definition(
  p_was sluice.pipelines, p_now sluice.pipelines, p_version integer, p_said jsonb)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
set intervalstyle = 'postgres'
as $$
  select concat_ws('; ',
    format('pipeline %s: %s, version %s active', p_now.name, p_now.target || coalesce((
        select string_agg(' and ' || a.target, '' order by a.number) from sluice.also_targets a
        where a.pipeline_id = p_now.pipeline_id and a.version = p_now.active_version), ''),
        concat_ws(' → ', nullif(p_was.active_version, p_now.active_version), p_now.active_version))
      || case when p_version <> p_now.active_version and not exists (
          select from sluice.activations a where a.pipeline_id = p_now.pipeline_id and a.version = p_version)
        then format(', version %s a candidate', p_version) else '' end,
    (select format('version %s stays active: activated by %s on %s', p_now.active_version, a.activated_by,
        to_char(a.activated_at, 'YYYY-MM-DD HH24:MI'))
      from sluice.activations a
      where p_said ->> 'activate' = 'true' and p_version <> p_now.active_version and a.pipeline_id = p_now.pipeline_id
      order by a.activation_id desc limit 1),
    case when p_was.pipeline_id is not null then sluice._changes_of_pipeline(p_was, p_now) end,
    case when p_said ? 'source' and p_version <> p_now.active_version and p_version = newest.version then
      format('when version %s is activated: ', p_version) || sluice._changes_of_pipeline(p_now,
        jsonb_populate_record(p_now, sluice._delivery_changes(
          p_said, sluice._said_by_version(p_now.pipeline_id, p_now.active_version)))) end,
    (select string_agg(format('%s stays %s, set elsewhere (the definition says %s)', key,
        coalesce(to_jsonb(p_now) ->> key, 'none'), coalesce(value #>> '{}', 'none')), '; ' order by key)
      from jsonb_each(p_said - 'activate' - 'source') where to_jsonb(p_now) -> key is distinct from value
        and case when key like '%deliver' then p_version = p_now.active_version else p_version = newest.version end),
    case when p_version < newest.version then
      format('version %s speaks for source and policies, so this one does not change: ', newest.version)
        || sluice._changes_of_pipeline(p_now, jsonb_populate_record(p_now,
          p_said - '{deliver,also_deliver}'::text[])) end)
  from (
    select max(t.version) as version from sluice.transforms t where t.pipeline_id = p_now.pipeline_id) newest
$$;

comment on function sluice._said_of_definition(sluice.pipelines, sluice.pipelines, integer, jsonb) is
  'What a definition made of a pipeline, in one line: what it changed, and what stays as it was set elsewhere.';

-- Policies, source and target that differ: max_bad_ratio 0.1 → 0.02, source path "drop" → "in".
create or replace function sluice._changes_of_pipeline(p_was sluice.pipelines, p_now sluice.pipelines)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
set intervalstyle = 'postgres'
as $$
  select string_agg(format('%s %s → %s', key, coalesce(was, 'none'), coalesce(now, 'none')), ', ' order by key)
  from (
    select key, was.value #>> '{}', now.value #>> '{}'
    from jsonb_each(to_jsonb(p_was)) was join jsonb_each(to_jsonb(p_now)) now using (key)
    where key in ('owner', 'target', 'max_bad_ratio', 'batch_rows', 'batch_bytes', 'skip_known', 'retry_orphans',
      'retain_raw', 'retain_history', 'missing', 'mark_column', 'max_delete_ratio')
    union all
    select 'source ' || key, was.value::text, now.value::text
    from jsonb_each(p_was.source) was full join jsonb_each(p_now.source) now using (key)
    union all
    select 'deliver ' || key, was.value::text, now.value::text
    from jsonb_each(p_was.deliver) was full join jsonb_each(p_now.deliver) now using (key)
    union all
    select format('deliver of %s %s', t.target, s.key), s.was, s.now
    from (
      select jsonb_object_keys(coalesce(p_was.also_deliver, '{}') || coalesce(p_now.also_deliver, '{}'))) t (target)
    cross join lateral (
      select key, was.value::text, now.value::text
      from jsonb_each(p_was.also_deliver -> t.target) was
      full join jsonb_each(p_now.also_deliver -> t.target) now using (key)) s (key, was, now)) setting (key, was, now)
  where was is distinct from now
$$;
