create or replace function sluice.also_target(
  transform text, target text, key text[], parent text[], children text default 'keep', deliver jsonb default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'transform', transform, 'target', target, 'key', to_jsonb(key), 'parent', to_jsonb(parent), 'children', children)
    || case when deliver is not null then jsonb_build_object('deliver', deliver) else '{}' end
$$;

comment on function sluice.also_target is
$$One more target of a pipeline, for define_pipeline(..., also => ...): the rows in a record that belong to the row it
makes of the pipeline's own target, as lines do to an order. A record loads into all targets, or waits in quarantine
whole.
transform: a function that takes what the pipeline's transform takes, and returns columns of this target.
target, key: as in define_pipeline. No other pipeline loads the target.
parent: its columns that hold the key of the pipeline's own target, in the order of that key. A record that makes a row
  whose parent it does not make is bad. What is newer is decided by the parent: an older record changes neither.
children: replace deletes the rows of a parent that a newer record of it no longer makes, and all of a parent that is
  deleted; keep leaves them.
deliver (nowhere): where the rows of this target are sent, as in define_pipeline.
Example: also => array[sluice.also_target(transform => 'shop.order_lines_v1', target => 'shop.order_lines',
  key => '{order_id,line_no}', parent => '{order_id}', children => 'replace')]$$;
