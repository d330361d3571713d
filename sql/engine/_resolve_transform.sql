create or replace function sluice._resolve_transform(p_transform text, out function_oid oid, out takes_meta boolean)
language plpgsql stable
as $$
declare
  v_name text := regexp_replace(p_transform, '\(.*$', '');
  v_found text;
begin
  function_oid := pg_catalog.to_regprocedure(v_name || '(pg_catalog.jsonb)');
  takes_meta := false;
  if function_oid is null then
    function_oid := pg_catalog.to_regprocedure(v_name || '(pg_catalog.jsonb,pg_catalog.jsonb)');
    takes_meta := true;
  end if;
  if function_oid is null then
    select string_agg(p.oid::pg_catalog.regprocedure::text, ', ') into v_found
    from pg_catalog.pg_proc p
    where p.proname = (parse_ident(v_name))[cardinality(parse_ident(v_name))];
    raise exception using errcode = 'SL005',
      message = format('transform %s does not exist', p_transform),
      hint = format('create function %s(doc jsonb) returns table (...), or (doc jsonb, meta jsonb), before defining the pipeline', v_name)
        || coalesce('; functions of that name: ' || v_found, '');
  end if;
end
$$;

comment on function sluice._resolve_transform(text) is
  'The function f(jsonb) or f(jsonb, jsonb) of that name, looked up with the caller''s search_path, or SL005.';
