create or replace function sluice._check_parent(
  p_where text, p_first text, p_first_key text[], p_also sluice.also_targets)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v       record;
  v_fault text;
  v_hint  text;
begin
  if cardinality(p_also.parent) <> cardinality(p_first_key) then
    raise exception using errcode = 'SL005',
      message = p_where || format('parent of %s is (%s), and the key of %s is (%s)', p_also.target,
        array_to_string(p_also.parent, ', '), p_first, array_to_string(p_first_key, ', ')),
      hint = 'parent => the columns that hold that key, in its order';
  end if;
  for v in
    select k.of_first, k.of_child, c.atttypid as child_type, f.base_type as first_base, b.base_type as child_base,
      k.of_child = any (p_also.columns) as is_made
    from unnest(p_first_key, p_also.parent) as k (of_first, of_child)
    join pg_attribute a on a.attrelid = to_regclass(p_first) and a.attname = k.of_first
    cross join lateral sluice._base_type(a.atttypid, a.atttypmod) f
    left join pg_attribute c on c.attrelid = to_regclass(p_also.target) and c.attname = k.of_child and c.attnum > 0
    left join lateral sluice._base_type(c.atttypid, c.atttypmod) b on c.attname is not null
  loop
    if not v.is_made then
      v_fault := format('transform %s does not return %I, which names the parent', p_also.function, v.of_child);
      v_hint := format('return the %I of the row of %s to which the row belongs', v.of_first, p_first);
    elsif v.child_base <> v.first_base then
      v_fault := format('%I of %s is %s, and %I of %s, its parent, %s', v.of_child, p_also.target,
        v.child_base::regtype, v.of_first, p_first, v.first_base::regtype);
      v_hint := 'give both columns the same type';
    end if;
    if v_fault is not null then
      raise exception using errcode = 'SL005', message = p_where || v_fault, hint = v_hint;
    end if;
  end loop;
  -- It is looked up for every parent of every batch.
  if p_also.children = 'replace' and not exists (
    select from pg_index i
    where i.indrelid = to_regclass(p_also.target) and i.indisvalid and i.indpred is null and (
      select array_agg(a.attname::text order by a.attname) from pg_attribute a
      where a.attrelid = i.indrelid and a.attnum = any (i.indkey[0:cardinality(p_also.parent) - 1]))
      = array(select p from unnest(p_also.parent) p order by p))
  then
    raise exception using errcode = 'SL005',
      message = p_where || format('target %s has no index by which the children of a parent are found', p_also.target),
      hint = format('create index on %s (%s)', p_also.target, sluice._column_list(p_also.parent));
  end if;
end
$$;

comment on function sluice._check_parent(text, text, text[], sluice.also_targets) is
  'Refuses (SL005) columns by which children could not name their parent.';
