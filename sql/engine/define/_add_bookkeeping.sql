create or replace function sluice._add_bookkeeping(p_pipeline text, p_target text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_column record;
  v_type   oid;
  v_is_new boolean := false;
begin
  for v_column in
    select * from (values ('sluice_hash', 'bytea'), ('sluice_batch', 'bigint')) as c (name, type)
  loop
    select a.atttypid into v_type from pg_attribute a
    where a.attrelid = to_regclass(p_target) and a.attname = v_column.name and not a.attisdropped;
    if v_type = v_column.type::regtype then
      continue;
    elsif v_type is not null then
      raise exception using errcode = 'SL005',
        message = format('pipeline %s: target %s has a column %s of type %s', p_pipeline, p_target, v_column.name,
          v_type::regtype),
        hint = format('rename it; the engine needs %s %s', v_column.name, v_column.type);
    end if;
    begin
      execute format('alter table %s add column %I %s', p_target, v_column.name, v_column.type);
    exception when insufficient_privilege then
      raise exception using errcode = 'SL005',
        message = format('pipeline %s: %s may not add column %s to target %s', p_pipeline, current_user, v_column.name,
          p_target),
        hint = format('ask the owner: alter table %s add column sluice_hash bytea, add column sluice_batch bigint',
          p_target);
    end;
    raise notice 'pipeline %: added column % % to % (bookkeeping: %)', p_pipeline, v_column.name, v_column.type,
      p_target,
      case v_column.name when 'sluice_hash' then 'hash of the loaded columns'
        else 'the batch that last wrote the row' end;
    v_is_new := true;
  end loop;
  if not v_is_new then
    perform sluice._note_unknown_rows(p_target);
  end if;
end
$$;

comment on function sluice._add_bookkeeping(text, text) is
  'Adds sluice_hash and sluice_batch to a target and says so: the only change the engine makes to a table of yours.';

-- Rows that name batches before any current pipeline has loaded the target came with it: for example from a copy of
-- the table. Their numbers must not be assigned again.
create or replace function sluice._note_unknown_rows(p_target text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known int8multirange := coalesce((
    select range_agg(r.ids) from sluice.unknown_batches u cross join lateral unnest(u.batch_ids) r (ids)
    where u.target = p_target), '{}');
  v_found record;
begin
  if exists (select from sluice.pipelines p where sluice._loads(p, p_target)) then
    return;
  end if;
  execute format('select max(t.sluice_batch) as last, bool_or(not t.sluice_batch <@ $1) as is_news from %s t', p_target)
    into v_found using v_known;
  perform sluice._pass_batch_id(p_target, v_found.last);
  if v_found.is_news then
    insert into sluice.unknown_batches (target, batch_ids)
    values (p_target, int8multirange(int8range(0, v_found.last, '[]')));
  end if;
end
$$;

-- With the rights of the engine's owner, as all pipelines take their numbers from there; only upwards.
create or replace function sluice._pass_batch_id(p_target text, p_batch_id bigint)
returns void
language plpgsql volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_last bigint := (select s.last_value from sluice.batch_id s);
begin
  -- Otherwise a table could use up the numbers of all pipelines.
  if p_batch_id - v_last > 1000000000000 then
    raise exception using errcode = 'SL005',
      message = format('target %s names batch %s in sluice_batch, and no engine has come that far', p_target,
        p_batch_id),
      hint = format('update %s set sluice_batch = null, sluice_hash = null where sluice_batch = %s', p_target,
        p_batch_id);
  elsif p_batch_id >= v_last then
    perform setval('sluice.batch_id', p_batch_id);
  end if;
end
$$;
