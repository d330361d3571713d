-- Closed records from before a time, which every run asks for where history is retained for a time only.
create index quarantine_closed on sluice.quarantine (pipeline_id, closed_at) where closed_at is not null;
-- Names are bytes, as systems and stores have them: to look one up takes half of what it takes in the order of a language.
alter table sluice.source_objects alter column object type text collate "C";
analyze sluice.source_objects; -- its statistics go with the change
