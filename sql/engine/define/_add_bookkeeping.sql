create or replace function sluice._add_bookkeeping(p_pipeline text, p_target text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_column record;
  v_type   oid;
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
  end loop;
end
$$;

comment on function sluice._add_bookkeeping(text, text) is
$$Adds sluice_hash and sluice_batch to a target and says so: the only change the engine makes to a table of yours.$$;
