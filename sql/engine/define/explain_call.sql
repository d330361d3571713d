create or replace function sluice.explain_call(message text, out what text, out next text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_call     text[] := regexp_match(explain_call.message,
    '\msluice\.("[^"]+"|[a-z0-9_]+)\((.*)\)'); -- in whatever language
  v_given    text[] := array(
    select m[1] from regexp_matches(v_call[2], '(?:^|, )("[^"]+"|[a-z0-9_]+) => ', 'g') m);
  v_function pg_proc;
  v_takes    text[];
  v_strange  text[];
  v_lacks    text[];
begin
  if v_call is null then
    return;
  end if;
  select * into v_function from pg_proc p
  where p.pronamespace = 'sluice'::regnamespace and p.proname = trim(v_call[1], '"') and p.proname not like '\_%';
  if not found then
    what := format('the engine has no function %s', v_call[1]);
    next := 'it has ' || (
      select string_agg(p.proname, ', ' order by p.proname) from pg_proc p
      where p.pronamespace = 'sluice'::regnamespace and p.proname not like '\_%') || '; see the view sluice.manual';
    return;
  end if;
  v_takes := v_function.proargnames[:v_function.pronargs];
  v_strange := array(select g from unnest(v_given) g where trim(g, '"') <> all (v_takes));
  v_lacks := array(
    select t.name from unnest(v_takes) with ordinality t (name, place)
    where v_given <> '{}' and t.name <> all (v_given) and t.place <= v_function.pronargs - v_function.pronargdefaults);
  what := format('sluice.%s ', v_function.proname) || case
    when v_strange <> '{}' then 'has no argument ' || array_to_string(v_strange, ', ')
    when v_lacks <> '{}' then 'lacks ' || array_to_string(v_lacks, ', ')
    else format('does not take (%s)', v_call[2]) end;
  next := 'its arguments are ' || case when v_strange <> '{}' or v_lacks <> '{}'
    then array_to_string(v_takes, ', ') else pg_get_function_identity_arguments(v_function.oid) end
    || format('; select manual from sluice.manual where name = %L', v_function.proname);
end
$$;

comment on function sluice.explain_call(text) is
$$Explains PostgreSQL's message that an engine function does not exist: which argument is unknown, or missing. sluice
apply does so by itself.
Example: select * from sluice.explain_call('function sluice.define_pipeline(nme => unknown) does not exist')$$;
