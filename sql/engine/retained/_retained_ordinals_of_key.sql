-- Looks for the records that made a key among the retained payloads of a batch, by putting them through the batch's
-- version again; changes nothing. The one that counted comes first. p_columns, p_row_sql: from _typed_key.
create or replace function sluice._retained_ordinals_of_key(
  p_batch sluice.batches, p_key jsonb, p_columns text[], p_row_sql text, p_target oid default null)
returns integer[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines;
  v_compiled record;
  v_ordinals integer[] := '{}';
begin
  -- For a backfill the pipeline itself, which has its payloads.
  select o.* into strict v_pipeline from sluice.pipelines p
    join sluice.pipelines o on o.pipeline_id = coalesce(p.backfill_of, p.pipeline_id)
  where p.pipeline_id = p_batch.pipeline_id;
  begin
    perform sluice._open_batch(v_pipeline, p_batch.version, null, 'replay', 'arrival_only');
    select c.target, c.columns, c.rows_table::regclass into v_compiled from pg_temp.sluice_targets c
    where c.target = p_target or p_target is null and c.number = 1;
    if p_columns <@ v_compiled.columns and sluice._stage_retained(v_pipeline.pipeline_id,
      coalesce(p_batch.reloads, p_batch.batch_id)) > 0 then
      perform sluice.transform_batch(p_batch.origins);
      execute format($sql$select coalesce(array_agg(s.sluice_ordinal
  order by s.sluice_state is not null, s.sluice_ordinal desc), '{}')
from %s s join %s k on %s$sql$,
        v_compiled.rows_table, p_row_sql, sluice._key_condition(v_compiled.target, p_columns, 's', 'k'))
        into v_ordinals using p_key;
    end if;
    raise exception using errcode = 'SL999', message = 'a search always rolls back';
  exception when sqlstate 'SL999' then
    null;
  end;
  return v_ordinals;
end
$$;

comment on function sluice._retained_ordinals_of_key(sluice.batches, jsonb, text[], text, oid) is
$$Which records of a batch made a key, of those whose payloads are retained. p_target: of that target, not of the
first.$$;
