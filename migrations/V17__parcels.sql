-- Deliveries that are sent together: many items a request, many rows a transaction of another database.

alter table sluice.outbox add parcel uuid;
comment on column sluice.outbox.parcel is
  'What is sent together bears the same: one request, or one transaction of the other database. A repeat is of the same deliveries under the same parcel, by which the other side knows it.';

alter table sluice.delivery_state add stream uuid not null default gen_random_uuid();
comment on column sluice.delivery_state.stream is
  'Under this name the other database notes which of the pipeline''s parcels it took last.';

-- Of an index that keys go into as they come, most of a delivery's cost: it holds four bytes a row now instead of
-- thirty, and is asked for the few older deliveries there are, not for each new one.
drop index sluice.outbox_by_key;
create index outbox_by_key on sluice.outbox using hash (key_hash) where state in ('unsent', 'dead');
create index outbox_dead on sluice.outbox (pipeline_id, delivery_id) where state = 'dead';
