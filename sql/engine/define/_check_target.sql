create or replace function sluice._check_target(p_pipeline text, p_target text, p_key text[], p_order_by text,
  p_columns text[])
returns oid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_target oid := to_regclass(p_target);
  v_class  pg_class;
  v_name   text;
  v_where  text := format('pipeline %s: ', p_pipeline);
  v_fault  text;
  v_hint   text;
begin
  if v_target is null then
    raise exception using errcode = 'SL005',
      message = v_where || format('target %s does not exist', p_target),
      hint = 'if it was renamed, rename it back; else create it, or name it with its schema in a definition';
  end if;
  select * into v_class from pg_class where oid = v_target;
  if v_class.relnamespace = 'sluice'::regnamespace then
    v_fault := 'is in the engine''s own schema';
    v_hint := 'keep your tables in a schema of yours; a role named sluice finds unqualified names there (search_path)';
  elsif v_class.relkind not in ('r', 'p') then
    v_fault := 'is not a table';
    v_hint := 'a target is an ordinary or a partitioned table';
  elsif v_class.relpersistence = 't' then
    v_fault := 'is temporary';
    v_hint := 'the loader''s sessions cannot see it: load a permanent table';
  elsif v_class.relpersistence = 'u' then
    v_fault := 'is unlogged: a crash of the server empties it, while the cursor stays';
    v_hint := format('alter table %s set logged', p_target);
  elsif sluice._is_reference_table(v_target) then
    v_fault := 'is a reference table, of which every server has a copy';
    v_hint := format('distribute it: select create_distributed_table(%L, %L); or load a table of the coordinator alone',
      p_target, p_key[1]);
  elsif v_class.relhasrules then
    v_fault := 'has rewrite rules, and merge refuses such tables';
    v_hint := 'turn the rules into triggers, or load another table';
  end if;
  if v_fault is not null then
    raise exception using errcode = 'SL005', message = v_where || format('target %s %s', p_target, v_fault),
      hint = v_hint;
  end if;

  foreach v_name in array p_columns || p_key loop
    if not exists (
      select from pg_attribute
      where attrelid = v_target and attname = v_name and attnum > 0 and not attisdropped
    ) then
      raise exception using errcode = 'SL005',
        message = v_where || format('target %s has no column %I', p_target, v_name),
        hint = 'its columns are ' || (
          select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
          where attrelid = v_target and attnum > 0 and not attisdropped);
    end if;
  end loop;
  foreach v_name in array p_key || array_remove(array[p_order_by], null) loop
    if v_name <> all (p_columns) then
      raise exception using errcode = 'SL005',
        message = v_where || format('the transform does not return %I, which is %s', v_name,
          case when v_name = any (p_key) then 'a key column' else 'the order_by column' end),
        hint = 'add it to the columns of the transform';
    end if;
  end loop;

  -- The key must be a key: without an index that forbids it, merge silently inserts duplicates.
  if not exists (
    select from pg_index i
    where i.indrelid = v_target and i.indisunique and i.indisvalid and i.indimmediate
      and i.indpred is null and i.indexprs is null
      and (select array_agg(a.attname::text order by a.attname::text)
           from pg_attribute a
           where a.attrelid = v_target and a.attnum = any (i.indkey[0:i.indnkeyatts - 1]))
        = (select array_agg(k order by k) from unnest(p_key) k)
  ) then
    raise exception using errcode = 'SL005',
      message = v_where || format('target %s has no unique index on exactly its key (%s)', p_target,
        array_to_string(p_key, ', ')),
      hint = format('alter table %s add primary key (%s); the index has to be valid, not partial and not deferrable',
        p_target, sluice._column_list(p_key));
  end if;
  select a.attname into v_name from pg_attribute a
  where a.attrelid = v_target and a.attname = any (p_key) and not a.attnotnull limit 1;
  if found then
    raise exception using errcode = 'SL005',
      message = v_where || format('key column %I of target %s may be null', v_name, p_target),
      hint = format('alter table %s alter column %I set not null', p_target, v_name)
        || '; a null never matches, so each run would insert it again';
  end if;

  select a.attname into v_name from pg_attribute a
  where a.attrelid = v_target and a.attname = any (p_columns)
    and (a.attgenerated <> '' or (a.attidentity = 'a' and a.attname <> all (p_key))) limit 1;
  if found then
    raise exception using errcode = 'SL005',
      message = v_where || format('column %I of target %s is generated and cannot be loaded', v_name, p_target),
      hint = 'leave it out of the transform';
  end if;
  select a.attname into v_name from pg_attribute a
  where a.attrelid = v_target and a.attnum > 0 and not a.attisdropped and a.attnotnull
    and not a.atthasdef and a.attidentity = '' and a.attname <> all (p_columns)
    and a.attname not in ('sluice_hash', 'sluice_batch')
    and not exists (select from pg_type t where t.oid = a.atttypid and t.typdefault is not null)
  limit 1;
  if found then
    raise exception using errcode = 'SL005',
      message = v_where
        || format('column %I of target %s is not null, has no default, and the transform does not return it', v_name,
          p_target),
      hint = 'return it from the transform or give it a default';
  end if;
  return v_target;
end
$$;

comment on function sluice._check_target(text, text, text[], text, text[]) is
$$Refuses (SL005) a target that is no table, lacks a column, or whose key is not exactly a valid unique index of not
null columns. Returns its oid. Run by define_pipeline and by every batch.$$;
