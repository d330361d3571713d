-- Registers the version, if it may still be changed.
create or replace function sluice._register_version(
  p_pipeline sluice.pipelines, p_target text, p_old sluice.transforms, p_new sluice.transforms, p_said jsonb,
  p_also sluice.also_targets[], p_is_active boolean)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_pipeline.target <> p_target and exists (
    select from sluice.batches b where b.pipeline_id = any (sluice._with_backfills(p_pipeline.pipeline_id))) then
    raise exception using errcode = 'SL005', hint = 'define another pipeline for the other table',
      message = format('pipeline %s has loaded %s and cannot change its target to %s', p_pipeline.name,
        p_pipeline.target, p_target);
  elsif p_pipeline.target <> p_target and not p_is_active then
    raise exception using errcode = 'SL005', hint = 'activate => true, or define another pipeline for the other table',
      message = format('pipeline %s: version %s cannot be a candidate for %s, as all versions load one target, now %s',
        p_pipeline.name, p_new.version, p_target, p_pipeline.target);
  elsif p_old.first_used_at is not null
    and ((p_old.function, p_old.sha256, p_old.key, p_old.order_by) is distinct
        from (p_new.function, p_new.sha256, p_new.key, p_new.order_by)
      or not sluice._is_same_also(p_pipeline.pipeline_id, p_old.version, p_also)) then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: version %s has loaded batches and cannot be changed', p_pipeline.name,
        p_old.version),
      detail = case
        when p_old.function <> p_new.function then format('It was %s, now it is %s.', p_old.function, p_new.function)
        when p_old.input_definition <> p_new.input_definition then format(
          'The type that %s takes had other columns: (%s).', p_new.function, p_old.input_definition)
        when p_old.sha256 <> p_new.sha256 then format('The text of %s differs from the one it was registered with.',
          p_new.function)
        when p_old.key <> p_new.key or p_old.order_by is distinct from p_new.order_by
          then 'Its key or order_by differs.'
        else 'Its further targets (also) differ, or the text of one of their transforms.' end,
      hint = format('name it v%s: a new function, and version => %1$s',
        (select max(t.version) + 1 from sluice.transforms t where t.pipeline_id = p_pipeline.pipeline_id));
  end if;
  update sluice.pipelines p set target = p_target where p.pipeline_id = p_pipeline.pipeline_id and p.target <> p_target;
  insert into sluice.transforms as t (
    pipeline_id, version, function, takes_meta, columns, key, order_by, search_path, function_text, sha256,
    is_repeatable, input_definition, definition)
  values (p_new.pipeline_id, p_new.version, p_new.function, p_new.takes_meta, p_new.columns, p_new.key, p_new.order_by,
    p_new.search_path, p_new.function_text, p_new.sha256, p_new.is_repeatable, p_new.input_definition, p_said)
  on conflict (pipeline_id, version) do update set
    function = excluded.function, takes_meta = excluded.takes_meta, columns = excluded.columns, key = excluded.key,
    order_by = excluded.order_by, function_text = excluded.function_text, sha256 = excluded.sha256,
    search_path = case when t.first_used_at is null then excluded.search_path else t.search_path end,
    is_repeatable = excluded.is_repeatable, input_definition = excluded.input_definition,
    definition = excluded.definition;
  if not sluice._is_same_also(p_new.pipeline_id, p_new.version, p_also) then
    delete from sluice.also_targets a where a.pipeline_id = p_new.pipeline_id and a.version = p_new.version;
    insert into sluice.also_targets
    select a.* from unnest(p_also) x
    cross join lateral jsonb_populate_record(x, jsonb_build_object('pipeline_id', p_new.pipeline_id,
      'version', p_new.version)) a;
  end if;
end
$$;

comment on function sluice._register_version is
  'Writes down what define_pipeline was told of a version (SL005 when it has loaded batches as another one).';

-- Whether a version has these further targets.
create or replace function sluice._is_same_also(p_pipeline_id integer, p_version integer, p_also sluice.also_targets[])
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select array(
      select row(a.number, a.target, a.function, a.sha256, a.key, a.parent, a.children)::text
      from sluice.also_targets a where a.pipeline_id = p_pipeline_id and a.version = p_version order by a.number)
    = array(
      select row(a.number, a.target, a.function, a.sha256, a.key, a.parent, a.children)::text
      from unnest(p_also) a order by a.number)
$$;
