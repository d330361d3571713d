create or replace function sluice.source_news(pipeline text, objects text[], facts jsonb[])
returns table (place bigint, identity jsonb, "position" jsonb, is_done boolean)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- each by its name, however many there are
as $$
#variable_conflict use_column
declare
  v_pipeline_id integer := (sluice._find_pipeline(source_news.pipeline)).pipeline_id;
begin
  return query
  select f.place, o.identity, o.position, o.is_done
  from unnest(source_news.objects, source_news.facts) with ordinality f (object, facts, place)
  left join sluice.source_objects o on o.pipeline_id = v_pipeline_id and o.object = f.object
  where not coalesce(o.is_done and o.identity @> f.facts, false);
end
$$;

comment on function sluice.source_news(text, text[], jsonb[]) is
$$Of files or objects that a source has now, those in which there may be something new: all but those that were read to
their end, or passed over, and of whose identity these facts (size, time, ETag) are as they were.
place: where it stands in objects. The rest is what is known of it; nulls if that is nothing.$$;
