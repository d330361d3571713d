create or replace function sluice._key_condition(p_target oid, p_key text[], p_left text, p_right text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- plpgsql keeps the plan; a compilation asks ten times.
begin
  return (
    select string_agg(format('%s.%I %s %s.%2$I', p_left, k, sluice._operator(p_target, k, 3), p_right), ' and '
      order by n)
    from unnest(p_key) with ordinality as keys (k, n));
end
$$;

comment on function sluice._key_condition(oid, text[], text, text) is
  'Whether two rows, given by their aliases, have the same key.';

-- The operator that compares values of a column (btree strategy 1: <, 2: <=, 3: =, 4: >=), qualified.
create or replace function sluice._operator(p_class oid, p_column text, p_strategy integer)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- plpgsql keeps the plan; a compilation asks a dozen times.
declare
  v_schema text := 'pg_catalog';
  v_type   oid  := (
    select (sluice._base_type(a.atttypid, a.atttypmod)).base_type from pg_attribute a
    where a.attrelid = p_class and a.attname = p_column and not a.attisdropped);
begin
  -- Under the engine's search_path "citext = citext" would find text = text. A type of an extension
  -- names its operators in its default btree operator class; those of all other types are
  -- built in.
  if v_type >= 16384 then
    v_schema := coalesce((
      select n.nspname
      from pg_opclass c
      join pg_am m on m.oid = c.opcmethod and m.amname = 'btree'
      join pg_amop p on p.amopfamily = c.opcfamily and p.amoplefttype = c.opcintype
        and p.amoprighttype = c.opcintype
      join pg_operator o on o.oid = p.amopopr
      join pg_namespace n on n.oid = o.oprnamespace
      where c.opcintype = v_type and c.opcdefault and p.amopstrategy = p_strategy), v_schema);
  end if;
  return format('operator(%I.%s)', v_schema, ('{<,<=,=,>=}'::text[])[p_strategy]);
end
$$;

-- Whether a row s of the batch is older than the target's row t. Without order_by the later arrival is the newer.
create or replace function sluice._stale_condition(p_target oid, p_order_by text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case when p_order_by is null then 'false'
    else format('coalesce(s.%1$I %2$s t.%1$I, s.%1$I is null and t.%1$I is not null)', p_order_by,
      sluice._operator(p_target, p_order_by, 1)) end
$$;
