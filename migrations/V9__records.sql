-- When a record arrived that a replay has loaded, by the key of its row: a later replay asks for that, of every row.
create table sluice.replayed_keys (
  batch_id   bigint      not null,
  key_hash   bytea       not null,
  arrived_at timestamptz not null,
  read_by    integer,
  constraint replayed_keys_pkey primary key (batch_id, key_hash),
  constraint replayed_keys_belong_to_a_batch
    foreign key (batch_id) references sluice.batches on delete cascade
);

create index replayed_keys_to_note on sluice.replayed_keys (batch_id) where key_hash = '';

comment on table sluice.replayed_keys is
  'The keys of the records that each replay has dealt with, and when the last record with that key had arrived. An empty key_hash stands for a replay whose keys are still to be noted, see sluice._note_replayed_keys.';
comment on column sluice.replayed_keys.key_hash is
  'The key in bytes that no setting changes, see sluice._key_hash.';
comment on column sluice.replayed_keys.read_by is
  'The pipeline or backfill that read all of these records; null: several.';

insert into sluice.replayed_keys (batch_id, key_hash, arrived_at)
select b.batch_id, '', b.committed_at from sluice.batches b
where b.kind = 'replay' and b.reloads is null
  and exists (select from sluice.quarantine q where q.resolved_batch_id = b.batch_id and q.keys is not null);

-- Full reads that are going on are identified without md5, which some servers do not have.
update sluice.snapshots s set made_for =
  encode(substr(sha256(convert_to(x.made_for, 'UTF8')), 1, 16), 'hex')::uuid
from (
  select p.pipeline_id, concat_ws('/', p.source, p.target, t.version, t.sha256, t.key) as made_for
  from sluice.pipelines p join sluice.transforms t using (pipeline_id)) x
where x.pipeline_id = s.pipeline_id and s.made_for = md5(x.made_for)::uuid;

-- Discarded records can be opened again, amended payloads taken back; bytes that were discarded are found by their hash.
alter table sluice.quarantine_events
  drop constraint quarantine_events_are_known,
  add constraint quarantine_events_are_known check (event in
    ('quarantined', 'failed', 'unsure', 'replayed', 'loaded', 'amended', 'restored', 'discarded', 'reopened'));

comment on table sluice.quarantine_events is
  'What became of quarantined records. quarantined: the first error, noted when something else follows; failed: again, in a replay; unsure: a replay could not tell whether the row in the target is newer, and left it; replayed; loaded: the source delivered the same bytes again, and they fitted; amended, restored (payload: what stood before); discarded; reopened.';

create index quarantine_discarded_bytes on sluice.quarantine (pipeline_id, payload_sha256) where status = 'discarded';

comment on column sluice.quarantine.payload_sha256 is
  'Identifies the payload; of a discarded record the bytes that the source delivered, also where they were amended.';
