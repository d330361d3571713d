-- Deliveries of further targets: each target that delivers has its own place in the outbox, its route, with a sender's
-- state of its own. What is noted before is of the first target, route 1.

alter table sluice.pipelines add also_deliver jsonb;
comment on column sluice.pipelines.also_deliver is
  'Where rows of further targets are sent, by target, as deliver says it of the first; null: nowhere.';

alter table sluice.delivery_state
  add route  integer not null default 1,
  add target text,
  drop constraint delivery_state_pkey,
  add constraint delivery_state_pkey primary key (pipeline_id, route),
  add constraint delivery_state_a_target_has_one_route unique (pipeline_id, target),
  add constraint delivery_state_the_first_target_has_route_1 check ((target is null) = (route = 1));
comment on column sluice.delivery_state.route is
  'Which deliveries of the pipeline: 1 those of its first target, whichever that is; a further target keeps its own.';
comment on column sluice.delivery_state.target is 'The further target whose rows they are; null of the first.';

alter table sluice.outbox add route integer not null default 1;
comment on column sluice.outbox.route is 'Of which target of the pipeline the row is, see sluice.delivery_state.';

drop index sluice.outbox_unsent, sluice.outbox_one_of_a_key_is_in_flight, sluice.outbox_dead, sluice.outbox_closed;
create index outbox_unsent on sluice.outbox (pipeline_id, route, delivery_id) where state = 'unsent';
create unique index outbox_one_of_a_key_is_in_flight on sluice.outbox (pipeline_id, route, key_hash)
  where state = 'in_flight';
create index outbox_dead on sluice.outbox (pipeline_id, route, delivery_id) where state = 'dead';
create index outbox_closed on sluice.outbox (pipeline_id, route, closed_at) where closed_at is not null;

alter type sluice.compiled add attribute route integer;
comment on column sluice.compiled.route is 'By which its rows are noted in the outbox; null: they are not delivered.';
