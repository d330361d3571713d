-- Whether the row of a key is another than its batch wrote, in words; null if it is not, or nobody can tell.
create or replace function sluice._changed_by_hand(
  p_pipeline sluice.pipelines, p_batch_id bigint, p_columns text[], p_row_sql text, p_given jsonb)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_target  regclass := p_pipeline.target;
  v_version record;
  v_is_same boolean;
begin
  select t.columns, t.key, t.search_path, o.pipeline_id into v_version
  from sluice._all_batches() b
  join sluice.pipelines p on p.pipeline_id = b.pipeline_id
  join sluice.pipelines o on o.pipeline_id = coalesce(p.backfill_of, p.pipeline_id)
  cross join lateral sluice._versions_of_target(o.pipeline_id, p_pipeline.target) t
  where b.batch_id = p_batch_id and t.version = b.version;
  if not found or sluice._why_unreadable(p_pipeline.target, v_version.columns) is not null then
    return null;
  end if;
  perform set_config('search_path', v_version.search_path, true);
  execute format($sql$select %s from %s t
join (select batch_id, kind from sluice._all_batches()) b on b.batch_id = t.sluice_batch join %s k on %s$sql$,
    sluice._is_as_written_sql(v_target, v_version.columns, v_version.key, v_version.pipeline_id), v_target, p_row_sql,
    sluice._key_condition(v_target, p_columns, 't', 'k')) into v_is_same using p_given;
  return case when not v_is_same then 'changed by hand since its batch wrote it' end;
end
$$;

comment on function sluice._changed_by_hand(sluice.pipelines, bigint, text[], text, jsonb) is
  'Says of a row that it was edited behind the tool''s back.';
