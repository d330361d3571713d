create or replace function sluice._snapshot_fault(p_pipeline sluice.pipelines, p_snapshot sluice.snapshots)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_entry   sluice.batches;
  v_records bigint;
begin
  if p_snapshot.pipeline_id is null then
    return 'it brought nothing';
  end if;
  if p_snapshot.spoilt_by is not null then
    return p_snapshot.spoilt_by;
  end if;
  select * into v_entry from sluice.batches b
  where b.pipeline_id = p_pipeline.pipeline_id and b.batch_seq >= p_snapshot.first_seq and b.kind <> 'load'
  order by b.batch_seq limit 1;
  if found then
    return format('there was a %s in the middle of it', v_entry.kind);
  end if;
  if p_snapshot.made_for <> sluice._snapshot_made_for(p_pipeline.pipeline_id, p_pipeline.active_version) then
    return 'the pipeline was defined anew in the middle of it';
  end if;
  -- The row of a record in quarantine would look missing. A replay that loads it notes its key.
  select count(*) into v_records from sluice.quarantine q
  join sluice.batches b on b.batch_id = q.last_batch_id
  where q.pipeline_id = p_pipeline.pipeline_id and q.status in ('open', 'discarded') and b.batch_seq >= p_snapshot.first_seq;
  if v_records > 0 then
    return format('records of it in quarantine: %s', v_records);
  end if;
  if not exists (
    select from sluice.snapshot_keys k where k.pipeline_id = p_pipeline.pipeline_id and not k.is_from_elsewhere) then
    return 'it brought no row at all';
  end if;
  return null;
end
$$;

comment on function sluice._snapshot_fault(sluice.pipelines, sluice.snapshots) is
  'Why nothing can be concluded from a snapshot that has come to its end; null if it is sound.';
