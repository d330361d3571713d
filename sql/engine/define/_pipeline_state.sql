create or replace function sluice._pipeline_state(p_pipeline_id integer)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p.is_paused or exists (select from sluice.pipelines o where o.pipeline_id = p.backfill_of
      and o.is_paused) then 'paused'
    when r.run_id is null then 'new'
    when r.outcome is not null then r.outcome
    when exists (select from sluice._holders('guard', p.pipeline_id)) then 'running'
    else 'died' end
  from sluice.pipelines p
  left join lateral (
    select r.run_id, r.outcome from sluice.runs r
    where r.pipeline_id = p.pipeline_id order by r.epoch desc limit 1) r on true
  where p.pipeline_id = p_pipeline_id
$$;

comment on function sluice._pipeline_state(integer) is
  'new, running, paused, died (no outcome and nobody holds it), or the outcome of the last run.';

-- Runs that failed since the last one that ended well. A run that was stopped, or found the pipeline held, is
-- neither.
create or replace function sluice._failures(p_pipeline_id integer, out failing_since timestamptz,
  out failed_runs bigint)
language sql stable strict
set search_path = pg_catalog, pg_temp
as $$
  select min(r.started_at), count(*)
  from sluice.runs r
  where r.pipeline_id = p_pipeline_id and r.outcome in ('failed', 'threshold') and r.run_id > coalesce((
    select o.run_id from sluice.runs o where o.pipeline_id = p_pipeline_id and o.outcome = 'ok'
    order by o.run_id desc limit 1), 0)
$$;

-- Columns that may hold data, for those who may see them; null for others.
create or replace function sluice._cursor_of(p_pipeline_id integer)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if has_column_privilege('sluice.etl_state', 'cursor', 'select') then
    return (select s.cursor from sluice.etl_state s where s.pipeline_id = p_pipeline_id);
  end if;
  return null;
end
$$;

-- For a run, or for the last senders of a pipeline.
create or replace function sluice._error_of(p_run_id bigint, p_sender_of integer)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off -- however few runs there are
as $$
begin
  if has_column_privilege('sluice.runs', 'error', 'select') then
    return coalesce((select r.error from sluice.runs r where r.run_id = p_run_id),
      (select string_agg(case when s.of_how_many = 1 then s.error
          else format('%s: %s', s.target, split_part(s.error, E'\n', 1)) end, E'\n' order by s.route)
       from (
         select r.route, r.target, d.error, count(*) over () as of_how_many
         from sluice.pipelines p cross join lateral sluice._routes(p) r
         join sluice.delivery_state d on d.pipeline_id = p.pipeline_id and d.route = r.route
         where p.pipeline_id = p_sender_of) s
       where s.error is not null));
  end if;
  return null;
end
$$;

create or replace function sluice._unfinished_of(p_pipeline_id integer)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if has_column_privilege('sluice.source_objects', 'position', 'select') then
    return (
      select jsonb_agg(jsonb_build_object('name', o.object, 'position', o.position) order by o.object)
      from (
        select * from sluice.source_objects o where o.pipeline_id = p_pipeline_id and not o.is_done
          and not exists (select from sluice.waiting w where w.pipeline_id = o.pipeline_id and w.name = o.object)
        order by o.object limit 20) o);
  end if;
  return null;
end
$$;
