-- A pipeline delivers rows of its first target, of further ones, or of both: each of them by a route, with deliveries,
-- a sender and a stream of its own. Whatever sends is given the pipeline as if the target were its only one.
create or replace function sluice._routes(p_pipeline sluice.pipelines)
returns table (route integer, target text, as_only sluice.pipelines)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select s.route, (o.as_only).target, o.as_only
  from sluice.delivery_state s
  cross join lateral (
    select case when s.target is null then p_pipeline else sluice._as_if_only(p_pipeline, s.target) end as as_only) o
  where s.pipeline_id = p_pipeline.pipeline_id and (o.as_only).deliver is not null
    and s.target is distinct from p_pipeline.target -- a further one that became the first has its route
  order by s.route
$$;

comment on function sluice._routes(sluice.pipelines) is
  'The targets whose rows a pipeline delivers, the first one first; each with the pipeline as if it were the only one.';

-- Of a pipeline as if it had one target, under which number its deliveries are noted; null: it delivered nowhere yet.
create or replace function sluice._route(p_only sluice.pipelines)
returns integer
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select s.route
  from sluice.pipelines p
  join sluice.delivery_state s on s.pipeline_id = coalesce(p.backfill_of, p.pipeline_id)
    and s.target is not distinct from nullif(p_only.target, p.target)
  where p.pipeline_id = p_only.pipeline_id
$$;

-- One of them, that of the first target unless another is named; SL005 where nothing is delivered.
create or replace function sluice._find_delivering(p_name text, p_target text default null)
returns sluice.pipelines
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_live_pipeline(p_name);
  v_only     sluice.pipelines := sluice._as_only_target(v_pipeline, p_target);
  v_others   text := (select string_agg(r.target, ', ') from sluice._routes(v_pipeline) r);
begin
  if v_only.deliver is null then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s delivers %s', v_only.name, coalesce('no rows of ' || case
        when v_others is not null then v_only.target end, 'nowhere')),
      hint = coalesce('it delivers those of ' || v_others || ': target => ...',
        'say where in its definition: deliver => sluice.http_delivery(url => ...)');
  end if;
  return v_only;
end
$$;

-- All of them; SL005 where there is none.
create or replace function sluice._find_routes(p_name text)
returns table (route integer, target text, as_only sluice.pipelines)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_own_live_pipeline(p_name);
begin
  return query select * from sluice._routes(v_pipeline);
  if not found then
    perform sluice._find_delivering(p_name); -- which says so
  end if;
end
$$;

create or replace function sluice.delivering_targets(pipeline text)
returns table (target text, is_first boolean, latest_unsent bigint)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select r.target, r.route = 1, (
    select max(o.delivery_id) from sluice.outbox o
    where (o.pipeline_id, o.route) = ((r.as_only).pipeline_id, r.route) and o.state = 'unsent')
  from sluice._find_routes(pipeline) r
$$;

comment on function sluice.delivering_targets(text) is
$$The targets whose rows a pipeline delivers, in their order, each by a sender of its own; SL005 where there is none.
latest_unsent: the last delivery of each that is to be sent, as of one moment.$$;
