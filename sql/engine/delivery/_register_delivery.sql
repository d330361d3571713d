-- Notes where rows of a target are delivered from now on, and the body function as it is now, looked up under the path
-- of the version that says so.
create or replace function sluice._register_delivery(p_only sluice.pipelines, p_version_path text, p_was jsonb)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_function oid  := sluice._body_function(p_version_path, p_only);
  v_further  text := (select p_only.target from sluice.pipelines p
    where p.pipeline_id = p_only.pipeline_id and p.target <> p_only.target);
  v_route    integer;
  v_has_rows boolean;
begin
  v_route := case when v_further is null then 1 else coalesce(sluice._route(p_only), (
    select greatest(max(s.route), 1) + 1 from sluice.delivery_state s where s.pipeline_id = p_only.pipeline_id)) end;
  insert into sluice.delivery_state as s (pipeline_id, route, target, body_function, body_sha256, search_path)
  values (p_only.pipeline_id, v_route, v_further, sluice._qualified_function(v_function),
    sluice._function_sha256(v_function), p_version_path)
  on conflict (pipeline_id, route) do update set
    body_function = excluded.body_function, body_sha256 = excluded.body_sha256, search_path = excluded.search_path,
    accepted_at = case when p_only.deliver = p_was then s.accepted_at end;
  -- What was sent together before is not known as such where it goes now.
  update sluice.outbox o set parcel = null
  where (o.pipeline_id, o.route) = (p_only.pipeline_id, v_route) and o.state = 'in_flight'
    and p_only.deliver is distinct from p_was;
  if p_was is null then
    execute format('select exists (select 1 from %s t where t.sluice_batch is not null)', p_only.target)
      into v_has_rows;
    if v_has_rows then
      raise notice 'pipeline %: rows that are in % already are sent when they change; all of them now: '
        'sluice deliver % --all-rows%', p_only.name, p_only.target, p_only.name,
        coalesce(' --target ' || v_further, '');
    end if;
  end if;
end
$$;

comment on function sluice._register_delivery(sluice.pipelines, text, jsonb) is
  'Notes where rows of a target are delivered and by which body function. p_was: where they were before.';

-- Whether where rows go goes with a target and its key (SL005).
create or replace function sluice._check_delivery(p_only sluice.pipelines, p_key text[])
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_target oid  := to_regclass(p_only.target);
  v_where  text := format('pipeline %s: ', p_only.name);
  v_name   text;
begin
  perform sluice._refuse_unstable_key(p_only.name, 'deliver', v_target, p_key);
  select m[1] into v_name from regexp_matches(p_only.deliver ->> 'url', '[{]([^{}]*)[}]', 'g') m
  where m[1] <> all (p_key) limit 1;
  if found then
    raise exception using errcode = 'SL005',
      message = v_where || format('{%s} in the url of deliver is not a key column', v_name),
      hint = format('the key is %s', array_to_string(p_key, ', '));
  end if;
  perform sluice._check_delivered_columns(p_only, v_target, p_key);
  perform sluice._warn_of_changing_key(p_only, p_key);
end
$$;

-- Columns that are delivered without a body function are the target's, and the key is one of them.
create or replace function sluice._check_delivered_columns(p_pipeline sluice.pipelines, p_target oid, p_key text[])
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_columns text[] := array(select jsonb_array_elements_text(p_pipeline.deliver -> 'columns'));
  v_key     text[] := array(select jsonb_array_elements_text(nullif(p_pipeline.deliver -> 'key', 'null')));
  v_name    text;
begin
  select c into v_name
  from unnest(v_columns || case when p_pipeline.deliver ->> 'body' is null then v_key end) c where not exists (
    select from pg_attribute a
    where a.attrelid = p_target and a.attname = c and a.attnum > 0 and not a.attisdropped) limit 1;
  if found then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: deliver names column %I, which %s does not have', p_pipeline.name, v_name,
        p_target::regclass),
      hint = 'columns are those of the target, under whose names they are delivered; others take a body function';
  end if;
  select k into v_name from unnest(case when v_key = '{}' then p_key else v_key end) k
  where v_columns <> '{}' and k <> all (v_columns) limit 1;
  if found then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: the columns of deliver lack %I of the key', p_pipeline.name, v_name),
      hint = 'without its key a row is not found there: add it to columns';
  end if;
end
$$;

-- The function that makes the body, as seen by the path of a version; null where the row is the body.
create or replace function sluice._body_function(p_search_path text, p_pipeline sluice.pipelines)
returns oid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_name     text := p_pipeline.deliver ->> 'body';
  v_row      text := to_regclass(p_pipeline.target);
  v_function oid;
  v_found    pg_proc;
begin
  if v_name is null then
    return null;
  end if;
  begin
    perform pg_catalog.set_config('search_path', p_search_path, true);
    v_function := coalesce(pg_catalog.to_regprocedure(pg_catalog.format('%s(%s)', v_name, v_row)),
      pg_catalog.to_regprocedure(pg_catalog.format('%s(%s,pg_catalog.jsonb)', v_name, v_row)));
    perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  exception when invalid_name or syntax_error or feature_not_supported then
    null; -- not a name at all
  end;
  select * into v_found from pg_proc p where p.oid = v_function;
  if not found then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: the body function %s(%s) does not exist', p_pipeline.name, v_name, v_row),
      hint = format('create function %s(r %s) returns jsonb, or (r %2$s, meta jsonb), before it is used', v_name,
        v_row);
  elsif v_found.prokind <> 'f' or v_found.proretset
    or v_found.prorettype not in ('jsonb'::regtype, 'json'::regtype, 'text'::regtype) then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: the body function %s cannot make a body', p_pipeline.name,
        v_function::regprocedure),
      hint = 'it returns one jsonb, json or text: what is sent for the row, or null for nothing';
  end if;
  return v_function;
end
$$;
