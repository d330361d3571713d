create or replace function sluice._find_record(
  p_batch sluice.batches, p_key jsonb, p_columns text[], p_row_sql text,
  out origin text, out "position" bigint, out payload text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines;
  v_compiled record;
  v_ordinal  integer;
begin
  -- Of a backfill the pipeline itself, which has its payloads.
  select o.* into strict v_pipeline from sluice.pipelines p join sluice.pipelines o on o.pipeline_id = coalesce(p.backfill_of, p.pipeline_id)
  where p.pipeline_id = p_batch.pipeline_id;
  begin
    perform sluice._open_batch(v_pipeline, p_batch.version, null, 'replay', 'arrival_only');
    select c.target, c.columns into v_compiled from pg_temp.sluice_compiled c;
    if p_columns <@ v_compiled.columns and sluice._stage_retained(v_pipeline.pipeline_id, coalesce(p_batch.reloads, p_batch.batch_id)) > 0 then
      perform sluice.transform_batch(p_batch.origins);
      -- Of several records the one that counted.
      execute format('select s.sluice_ordinal from pg_temp.sluice_rows s join %s k on %s order by s.sluice_state is not null, s.sluice_ordinal desc limit 1',
        p_row_sql, sluice._key_condition(v_compiled.target, p_columns, 's', 'k')) into v_ordinal using p_key;
      -- A copy: what lies in a temporary table is gone in a moment.
      select sluice._origin_of(p_batch.origins, s.ordinal), s.position, s.payload || '' into origin, "position", payload
      from pg_temp.sluice_staging s where s.ordinal = v_ordinal;
    end if;
    raise exception using errcode = 'SL999', message = 'a search always rolls back';
  exception when sqlstate 'SL999' then
    null;
  end;
end
$$;

comment on function sluice._find_record(sluice.batches, jsonb, text[], text) is
  'Looks for the record that made a key among the retained payloads of a batch, by putting them through the batch''s version again; changes nothing. Nulls where there is none. p_columns, p_row_sql: of _typed_key.';
