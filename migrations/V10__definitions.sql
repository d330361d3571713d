-- What a definition said when it was applied last, so that the next one tells what is new in it.

alter table sluice.transforms add definition jsonb;

comment on column sluice.transforms.definition is
  'The source and the policies as the last call of define_pipeline with this version said them, and whether it was to be activated; null for a version no call has named since definitions are kept.';
