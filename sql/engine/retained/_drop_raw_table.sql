create or replace function sluice._drop_raw_table(p_pipeline_id integer, p_day date)
returns bigint
language plpgsql volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_relation regclass := to_regclass(format('sluice.%I', format('raw_%s_%s', p_pipeline_id, to_char(p_day, 'YYYYMMDD'))));
  v_bytes    bigint := pg_total_relation_size(v_relation);
begin
  if v_relation is not null then
    -- Without waiting: who reads a table has it to the end of their transaction.
    execute format('lock table %s in access exclusive mode nowait', v_relation);
    execute format('drop table %s', v_relation);
  end if;
  return v_bytes;
end
$$;

comment on function sluice._drop_raw_table(integer, date) is
  'Drops the payloads that a pipeline retained on a day, with the rights of the engine''s owner (see _make_raw_table); returns their bytes. Raises 55P03 when somebody reads them.';
