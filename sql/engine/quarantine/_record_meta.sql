create or replace function sluice._record_meta(p_ordinal integer, p_position bigint)
returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'origin', sluice._origin_of(b.origins, p_ordinal), 'position', p_position,
    'pipeline', b.pipeline, 'batch', b.batch_id, 'version', c.version, 'run_started_at', b.run_started_at)
  from pg_temp.sluice_batch b, pg_temp.sluice_compiled c
$$;

comment on function sluice._record_meta(integer, bigint) is
  'What a transform f(doc, meta) is told of a record: origin, position, pipeline, batch, version, run_started_at.';
