create or replace function sluice._resolve_transform(p_transform text, out function_oid oid, out takes_meta boolean)
language plpgsql stable
-- No search_path of its own: see define_pipeline.
as $$
declare
  v_name  text := regexp_replace(p_transform, '[(][^()"]*[)][[:space:]]*$', '');
  v_found text;
begin
  begin
    function_oid := pg_catalog.to_regprocedure(v_name || '(pg_catalog.jsonb)');
    takes_meta := false;
    if function_oid is null then
      function_oid := pg_catalog.to_regprocedure(v_name || '(pg_catalog.jsonb,pg_catalog.jsonb)');
      takes_meta := true;
    end if;
    select string_agg(p.oid::pg_catalog.regprocedure::text, ', ') into v_found
    from pg_catalog.pg_proc p
    where p.proname = (parse_ident(v_name))[cardinality(parse_ident(v_name))];
  exception
    when invalid_name or syntax_error or feature_not_supported or invalid_parameter_value then
      function_oid := null; -- not a name at all
  end;
  if function_oid is null then
    raise exception using errcode = 'SL005',
      message = format('transform %s does not exist', coalesce(p_transform, 'null')),
      hint = format('create function %s(doc jsonb) returns table (...), or (doc jsonb, meta jsonb), before defining the pipeline',
          coalesce(nullif(v_name, ''), 'shop.orders_v1'))
        || coalesce('; functions of that name: ' || v_found, '');
  end if;
  if (select p.prokind <> 'f' from pg_catalog.pg_proc p where p.oid = function_oid) then
    raise exception using errcode = 'SL005',
      message = format('transform %s is not a plain function', p_transform),
      hint = 'procedures, aggregates and window functions return no rows for a record: create function ...(doc jsonb) returns table (...)';
  end if;
end
$$;

comment on function sluice._resolve_transform(text) is
  'The function f(jsonb) or f(jsonb, jsonb) of that name, looked up with the caller''s search_path, or SL005.';
