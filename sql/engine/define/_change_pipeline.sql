create or replace function sluice._change_pipeline(p_pipeline sluice.pipelines, p_version integer, p_changes jsonb)
returns sluice.pipelines
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_new sluice.pipelines := jsonb_populate_record(p_pipeline, p_changes);
begin
  if p_changes = '{}' then
    return p_pipeline;
  end if;
  -- Without marking there is no mark column.
  if v_new.missing <> 'mark' and not p_changes ? 'mark_column' then
    v_new.mark_column := null;
  end if;
  if v_new.max_bad_ratio is null or v_new.max_bad_ratio not between 0 and 1 then
    raise exception using errcode = 'SL005',
      hint = '0.02 stops the run when more than 2% of the records are bad; 1 never stops it',
      message = format('pipeline %s: max_bad_ratio %s is not between 0 and 1', v_new.name,
        coalesce(v_new.max_bad_ratio::text, 'none'));
  elsif v_new.batch_rows < 1 or v_new.batch_bytes < 1 then
    raise exception using errcode = 'SL005', hint = 'leave them out for the loader''s defaults',
      message = format('pipeline %s: batch_rows and batch_bytes have to be positive', v_new.name);
  elsif v_new.retain_raw < interval '1 hour' then
    raise exception using errcode = 'SL005',
      hint = 'a number alone is seconds: write retain_raw => ''7 days''; ''0'' keeps no payloads',
      message = format('pipeline %s: retain_raw %s is less than an hour', v_new.name, quote_literal(v_new.retain_raw));
  elsif v_new.retain_history < interval '1 hour' then
    raise exception using errcode = 'SL005',
      hint = 'a number alone is seconds: write retain_history => ''1 year''; ''0'' keeps all of it',
      message = format('pipeline %s: retain_history %s is less than an hour', v_new.name,
        quote_literal(v_new.retain_history));
  elsif v_new.skip_known is null or v_new.retry_orphans is null then
    raise exception using errcode = 'SL005', hint = 'true or false',
      message = format('pipeline %s: %s cannot be none', v_new.name, case
        when v_new.skip_known is null then 'skip_known' else 'retry_orphans' end);
  elsif v_new.owner is distinct from p_pipeline.owner then
    perform sluice._give_away(v_new);
  end if;
  perform sluice._refuse_forgotten_names(v_new);
  -- They hold for the active version, whichever it is that says so.
  perform sluice._check_policies(v_new, v) from (values (p_version), (v_new.active_version)) version (v);

  update sluice.pipelines p set
    source = v_new.source, max_bad_ratio = v_new.max_bad_ratio, batch_rows = v_new.batch_rows,
    batch_bytes = v_new.batch_bytes, skip_known = v_new.skip_known, retry_orphans = v_new.retry_orphans,
    retain_raw = v_new.retain_raw, retain_history = v_new.retain_history, missing = v_new.missing,
    mark_column = v_new.mark_column, max_delete_ratio = v_new.max_delete_ratio, deliver = v_new.deliver,
    also_deliver = v_new.also_deliver, updated_at = now()
  where p.pipeline_id = v_new.pipeline_id;
  if (v_new.deliver, v_new.also_deliver) is distinct from (p_pipeline.deliver, p_pipeline.also_deliver) then
    perform sluice._follow_delivery(v_new);
  end if;
  if v_new.missing = 'keep' then
    delete from sluice.snapshots s where s.pipeline_id = v_new.pipeline_id;
  elsif p_pipeline.missing = 'keep' and exists (
    select from sluice.batches b where b.pipeline_id = v_new.pipeline_id) then
    -- Nobody noted where the source was read to its end.
    insert into sluice.snapshots (pipeline_id, first_seq, made_for, spoilt_by)
    select s.pipeline_id, s.batch_seq + 1, sluice._full_read_recipe(s.pipeline_id, v_new.active_version),
      'it began before the pipeline was told not to keep missing rows'
    from sluice.etl_state s where s.pipeline_id = v_new.pipeline_id;
  end if;
  return v_new;
end
$$;

comment on function sluice._change_pipeline(sluice.pipelines, integer, jsonb) is
$$Changes source and policies of a pipeline to what is given, a null for none; SL005 for what makes no sense, or not
with this version.$$;

-- Whether what is to be done about missing rows works with a version.
create or replace function sluice._check_policies(p_pipeline sluice.pipelines, p_version integer)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform sluice._check_missing(p_pipeline.name, p_pipeline.target, t.columns, t.key, p_pipeline.source,
    p_pipeline.missing, p_pipeline.mark_column, p_pipeline.max_delete_ratio)
  from sluice.transforms t where t.pipeline_id = p_pipeline.pipeline_id and t.version = p_version;
  perform sluice._refuse_kept_children(p_pipeline, p_version);
end
$$;

-- Files and objects that are forgotten would be loaded as new ones, if the source listed them again.
create or replace function sluice._refuse_forgotten_names(p_pipeline sluice.pipelines)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_last text := (select r.objects_to from sluice.pruned r where r.pipeline_id = p_pipeline.pipeline_id);
begin
  if coalesce(p_pipeline.source ->> 'after', '') collate "C" < v_last
    and starts_with(v_last, sluice._plain_address(p_pipeline.source)) then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: what its source has up to %s was read, and pruned', p_pipeline.name, v_last),
      hint = format('after => %L: it would be loaded once more; sluice.start_backfill reads some of it again', v_last);
  end if;
end
$$;

-- What all names of a source begin with: its path or URL, up to a wildcard.
create or replace function sluice._plain_address(p_source jsonb)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select substring(coalesce(p_source ->> 'path', p_source ->> 'url', '') from '^[^*?[]*')
$$;

-- What follows when a pipeline delivers elsewhere, or nowhere any more. Backfills deliver as their pipeline does; what
-- is left of deliveries that were switched off is closed.
create or replace function sluice._follow_delivery(p_pipeline sluice.pipelines)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_off   integer[];
  v_count bigint;
begin
  perform sluice._hold_batches(p_pipeline.pipeline_id); -- what they note is closed here, or they see that it is off
  update sluice.pipelines b set deliver = p_pipeline.deliver, also_deliver = p_pipeline.also_deliver
  where b.backfill_of = p_pipeline.pipeline_id;
  with off as (
    update sluice.delivery_state s set epoch = s.epoch + 1
    where s.pipeline_id = p_pipeline.pipeline_id
      and s.route not in (select r.route from sluice._routes(p_pipeline) r)
    returning s.route)
  select array_agg(route) into v_off from off;
  update sluice.outbox o set state = 'discarded', closed_at = clock_timestamp(), body = null,
    error = 'the pipeline delivers them nowhere any more'
  where o.pipeline_id = p_pipeline.pipeline_id and o.route = any (v_off) and o.state in ('unsent', 'in_flight', 'dead');
  get diagnostics v_count = row_count;
  if v_count > 0 then
    raise notice 'pipeline %: deliveries that were not sent and are discarded: %', p_pipeline.name, v_count;
  end if;
end
$$;
