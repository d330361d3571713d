-- Files and objects that were read to their end before a time, and of which the ledger has nothing left, are
-- forgotten if the source no longer lists them, as its setting after says. Any other would be loaded as a new one, as
-- long as it exists, or when it comes back. last_object: the last of them; the setting never goes back before it.
create or replace function sluice._forget_objects(p_pipeline sluice.pipelines, p_before timestamptz,
  p_carried_seq bigint, p_limit integer, p_is_dry boolean, out objects bigint, out last_object text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- for the pipeline at hand: another one may have nearly all objects
as $$
declare
  v_after text := p_pipeline.source ->> 'after';
begin
  if v_after is null or not starts_with(v_after, sluice._plain_address(p_pipeline.source))
    -- Rewinds by older engines hold all objects.
    or exists (select from sluice.batches b where b.pipeline_id = p_pipeline.pipeline_id and b.kind = 'rewind'
      and b.objects <> '[]' and not b.objects @> '[{"is_removed": true}]') then
    objects := 0;
    return;
  end if;
  with old as (
    select o.object from sluice.source_objects o
    where o.pipeline_id = p_pipeline.pipeline_id and o.is_done and o.updated_at < p_before
      and o.object <= v_after
      and not exists (select from sluice.batches b where b.batch_id = o.last_batch_id
        and (not p_is_dry or b.batch_seq > coalesce(p_carried_seq, 0)))
    order by o.object limit p_limit
  ), gone as (
    delete from sluice.source_objects o using old
    where o.pipeline_id = p_pipeline.pipeline_id and o.object = old.object and not p_is_dry)
  select count(*), max(old.object) into objects, last_object from old;
end
$$;

comment on function sluice._forget_objects(sluice.pipelines, timestamptz, bigint, integer, boolean) is
  'Forgets files and objects that are done, old, and listed no more by the source; how many, and the last of them.';
