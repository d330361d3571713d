create or replace function sluice._retained_hint(p_pipeline sluice.pipelines)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when count(*) > 0 then format('retained are batches %s to %s, since %s (select * from sluice.retained(%L))', min(r.first_batch), max(r.last_batch), min(r.retained_on), p_pipeline.name)
    when p_pipeline.retain_raw is null then 'nothing is retained: define_pipeline(..., retain_raw => ''7 days'') keeps the payloads of batches to come; what came before can be read again by a rewind or a backfill'
    else format('nothing is retained yet: the payloads of batches to come are kept for %s', p_pipeline.retain_raw) end
  from sluice.retained(p_pipeline.name) r
$$;

comment on function sluice._retained_hint(sluice.pipelines) is
  'What is retained of a pipeline, for errors about what is not.';
