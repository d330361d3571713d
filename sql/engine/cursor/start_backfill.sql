-- A backfill is a pipeline of its own beside the one whose past it loads: with a cursor, files,
-- runs and a ledger of its own, so that it runs beside the live one, and is resumed, fenced and
-- verified like any pipeline. What makes it a backfill: its source is narrowed to a range; it
-- follows the definition of its pipeline; its bad records go to the quarantine of its pipeline;
-- and it never overwrites what the pipeline has loaded, unless order_by says that its row is
-- newer (see _outdated_sql).
create or replace function sluice.start_backfill(
  pipeline text, from_mark text default null, to_mark text default null, objects text default null,
  again boolean default false)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_live_pipeline(start_backfill.pipeline);
  v_range    jsonb := jsonb_strip_nulls(jsonb_build_object('from', from_mark, 'to', to_mark, 'objects', objects));
  v_source   jsonb := sluice._ranged_source(v_pipeline.source, v_range);
  v_backfill sluice.pipelines;
  v_number   integer;
  v_suffix   text;
begin
  perform sluice._refuse_paused(v_pipeline);
  -- One at a time, as with definitions: they choose a name.
  perform pg_advisory_xact_lock(sluice._lock_class('define'), 0);
  perform from sluice.pipelines p where p.pipeline_id = v_pipeline.pipeline_id for key share;
  if not found then
    perform sluice._refuse_dropped(v_pipeline.name);
  end if;
  select * into v_backfill from sluice.pipelines p
  where p.backfill_of = v_pipeline.pipeline_id and p.backfill_range = v_range;
  if not found then
    v_number := (select count(*) from sluice.pipelines p where p.backfill_of = v_pipeline.pipeline_id);
    loop
      v_number := v_number + 1;
      v_suffix := '.backfill-' || v_number;
      v_backfill.name := left(v_pipeline.name, 40 - length(v_suffix)) || v_suffix;
      exit when not exists (select from sluice.pipelines p where p.name = v_backfill.name);
    end loop;
    -- Also where the transaction has opened a batch before, which checks at once.
    set constraints sluice.pipelines_active_version_exists deferred;
    insert into sluice.pipelines
      (name, owner, target, source, active_version, max_bad_ratio, skip_known, backfill_of, backfill_range)
    values (v_backfill.name, v_pipeline.owner, v_pipeline.target, v_source, v_pipeline.active_version,
      v_pipeline.max_bad_ratio, false, v_pipeline.pipeline_id, v_range)
    returning * into v_backfill;
    insert into sluice.etl_state (pipeline_id) values (v_backfill.pipeline_id);
  elsif start_backfill.again then
    if exists (select from sluice.batches b where b.pipeline_id = v_backfill.pipeline_id) then
      perform sluice.rewind(v_backfill.name, to_start => true);
    end if;
  elsif v_backfill.backfill_finished_at is not null then
    raise notice using message = format(
      '%s came to the end of this range at %s; to load it once more: again => true (--again)', v_backfill.name,
      to_char(v_backfill.backfill_finished_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC'));
  end if;
  perform sluice._follow_pipeline(v_backfill);
  return v_backfill.name;
end
$$;

comment on function sluice.start_backfill(text, text, text, text, boolean) is
$$Makes a backfill, which loads a past range of a pipeline's source beside its live cursor, or finds the one with the
same range. Returns the name under which the loader runs it ("sluice backfill" does both).
from_mark, to_mark: for an API with since, marks; both belong to the range.
objects: for files and objects, a name or a glob, read from the start whatever the pipeline has read.
again: from the start of the range once more.
Rows the pipeline has loaded are overwritten only by what order_by says is newer; without order_by, and where it is
equal, a backfill only adds rows, and changes those it wrote itself. See the view backfills. SL005 when the source knows
no such range, SL007 when the pipeline is paused.$$;
