-- The names of a definition as its author sees them: only the look-ups run under that path.
create or replace function sluice._names_of_definition(
  p_search_path text, p_name text, p_transform text, p_target text,
  out target text, out transform oid, out takes_meta boolean, out search_path text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_function text := regexp_replace(p_transform, '[(][^()"]*[)][[:space:]]*$', '');
  v_doc      text := v_function || '(pg_catalog.jsonb)';
  v_doc_meta text := v_function || '(pg_catalog.jsonb,pg_catalog.jsonb)';
  v_schemas  name[];
  v_target   regclass;
  v_of_doc   regprocedure;
  v_of_both  regprocedure;
  v_is_bare  boolean := v_function = p_transform;
  v_only     regprocedure;
  v_found    text;
begin
  begin
    perform pg_catalog.set_config('search_path', p_search_path, true);
    v_schemas := pg_catalog.current_schemas(false);
    v_target := pg_catalog.to_regclass(p_target);
    v_of_doc := pg_catalog.to_regprocedure(v_doc);
    v_of_both := pg_catalog.to_regprocedure(v_doc_meta);
    -- With a type that only the author knows: by its arguments, if they are given, or as the only one with its name.
    if v_is_bare then
      v_only := pg_catalog.to_regproc(v_function);
    else
      v_only := pg_catalog.to_regprocedure(p_transform);
    end if;
    perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    select string_agg(p.oid::regprocedure::text, ', ') into v_found from pg_proc p
    where p.proname = (parse_ident(v_function))[cardinality(parse_ident(v_function))];
  exception when invalid_name or syntax_error or feature_not_supported or invalid_parameter_value
    or undefined_object then
    null; -- not a name at all
  end;
  target := sluice._qualified_name(v_target);
  if target is null then
    raise exception using errcode = 'SL005', hint = 'create the table first, or name it with its schema',
      message = format('pipeline %s: target %s does not exist', p_name, coalesce(p_target, 'null'));
  end if;
  transform := case when not v_is_bare and sluice._input_type(v_only) is not null then v_only
    else coalesce(v_of_doc, v_of_both, case when sluice._input_type(v_only) is not null then v_only end) end;
  takes_meta := (select p.pronargs > 1 from pg_proc p where p.oid = transform);
  if (select p.pronargs > 2 or takes_meta and p.proargtypes[1] <> 'jsonb'::regtype
      from pg_proc p where p.oid = transform) then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: transform %s takes more than a record', p_name, transform::regprocedure),
      hint = 'beside the row of a record it may take meta jsonb, and nothing else';
  end if;
  if transform is null then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: transform %s does not exist', p_name, coalesce(p_transform, 'null')),
      hint = format('create function %s(doc jsonb) returns table (...) before it is used; or (r some_type), with the '
          'fields of a record as its columns; meta jsonb may follow',
        coalesce(nullif(v_function, ''), 'shop.orders_v1')) || coalesce('; functions of that name: ' || v_found, '');
  elsif (select p.prokind <> 'f' from pg_proc p where p.oid = transform) then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: transform %s is not a plain function', p_name, p_transform),
      hint = 'procedures, aggregates and window functions return no rows for a record: '
        'create function ...(doc jsonb) returns table (...)';
  end if;
  -- Built-in names come first, whatever the author's path: the hash is made with them.
  search_path := concat_ws(', ', (
    select string_agg(quote_ident(s), ', ') from unnest(v_schemas) s where not starts_with(s, 'pg_temp')
      and s <> 'pg_catalog'),
    'pg_temp');
end
$$;

comment on function sluice._names_of_definition(text, text, text, text) is
  'Transform and target of a definition, looked up as its author sees them, and the path for the version to keep.';
