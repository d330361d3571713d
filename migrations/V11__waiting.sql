-- What a source offers and could not be read to its end yet, for people to see.

create table sluice.waiting (
  pipeline_id integer     not null,
  name        text        not null,
  reason      text        not null,
  since       timestamptz not null default clock_timestamp(),
  on_purpose  boolean     not null default false,
  constraint waiting_pkey primary key (pipeline_id, name),
  constraint waiting_belongs_to_a_pipeline
    foreign key (pipeline_id) references sluice.pipelines on delete cascade
);

comment on table sluice.waiting is
  'What the last run of a pipeline found and could not read to its end: by name, why, and since when for this reason. See the view waiting_details.';
comment on column sluice.waiting.on_purpose is
  'It was left by whoever ran it (--max-batches), and never makes a run fail.';
