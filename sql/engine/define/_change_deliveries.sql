-- Of deliveries the active version speaks. What its definition says otherwise than that of the version before it
-- (p_before) is changed; what both say stays as it is now, set elsewhere or not. What a candidate says is only checked.
create or replace function sluice._change_deliveries(
  p_pipeline sluice.pipelines, p_version integer, p_before jsonb, p_is_defined boolean)
returns sluice.pipelines
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_said         jsonb   := sluice._said_by_version(p_pipeline.pipeline_id, p_version);
  v_changes      jsonb   := sluice._delivery_changes(v_said, p_before);
  v_is_candidate boolean := p_version <> p_pipeline.active_version;
  v_now          sluice.pipelines := jsonb_populate_record(p_pipeline, v_changes);
  v              record;
begin
  if not v_is_candidate then
    perform sluice._change_pipeline(p_pipeline, p_version, v_changes);
  end if;
  for v in
    select t.key, t.search_path, o.as_only, (sluice._as_if_only(p_pipeline, t.target)).deliver as was,
      case t.number when 1 then v_said ? 'deliver' else v_said -> 'also_deliver' ? t.target end as is_said
    from sluice._version_targets(p_pipeline.pipeline_id, p_version) t
    cross join lateral (select sluice._as_if_only(v_now, t.target) as as_only) o
    where (o.as_only).deliver is not null
    order by t.number
  loop
    perform sluice._check_delivery(v.as_only, v.key);
    if v_is_candidate then
      perform sluice._body_function(v.search_path, v.as_only) where v.is_said;
    else
      perform sluice._refuse_other_keys(v.as_only, p_version, v.key);
      -- Also when nothing is new: the body function may be another one behind its name.
      perform sluice._register_delivery(v.as_only, v.search_path, v.was)
      where p_is_defined and v.is_said or (v.as_only).deliver is distinct from v.was;
    end if;
  end loop;
  return case when v_is_candidate then p_pipeline else v_now end;
end
$$;

comment on function sluice._change_deliveries(sluice.pipelines, integer, jsonb, boolean) is
$$Lets a pipeline deliver as the definition of a version says, once that is the active one (SL005 where it makes no
sense). p_before: what that of the version said which was active before. p_is_defined: by a definition, not by an
activation.$$;

create or replace function sluice._said_by_version(p_pipeline_id integer, p_version integer)
returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select t.definition from sluice.transforms t where t.pipeline_id = p_pipeline_id and t.version = p_version
$$;

-- What one definition says of deliveries and another did not. One without deliver leaves it as it is; the list of
-- further targets is said as a whole: what it leaves out is not delivered.
create or replace function sluice._delivery_changes(p_said jsonb, p_before jsonb)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case when p_said -> 'deliver' is distinct from p_before -> 'deliver' and p_said ? 'deliver'
      then jsonb_build_object('deliver', p_said -> 'deliver') else '{}' end
    || case when nullif(p_said -> 'also_deliver', 'null') is distinct from nullif(p_before -> 'also_deliver', 'null')
        and p_said is not null
      then jsonb_build_object('also_deliver', p_said -> 'also_deliver') else '{}' end
$$;

-- Deliveries are found by the key by which they were noted.
create or replace function sluice._refuse_other_keys(p_only sluice.pipelines, p_version integer, p_key text[])
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_route integer := sluice._route(p_only);
  v_key   jsonb;
begin
  -- Those that were noted first: whatever has another key has this from before.
  select o.key into v_key from (
    (select o.key from sluice.outbox o where o.pipeline_id = p_only.pipeline_id and o.route = v_route
       and o.state = 'unsent' order by o.delivery_id limit 1)
    union all
    (select o.key from sluice.outbox o where o.pipeline_id = p_only.pipeline_id and o.route = v_route
       and o.state = 'dead' order by o.delivery_id limit 1)
    union all
    (select o.key from sluice.outbox o where o.pipeline_id = p_only.pipeline_id and o.route = v_route
       and o.state = 'in_flight' limit 1)) o
  where not o.key ?& p_key or exists (select from jsonb_object_keys(o.key) k where k <> all (p_key)) limit 1;
  if found then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: deliveries of %s wait under the key (%s), and version %s has the key (%s)',
        p_only.name, p_only.target, (select string_agg(k, ', ' order by k) from jsonb_object_keys(v_key) k), p_version,
        array_to_string(p_key, ', ')),
      hint = format('send them before: sluice deliver %s; redeliver or discard those of sluice deliveries %1$s --dead',
        p_only.name);
  end if;
end
$$;
