create or replace function sluice._is_repeatable(p_function oid, p_search_path text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_function pg_catalog.pg_proc;
  v_tree     text;
begin
  select * into strict v_function from pg_catalog.pg_proc where oid = p_function;
  -- What meta says differs from batch to batch.
  if v_function.pronargs <> 1 then
    return false;
  end if;
  -- The word of its owner.
  if v_function.provolatile = 'i' then
    return true;
  end if;
  if v_function.prolang <> (select l.oid from pg_catalog.pg_language l where l.lanname = 'sql')
    or v_function.proconfig is not null
    -- Literals such as 'now' are gone from a parsed body.
    or v_function.prosrc ~* '\m(now|today|tomorrow|yesterday)\M' then
    return false;
  end if;

  v_tree := v_function.prosqlbody::text;
  if v_tree is null then
    -- Only a body of the newer form is kept parsed: let Postgres parse this one as such.
    if regexp_replace(v_function.prosrc, ';\s*$', '') ~ ';' then
      return false;
    end if;
    begin
      perform set_config('search_path', p_search_path, true);
      execute format(E'create function pg_temp.sluice_parsed(%s) returns %s language sql begin atomic\n%s\n;\nend',
        pg_catalog.pg_get_function_arguments(p_function), pg_catalog.pg_get_function_result(p_function),
        regexp_replace(v_function.prosrc, ';\s*$', ''));
      select p.prosqlbody::text into v_tree from pg_catalog.pg_proc p
      where p.proname = 'sluice_parsed' and p.pronamespace = pg_catalog.pg_my_temp_schema();
      raise exception using errcode = 'SL999', message = 'the parsed copy always rolls back';
    exception
      when sqlstate 'SL999' then
        null;
      when syntax_error_or_access_rule_violation or feature_not_supported then
        return false; -- cannot be written in that form
    end;
    perform set_config('search_path', 'pg_catalog, pg_temp', true);
  end if;
  return sluice._is_repeatable_tree(v_tree);
end
$$;

comment on function sluice._is_repeatable(oid, text) is
  'Whether a transform makes the same rows of the same payload whenever it is called. True for a function declared immutable, and for one in SQL that is built of nothing but immutable functions and those whose result depends only on settings that transform_batch fixes. When in doubt, false.';
