create or replace view sluice.manual as
select m.name, concat_ws(E'\n\n', sluice._wrapped(m.usage, 68), sluice._wrapped(m.about, 68)) as manual
from (
  select p.proname::text as name, concat(p.proname, '(', (
      select string_agg(concat(a.name, ' ', format_type(a.type, null), ' = '
        || regexp_replace(pg_get_function_arg_default(p.oid, a.place::integer), '::[a-z ]+(\[\])?', '', 'g')),
        ', ' order by a.place)
      from unnest(p.proargnames, coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes)
        with ordinality a (name, type, mode, place)
      where coalesce(a.mode, 'i') in ('i', 'b', 'v')), ') → ', pg_get_function_result(p.oid)) as usage,
    obj_description(p.oid, 'pg_proc') as about
  from pg_proc p
  where p.pronamespace = 'sluice'::regnamespace and p.proname not like '\_%'
  union all
  select c.relname::text, 'view: ' || (
      select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    obj_description(c.oid, 'pg_class')
  from pg_class c
  where c.relnamespace = 'sluice'::regnamespace and c.relkind = 'v' and c.relname not like '\_%') m
order by m.name;

comment on view sluice.manual is
$$What functions and views there are, how each is called, and what it does: all at once, or one of them with
select manual from sluice.manual where name = 'replay'$$;
