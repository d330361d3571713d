create or replace function sluice.source_state(
  pipeline text, objects text[] default null, only_begun boolean default false)
returns table (object text, identity jsonb, "position" jsonb, is_done boolean)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with found as (select (sluice._find_pipeline(pipeline)).pipeline_id)
  -- In branches, as a condition for all would be no condition of an index.
  select o.object, o.identity, o.position, o.is_done
  from sluice.source_objects o
  where objects is null and not only_begun and o.pipeline_id = (select f.pipeline_id from found f)
  union all
  select o.object, o.identity, o.position, o.is_done
  from sluice.source_objects o
  where objects is null and only_begun and o.pipeline_id = (select f.pipeline_id from found f)
    and not o.is_done and not o.position @> '{"skipped": true}'
  union all
  select o.object, o.identity, o.position, o.is_done
  from sluice.source_objects o
  where o.pipeline_id = (select f.pipeline_id from found f) and o.object = any (objects)
    and not (only_begun and (o.is_done or o.position @> '{"skipped": true}'))
$$;

comment on function sluice.source_state(text, text[], boolean) is
$$The files and objects a pipeline has read or begun to read.
objects: only these; there may be very many in all.
only_begun: only those not read to their end, and not passed over either.$$;
