create or replace function sluice.run_order(pipelines text[])
returns table (pipeline text, turn integer)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_variable
declare
  -- Each holds two connections, and poolers mostly have twenty.
  v_most    constant integer := 8;
  v_keys    text[] := '{}';     -- of each turn: the program that its pipelines share
  v_sizes   integer[] := '{}';
  v_awaited integer[] := '{}';  -- those that are still to come of the groups in it
  v_turns   integer[] := '{}';  -- of each pipeline
  v_groups  integer[] := sluice._sharing_groups(pipelines);
  v_rests   integer[];          -- of each group: those without a turn
  v_homes   integer[] := '{}';  -- and the turn in which the others are
  v_group   integer;
  v_key     text;
  v_behind  integer;
  v_pairs   record;
begin
  select array_agg(w.first) as first, array_agg(w.second) as second into v_pairs
  from sluice._wanting_pairs(pipelines) w;
  v_rests := array(
    select cardinality(array_positions(v_groups, i)) from generate_subscripts(pipelines, 1) i order by i);
  for v_at in 1 .. coalesce(cardinality(pipelines), 0) loop
    pipeline := pipelines[v_at];
    v_group := v_groups[v_at];
    v_key := (select sluice._shared_program(p.source) from sluice.pipelines p where p.name = pipeline);
    v_behind := coalesce((
      select max(v_turns[w.first]) from unnest(v_pairs.first, v_pairs.second) w(first, second)
      where w.second = v_at), 0);
    turn := (
      select t.at from unnest(v_keys, v_sizes, v_awaited) with ordinality t(key, size, awaited, at)
      where t.key = v_key and t.at > v_behind and case when t.at = v_homes[v_group] then t.size < v_most
        else t.size + t.awaited + v_rests[v_group] <= v_most end
      order by t.at is distinct from v_homes[v_group], t.at limit 1);
    if turn is null then
      turn := cardinality(v_keys) + 1;
      v_keys[turn] := v_key;
      v_sizes[turn] := 0;
      v_awaited[turn] := 0;
    end if;
    if v_homes[v_group] is not null then
      v_awaited[v_homes[v_group]] := v_awaited[v_homes[v_group]] - v_rests[v_group];
    end if;
    v_rests[v_group] := v_rests[v_group] - 1;
    v_awaited[turn] := v_awaited[turn] + v_rests[v_group];
    v_homes[v_group] := turn;
    v_sizes[turn] := v_sizes[turn] + 1;
    v_turns[v_at] := turn;
    return next;
  end loop;
end
$$;

comment on function sluice.run_order(text[]) is
$$The turns in which "sluice run --together" runs these pipelines. Turns follow one another; the pipelines of one turn
run together, fed by one run of their program (a Singer tap, an Airbyte connector). They differ in nothing but the
stream, and none waits for rows of another: by a foreign key, a table or view that its transform names, or a target of
both. At most 8 per turn; where there are more, those that shared a run before stay together.
Example: select * from sluice.run_order('{customers,products}')$$;

-- What pipelines have in common that can share a run of their program; null where that cannot be.
create or replace function sluice._shared_program(p_source jsonb)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select (p_source - '{stream,sync_mode}'::text[])::text
  where p_source ->> 'kind' = 'program' and p_source ->> 'protocol' in ('singer', 'airbyte')
$$;

-- Of each pipeline the group: the place of the first of those that have states of the same runs of their program.
create or replace function sluice._sharing_groups(p_pipelines text[])
returns integer[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive heard as materialized (
    select n.at::integer as at, r.run
    from unnest(p_pipelines) with ordinality n(name, at)
    join sluice.pipelines p on p.name = n.name
    join sluice.etl_state s on s.pipeline_id = p.pipeline_id
    cross join lateral (values (s.cursor #>> '{shared,run}'), (s.cursor #>> '{earlier,place,run}')) r(run)
    where r.run is not null and sluice._shared_program(p.source) is not null),
  reached as (
    select i as at, i as first from generate_subscripts(p_pipelines, 1) i
    union
    select b.at, r.first from reached r join heard a on a.at = r.at join heard b on b.run = a.run)
  select array(select min(r.first) from reached r group by r.at order by r.at)
$$;

-- The places of pipelines one of which may want rows of the other, whichever it is: they stay in their order.
create or replace function sluice._wanting_pairs(p_pipelines text[])
returns table (first integer, second integer)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive loaded as materialized (
    select n.at::integer as at, n.name, to_regclass(t.target) as target, lower(t.function_text) as function_text,
      lower(c.relname) as relname
    from unnest(p_pipelines) with ordinality n(name, at)
    join sluice.pipelines p on p.name = n.name
    cross join lateral sluice._version_targets(p.pipeline_id, null) t
    left join pg_class c on c.oid = to_regclass(t.target)),
  -- The target, and views in which it is read.
  read as (
    select l.at, l.target as relation, l.relname from loaded l
    union
    select r.at, v.oid, lower(v.relname) from read r
    join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = r.relation
      and d.classid = 'pg_rewrite'::regclass
    join pg_rewrite w on w.oid = d.objid
    join pg_class v on v.oid = w.ev_class),
  related as (
    select a.at as one, b.at as other from loaded a join loaded b on a.name = b.name or a.target = b.target
    union
    select a.at, b.at from pg_constraint k
    join loaded a on a.target = k.conrelid join loaded b on b.target = k.confrelid where k.contype = 'f'
    union
    select a.at, b.at from read a join loaded b on b.at <> a.at and strpos(b.function_text, a.relname) > 0
      and b.function_text ~ concat('(^|\W)', regexp_replace(a.relname, '(\W)', '\\\1', 'g'), '(\W|$)'))
  select distinct least(r.one, r.other), greatest(r.one, r.other) from related r where r.one <> r.other
$$;
