-- What the last call said is kept with its version (transforms.definition), so that this call changes only what it
-- says differently, and leaves alone what was set elsewhere in between. The newest version speaks for the pipeline: a
-- file of an older one, applied again at a deploy, finds itself registered and is done.
create or replace function sluice._define_pipeline(
  p_search_path text, p_name text, p_version integer, p_transform text, p_target text, p_key text[], p_source jsonb,
  p_order_by text, p_activate boolean, p_policies jsonb, p_times jsonb, p_also jsonb[])
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set intervalstyle = 'postgres'
as $$
declare
  v_names    record;
  v_said     jsonb;
  v_before   jsonb;
  v_pipeline sluice.pipelines;
  v_was      sluice.pipelines;
  v_new      sluice.transforms;
  v_old      sluice.transforms;
  v_newest   integer;
  v_also     sluice.also_targets[];
  v_also_deliver jsonb;
  v_said_by_active jsonb;
  v_is_same  boolean;
  v_is_active boolean;
  v_owner    text;
begin
  if p_name is null or p_name !~ '^[a-z][a-z0-9_.-]{0,39}$' then
    raise exception using errcode = 'SL005',
      message = format('pipeline name %s is not allowed', coalesce(quote_literal(p_name), 'null')),
      hint = 'a lower-case letter, then letters, digits, _ . or -, 40 at most';
  elsif coalesce(p_version, 0) < 1 then
    raise exception using errcode = 'SL005', hint = 'versions are 1, 2, 3, ...',
      message = format('pipeline %s: version %s is not a positive number', p_name, coalesce(p_version::text, 'null'));
  elsif coalesce(cardinality(p_key), 0) = 0 or array_position(p_key, null) is not null then
    raise exception using errcode = 'SL005', message = format('pipeline %s has no key', p_name),
      hint = 'key => ''{order_id}'', the columns of the target''s primary key or of another unique index';
  end if;
  -- One definition at a time: they read a target before they alter it.
  perform pg_advisory_xact_lock(sluice._lock_class('define'), 0);
  perform sluice._refuse_foreign(p_name);
  v_said := jsonb_strip_nulls(p_policies)
    || jsonb_build_object('source', sluice._checked('source', p_source), 'activate', coalesce(p_activate, true))
    || (select coalesce(jsonb_object_agg(t.key, case when t.value::interval <> interval '0'
      then to_jsonb(t.value::interval) end), '{}')
      from jsonb_each_text(jsonb_strip_nulls(p_times)) t);
  if v_said ? 'deliver' then
    v_said := v_said || jsonb_build_object('deliver', sluice._checked('delivery', v_said -> 'deliver'));
  end if;
  v_names := sluice._names_of_definition(p_search_path, p_name, p_transform, p_target);

  select * into v_pipeline from sluice.pipelines p where p.name = p_name for no key update;
  if found then
    perform sluice._find_live_pipeline(p_name);
  end if;
  v_was := v_pipeline;
  v_owner := coalesce(v_said ->> 'owner', v_pipeline.owner, current_user);
  if v_owner is distinct from v_pipeline.owner then
    perform sluice._check_owner(p_name, v_owner);
  end if;
  select * into v_old from sluice.transforms t
  where t.pipeline_id = v_pipeline.pipeline_id and t.version = p_version;
  select t.version, t.definition into v_newest, v_before from sluice.transforms t
  where t.pipeline_id = v_pipeline.pipeline_id order by t.version desc limit 1;
  v_said_by_active := sluice._said_by_version(v_pipeline.pipeline_id, v_pipeline.active_version);
  v_new.version := p_version;
  v_new.function := sluice._qualified_function(v_names.transform);
  v_new.function_text := sluice._function_text(v_names.transform);
  v_new.sha256 := sluice._transform_sha256(v_names.transform);
  v_new.input_definition := sluice._input_definition(v_names.transform);
  v_new.key := p_key;
  v_new.order_by := p_order_by;
  v_also := sluice._also_of_definition(p_search_path, p_name, v_names, p_key, p_also);
  v_also_deliver := sluice._deliver_of_also(array(select a.target from unnest(v_also) a), p_also);
  if v_also_deliver <> '{}' or v_pipeline.also_deliver is not null then
    -- The list of targets is said as a whole: what it leaves out is not delivered any more.
    v_said := v_said || jsonb_build_object('also_deliver', nullif(v_also_deliver, '{}'));
  end if;
  v_is_same := v_old.version is not null and v_pipeline.target = v_names.target
    and sluice._is_same_also(v_pipeline.pipeline_id, p_version, v_also)
    and (v_old.function, v_old.sha256, v_old.key) = (v_new.function, v_new.sha256, v_new.key)
    and v_old.order_by is not distinct from v_new.order_by;
  if v_is_same and p_version < v_newest and p_version <> v_pipeline.active_version then
    -- An old version: it need not even fit the target any more.
    return sluice._said_of_definition(v_pipeline, v_pipeline, p_version, '{}');
  end if;

  v_new.takes_meta := v_names.takes_meta;
  v_new.search_path := v_names.search_path;
  v_new.is_repeatable := sluice._is_repeatable(v_names.transform, v_names.search_path);
  v_new.columns := sluice._check_transform(
    p_name, v_names.transform, v_names.target, p_key, p_order_by, v_names.search_path);
  perform sluice._refuse_shared_children(p_name, v_names.target, v_also);
  perform sluice._refuse_strangers(p_name, v_owner, t), sluice._add_bookkeeping(p_name, t)
  from unnest(array[v_names.target] || array(select a.target from unnest(v_also) a)) t;
  if v_pipeline.pipeline_id is null then
    -- Also if the transaction has opened a batch before, which would otherwise check at once.
    set constraints sluice.pipelines_active_version_exists deferred;
    insert into sluice.pipelines (name, owner, target, source, active_version, max_bad_ratio)
    values (p_name, v_owner, v_names.target, v_said -> 'source', p_version, 0.1)
    returning * into v_pipeline;
    insert into sluice.etl_state (pipeline_id) values (v_pipeline.pipeline_id);
  end if;
  v_new.pipeline_id := v_pipeline.pipeline_id;
  v_is_active := v_pipeline.active_version = p_version
    or coalesce(p_activate, true) and (not v_is_same or v_before ->> 'activate' = 'false');
  perform sluice._register_version(v_pipeline, v_names.target, v_old, v_new, v_said, v_also, v_is_active);
  v_pipeline.target := v_names.target;
  if v_is_active and not (v_is_same and v_pipeline.active_version = p_version) then
    perform sluice._activate(v_pipeline, p_version);
    v_pipeline.active_version := p_version;
  end if;

  -- What is kept of none said everything anew (an engine before this one kept nothing).
  if p_version >= coalesce(v_newest, 0) then
    v_pipeline := sluice._change_pipeline(v_pipeline, p_version, (
      select coalesce(jsonb_object_agg(key, value), '{}')
      from jsonb_each(v_said - '{activate,deliver,also_deliver}'::text[])
      where value is distinct from v_before -> key));
  end if;
  v_pipeline := sluice._change_deliveries(v_pipeline, p_version, v_said_by_active, true);
  return sluice._said_of_definition(v_was, v_pipeline, p_version, v_said);
end
$$;

comment on function sluice._define_pipeline is
$$What define_pipeline does, once the caller's search_path cannot have a part in it any more.$$;
