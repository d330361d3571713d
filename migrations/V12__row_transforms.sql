-- Transforms that take a row, f(r shop.orders_in): what its type was when the version was defined, and the columns
-- and statements of its batches.
alter table sluice.transforms add column input_definition text;

comment on column sluice.transforms.input_definition is
  'The columns of the type that the transform takes a record as; null where it takes the document.';

alter type sluice.compiled
  add attribute input_columns     text[],
  add attribute fields_definition text,
  add attribute slice_sql         text;

comment on column sluice.compiled.input_columns is
  'Into which the fields of a record are copied; null where the transform takes the document.';
