-- The further targets of a definition, each looked up and checked like the first one, and fit to hold its children.
create or replace function sluice._also_of_definition(
  p_search_path text, p_name text, p_first record, p_key text[], p_also jsonb[])
returns sluice.also_targets[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_where text := format('pipeline %s: ', p_name);
  v_given jsonb;
  v_names record;
  v       sluice.also_targets;
  v_also  sluice.also_targets[] := '{}';
begin
  foreach v_given in array coalesce(p_also, '{}') loop
    if not coalesce(v_given ?& '{transform,target,key,parent,children}', false) then
      raise exception using errcode = 'SL005', message = v_where || format('also cannot be %s', v_given),
        hint = 'also => array[sluice.also_target(transform => ..., target => ..., key => ..., parent => ...)]';
    end if;
    v_names := sluice._names_of_definition(p_search_path, p_name, v_given ->> 'transform', v_given ->> 'target');
    v.version := null;
    v.number := cardinality(v_also) + 2;
    v.target := v_names.target;
    v.takes_meta := v_names.takes_meta;
    v.function := sluice._qualified_function(v_names.transform);
    v.function_text := sluice._function_text(v_names.transform);
    v.sha256 := sluice._transform_sha256(v_names.transform);
    v.key := array(select jsonb_array_elements_text(nullif(v_given -> 'key', 'null')));
    v.parent := array(select jsonb_array_elements_text(nullif(v_given -> 'parent', 'null')));
    v.children := v_given ->> 'children';
    perform sluice._refuse_also(v_where, p_first, v_names, v, v_also);
    v.columns := sluice._check_transform(p_name, v_names.transform, v.target, v.key, null, v_names.search_path);
    perform sluice._check_parent(v_where, p_first.target, p_key, v);
    v_also := v_also || v;
  end loop;
  return v_also;
end
$$;

comment on function sluice._also_of_definition(text, text, record, text[], jsonb[]) is
$$What also of a definition says, as sluice.also_targets, but for pipeline and version (SL005 when it makes no sense).
p_first: the names of the first target and transform; p_key: its key.$$;

-- Where the further targets of a definition deliver, by target; empty where none does.
create or replace function sluice._deliver_of_also(p_targets text[], p_also jsonb[])
returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_object_agg(a.target, sluice._checked('delivery', a.given -> 'deliver')), '{}')
  from unnest(p_targets, p_also) a (target, given) where a.given ? 'deliver'
$$;

create or replace function sluice._refuse_also(
  p_where text, p_first record, p_names record, p_also sluice.also_targets, p_before sluice.also_targets[])
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_fault text;
  v_hint  text;
begin
  if p_also.key = '{}' then
    v_fault := format('target %s has no key', p_also.target);
    v_hint := 'key => ''{order_id,line_no}'', the columns of its primary key or of another unique index';
  elsif p_also.children is null or p_also.children not in ('keep', 'replace') then
    v_fault := format('children of %s cannot be %s', p_also.target, coalesce(quote_literal(p_also.children), 'null'));
    v_hint := 'keep what a newer record no longer makes, or replace it';
  elsif p_also.target = p_first.target or exists (select from unnest(p_before) b where b.target = p_also.target) then
    v_fault := format('target %s is named twice', p_also.target);
    v_hint := 'one transform makes all rows of a target';
  elsif sluice._input_type(p_names.transform) is distinct from sluice._input_type(p_first.transform) then
    v_fault := format('transform %s takes something else than %s', p_also.function, p_first.transform::regprocedure);
    v_hint := 'all transforms of a pipeline take the document (doc jsonb), or a row of the same type';
  end if;
  if v_fault is not null then
    raise exception using errcode = 'SL005', message = p_where || v_fault, hint = v_hint;
  end if;
end
$$;

-- What is newer has to be decided in one place: no other pipeline may write to a table of children.
create or replace function sluice._refuse_shared_children(p_pipeline text, p_target text, p_also sluice.also_targets[])
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v record;
begin
  select p.name, x.target into v
  from sluice.pipelines p
  left join sluice.also_targets a using (pipeline_id)
  cross join lateral (
    select a.target where a.target = p_target
    union all
    select b.target from unnest(p_also) b where b.target in (p.target, a.target)) x
  where sluice._live_name(p.name) <> p_pipeline limit 1;
  if found then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: target %s is loaded by pipeline %s, too, where one of them loads it as children',
        p_pipeline, v.target, v.name),
      hint = format('a table of children belongs to one pipeline; if this one takes it over: select '
        'sluice.drop_pipeline(%L), which leaves its rows', v.name);
  end if;
end
$$;
