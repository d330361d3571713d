create or replace function sluice.source_news(pipeline text, objects text[], facts jsonb[])
returns table (place bigint, identity jsonb, "position" jsonb, is_done boolean)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_nestloop = off -- sets are held against each other, however few rows are expected
as $$
#variable_conflict use_column
declare
  v_pipeline_id integer := (sluice._find_pipeline(source_news.pipeline)).pipeline_id;
  v_first       text collate "C";
  v_last        text collate "C";
  v_are_near    boolean;
begin
  select min(x collate "C"), max(x collate "C") into v_first, v_last from unnest(source_news.objects) x;
  -- A listing comes in the order of its names: then what is known lies side by side, too, and need not be looked up by
  -- each name.
  v_are_near := not exists (
    select from sluice.source_objects o where o.pipeline_id = v_pipeline_id and o.object between v_first and v_last
    offset 2 * cardinality(source_news.objects));
  return query
  select f.place, o.identity, o.position, o.is_done
  from unnest(source_news.objects, source_news.facts) with ordinality f (object, facts, place)
  left join (
    select * from sluice.source_objects o
    where v_are_near and o.pipeline_id = v_pipeline_id and o.object between v_first and v_last
    union all
    select * from sluice.source_objects o
    where not v_are_near and o.pipeline_id = v_pipeline_id and o.object = any (source_news.objects)) o
  on o.object = f.object
  where not coalesce(o.is_done and o.identity @> f.facts, false);
end
$$;

comment on function sluice.source_news(text, text[], jsonb[]) is
$$Of files or objects that a source has now, those in which there may be something new: all but those that were read to
their end, or passed over, and of whose identity these facts (size, time, ETag) are as they were.
place: where it stands in objects. The rest is what is known of it; nulls if that is nothing.$$;
