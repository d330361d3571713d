-- What a person's data leaves behind when it is erased (sluice.erase): that it was, and hashes. And how many files and
-- objects are forgotten.

alter table sluice.batches
  add erased jsonb,
  drop constraint batches_kind_is_known,
  drop constraint batches_that_move_the_cursor_are_numbered,
  add constraint batches_kind_is_known
    check (kind in ('load', 'rewind', 'skip', 'replay', 'snapshot', 'reconcile', 'carried', 'erase')),
  add constraint batches_that_move_the_cursor_are_numbered
    check ((batch_seq is null) = (kind in ('replay', 'reconcile', 'erase'))),
  add constraint batches_only_erasures_erase check (erased is null or kind = 'erase');

comment on column sluice.batches.erased is
  'Of an erasure: how much of each place was erased, {"quarantine": 2, "rows of shop.customers": 1, ...}. Whose it was is kept nowhere.';

alter table sluice.quarantine
  drop constraint quarantine_status_is_known,
  add constraint quarantine_status_is_known check (status in ('open', 'replayed', 'loaded', 'discarded', 'erased'));

-- Its payload is gone, and the same bytes are known by their hash, as those of a discarded one.
drop index sluice.quarantine_discarded_bytes;
create index quarantine_discarded_bytes on sluice.quarantine (pipeline_id, payload_sha256)
  where status in ('discarded', 'erased');

comment on column sluice.quarantine.status is
  'open; replayed: a replay dealt with it; loaded: the source delivered the same bytes again, and they fitted; discarded; erased: its payload is gone (sluice.erase).';

alter table sluice.quarantine_events
  drop constraint quarantine_events_are_known,
  add constraint quarantine_events_are_known check (event in
    ('quarantined', 'failed', 'unsure', 'replayed', 'loaded', 'amended', 'restored', 'discarded', 'reopened', 'erased'));

comment on table sluice.quarantine_events is
  'What became of quarantined records. quarantined: the first error, noted when something else follows; failed: again, in a replay; unsure: a replay could not tell whether the row in the target is newer, and left it; replayed; loaded: the source delivered the same bytes again, and they fitted; amended, restored (payload: what stood before); discarded; reopened; erased, which takes the place of all before it.';

alter table sluice.tombstones add is_final boolean not null default false;

comment on column sluice.tombstones.is_final is
  'Whether no record of the key is loaded any more, however new it is (sluice.erase, stop).';
comment on column sluice.tombstones.key is 'The key as people read it; {} where it was erased.';

alter table sluice.pruned
  add objects    bigint not null default 0,
  add objects_to text;

comment on column sluice.pruned.objects is 'Files and objects that are forgotten.';
comment on column sluice.pruned.objects_to is
  'The last of their names in byte order: the source is never to list it again (its setting after).';
