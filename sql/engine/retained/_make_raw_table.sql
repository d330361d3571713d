-- The table for the payloads that a pipeline retains on a day (UTC). One a pipeline and day, so that getting rid of a
-- day costs nothing; no partitions of one table, as making and dropping a partition locks the whole: a dry run would
-- hold up every other pipeline, and each prune every batch. Operators may not create or drop tables in the engine's
-- schema: these triggers run with the rights of its owner, for a row of sluice.raw_days that row security
-- lets the caller write.
create or replace function sluice._make_raw_table()
returns trigger
language plpgsql volatile
security definer
set search_path = pg_catalog, pg_temp
set client_min_messages = warning
as $$
declare
  v_table text := sluice._raw_table(new.pipeline_id, new.retained_on);
begin
  execute format('create table if not exists %s (like sluice.raw_chunks including all)', v_table);
  execute format('comment on table %s is %L', v_table, format('Payloads of pipeline %s, retained on %s (UTC).',
    (select p.name from sluice.pipelines p where p.pipeline_id = new.pipeline_id),
    to_char(new.retained_on, 'YYYY-MM-DD')));
  perform sluice._guard_table(v_table);
  if to_regrole('sluice_reader') is not null then
    execute format('grant select on %s to sluice_reader', v_table);
  end if;
  if to_regrole('sluice_operator') is not null then
    execute format('grant select, insert on %s to sluice_operator', v_table);
  end if;
  return null;
end
$$;

comment on function sluice._make_raw_table() is
  'Makes the table of a day of retained payloads, for its row in sluice.raw_days.';

-- Raises 55P03 if somebody is reading it.
create or replace function sluice._drop_raw_table()
returns trigger
language plpgsql volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_table text := sluice._raw_table(old.pipeline_id, old.retained_on);
begin
  if to_regclass(v_table) is not null then
    -- Without waiting: whoever reads a table holds it until their transaction ends.
    execute format('lock table %s in access exclusive mode nowait', v_table);
    execute format('drop table %s', v_table);
  end if;
  return old;
end
$$;

create or replace function sluice._raw_table(p_pipeline_id integer, p_day date)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format('sluice.raw_%s_%s', p_pipeline_id, to_char(p_day, 'YYYYMMDD'))
$$;
