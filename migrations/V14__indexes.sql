-- Indexes by which an installation answers in its fifth year as it did in its first.

-- The open records of a pipeline in order, how many they are, and what its quarantine has seen in all.
create index quarantine_by_pipeline on sluice.quarantine (pipeline_id, status, quarantine_id) include (seen_count);
-- The records that made a key, for why.
create index quarantine_by_key on sluice.quarantine using gin (keys jsonb_path_ops) where keys is not null;
-- The latest batches of a pipeline, and the last one before a time.
create index batches_by_time on sluice.batches (pipeline_id, committed_at);
-- When rows were last found unchanged, which a replay asks.
create index batches_with_unchanged_rows on sluice.batches (pipeline_id, committed_at) where unchanged > 0;
-- The run that a loader left open when it died.
create index runs_without_outcome on sluice.runs (pipeline_id) where finished_at is null;
-- The files and objects that were begun, which every run asks for first.
create index source_objects_begun on sluice.source_objects (pipeline_id) where not is_done;
