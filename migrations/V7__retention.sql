-- Payloads of committed batches, for pipelines that ask for it (retain_raw).

alter table sluice.pipelines
  add retain_raw interval,
  add constraint pipelines_retain_raw_is_positive check (retain_raw > interval '0');

comment on column sluice.pipelines.retain_raw is
  'How long the payloads of committed batches are kept; null: not at all.';

create table sluice.raw_chunks (
  batch_id      bigint    not null,
  first_ordinal integer   not null,
  ordinals      integer[] not null,
  positions     bigint[]  not null,
  payloads      text[]    not null
);

create index raw_chunks_by_batch on sluice.raw_chunks (batch_id, first_ordinal);

-- Numbers that count upwards are not worth the time.
alter table sluice.raw_chunks alter ordinals set storage external, alter positions set storage external;

-- Not every server was built with it; without, it is pglz.
do $$
begin
  alter table sluice.raw_chunks alter payloads set compression lz4;
exception when feature_not_supported then
  null;
end
$$;

comment on table sluice.raw_chunks is
  'What the tables of retained payloads look like, one a pipeline and day: raw_<pipeline_id>_<yyyymmdd>, see sluice._make_raw_table. Itself empty.';
comment on column sluice.raw_chunks.payloads is
  'Payloads of about 128 kB of consecutive records, compressed as one value; ordinals and positions are theirs, in the same order.';
