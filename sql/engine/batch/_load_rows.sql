create or replace function sluice._load_rows(p_ledger sluice.batches)
returns sluice.batches
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  v_ledger        sluice.batches := p_ledger;
  v_batch         record;
  v_merged        record;
  v_counted       record;
  v_known         record;
  v_yielded       record;
  v_suspects      integer[];
  v_check         text;
  v_is_as_counted boolean;
begin
  select * into strict v_batch from pg_temp.sluice_batch, pg_temp.sluice_compiled;
  v_known := sluice._confirm_known(v_batch.target, v_batch.filenode);
  v_is_as_counted := v_known.is_as_before;
  -- Parents may have arrived since the transform looked: in batches committed meanwhile.
  select array_agg(f.ordinal) into v_suspects from pg_temp.sluice_faults f where f.is_suspect;
  if v_suspects is not null then
    v_is_as_counted := false;
    delete from pg_temp.sluice_faults where is_suspect;
    update pg_temp.sluice_rows set sluice_state = null where sluice_ordinal = any (v_suspects);
    foreach v_check in array v_batch.reference_checks loop
      perform sluice._check_reference(v_check, v_suspects);
    end loop;
    perform sluice._mark_faulty_rows();
    perform sluice._mark_superseded_rows(v_batch.superseded_sql);
  end if;
  v_yielded := sluice._yield_known(v_batch.matched_sql);
  if not v_yielded.is_as_before then
    v_is_as_counted := false;
    v_known.rows := v_yielded.rows;
  end if;

  v_merged := sluice._merge_rows(v_batch.batch_id);
  -- The transform's counts hold as long as no record left the batch or came back.
  if v_is_as_counted and (select count(*) from pg_temp.sluice_faults) = v_batch.quarantined then
    v_counted := v_batch;
  else
    v_counted := sluice._count_records(v_batch.staged);
  end if;

  v_ledger.batch_id    := v_batch.batch_id;
  v_ledger.pipeline_id := v_batch.pipeline_id;
  v_ledger.kind        := v_batch.kind;
  v_ledger.version     := v_batch.version;
  v_ledger.started_at  := v_batch.started_at;
  v_ledger.origins     := v_batch.origins;
  v_ledger.extracted   := v_counted.extracted;
  v_ledger.transformed := v_counted.transformed;
  v_ledger.filtered    := v_counted.filtered;
  v_ledger.quarantined := v_counted.quarantined;
  v_ledger.produced    := v_counted.produced;
  v_ledger.inserted    := v_merged.inserted;
  v_ledger.updated     := v_merged.updated;
  v_ledger.deleted     := v_merged.deleted;
  v_ledger.unchanged   := v_merged.unchanged + v_known.rows;
  v_ledger.stale       := v_merged.stale + v_merged.outdated;
  -- Of several records with the same row the last is the one that counts.
  v_ledger.superseded  := v_counted.superseded + v_counted.known - v_known.rows;
  v_ledger.known       := v_counted.known;

  if v_batch.kind = 'load' and v_batch.made_for is not null then
    perform sluice._remember(v_batch.pipeline_id, v_batch.made_for, v_counted.transformed = v_counted.produced, v_batch.remember_sql, v_merged.places);
  end if;
  return v_ledger;
end
$$;

comment on function sluice._load_rows(sluice.batches) is
  'Merges the open batch into its target, which the caller has locked, and returns p_ledger with the counters.';
