-- Two versions over the same records. For each batch of them first one version, whose tables get
-- the suffix _a, then the other; then both results are laid side by side.
--
-- Everything happens in a subtransaction that is rolled back: what a function has returned is no
-- part of it. Nothing is merged, so the target is only read.
create or replace function sluice._compare(
  p_pipeline sluice.pipelines, p_version_a integer, p_version_b integer, p_last_batches integer, p_samples integer)
returns table (
  outcome_a text, outcome_b text, is_same boolean, records bigint,
  batch bigint, origin text, "position" bigint, error_a text, error_b text, changes jsonb, payload text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
set work_mem = '64MB' -- the rows of one batch
set jit = off
set client_min_messages = warning
as $$
declare
  v_batches bigint[];
  v_ids     bigint[];
  v_part    record;
begin
  if p_last_batches < 0 then
    raise exception using errcode = 'SL005', message = format('last_batches %s is negative', p_last_batches),
      hint = '20 is the default; 0 compares over open quarantine alone';
  end if;
  v_batches := array(select c.batch_id from sluice._raw_counts(p_pipeline.pipeline_id, null) c order by c.batch_id desc limit p_last_batches);
  v_ids := array(select sluice.find_quarantined(p_pipeline.name));
  if v_batches = '{}' and v_ids = '{}' then
    raise exception using errcode = 'SL005', message = format('pipeline %s has no records to compare over: none are retained, and quarantine is empty', p_pipeline.name),
      hint = sluice._retained_hint(p_pipeline);
  end if;
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  begin
    for v_part in
      select b.id as batch_id, null::bigint[] as ids from unnest(v_batches) b (id)
      union all
      select null, v_ids[n : n + 9999] from generate_series(1, cardinality(v_ids), 10000) n
      order by batch_id
    loop
      perform sluice._try_version(p_pipeline, p_version_a, v_part.batch_id, v_part.ids);
      drop table if exists pg_temp.sluice_rows_a, pg_temp.sluice_faults_a, pg_temp.sluice_outcomes_a;
      alter table pg_temp.sluice_rows rename to sluice_rows_a;
      delete from pg_temp.sluice_versions v using pg_temp.sluice_batch b where v.fingerprint = b.fingerprint;
      alter table pg_temp.sluice_outcomes rename to sluice_outcomes_a;
      create temporary table sluice_faults_a on commit drop as select * from pg_temp.sluice_faults;
      perform sluice._try_version(p_pipeline, p_version_b, v_part.batch_id, v_part.ids);
      return query execute sluice._compare_sql() using p_samples, v_part.batch_id;
      drop table pg_temp.sluice_outcomes;
    end loop;
    raise exception using errcode = 'SL999', message = 'a comparison always rolls back';
  exception when sqlstate 'SL999' then
    null;
  end;
end
$$;

comment on function sluice._compare(sluice.pipelines, integer, integer, integer, integer) is
  'Puts the records of the last retained batches and of open quarantine through two versions. Of each batch one line for every pair of outcomes, with its number of records; and of the records that do not come out the same, so many for each pair (p_samples; null: all), without a number.';
