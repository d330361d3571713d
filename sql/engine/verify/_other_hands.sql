create or replace function sluice._other_hands(p_target oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(what, ', ' order by what) from (
    select 'trigger ' || quote_ident(t.tgname) as what from pg_catalog.pg_trigger t
    where t.tgrelid = p_target and not t.tgisinternal and t.tgtype & 3 = 3 and t.tgenabled <> 'D' -- before, for each row
    union all
    select 'constraint ' || quote_ident(c.conname) from pg_catalog.pg_constraint c
    where c.conrelid = p_target and c.contype = 'f' and (c.confupdtype in ('c', 'n', 'd') or c.confdeltype in ('n', 'd'))
    union all
    select 'generated column ' || quote_ident(a.attname) from pg_catalog.pg_attribute a
    where a.attrelid = p_target and a.attgenerated <> '' and not a.attisdropped) found
$$;

comment on function sluice._other_hands(oid) is
  'What may change rows of a target besides the statements of its writers: triggers before row, foreign keys that cascade, generated columns.';
