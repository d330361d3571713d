create or replace view sluice.versions as
select
  p.name as pipeline,
  t.version,
  case when t.version = p.active_version then 'active' when a.pipeline_id is null then 'candidate'
    else 'retired' end as state,
  split_part(t.function, '(', 1) as function,
  date_trunc('second', a.activated_at)::timestamp as activated_at,
  a.activated_by
from sluice.transforms t
join sluice.pipelines p using (pipeline_id)
left join lateral (
  select * from sluice.activations a
  where a.pipeline_id = t.pipeline_id and a.version = t.version order by a.activation_id desc limit 1) a on true
where p.backfill_of is null
order by p.name, t.version;

comment on view sluice.versions is
$$The transform versions of each pipeline: active, candidate (never activated) or retired, and who activated each last.
sluice.versions_details has who defined it, when, and the text.$$;

create or replace view sluice.versions_details as
select
  p.name as pipeline,
  t.version,
  case when t.version = p.active_version then 'active' when a.pipeline_id is null then 'candidate'
    else 'retired' end as state,
  t.function,
  t.first_used_at,
  a.activated_at,
  a.activated_by,
  t.defined_at,
  t.defined_by,
  t.columns,
  t.key,
  t.order_by,
  t.function_text,
  t.input_definition,
  (select jsonb_agg(to_jsonb(a) - '{pipeline_id,version,takes_meta}'::text[] order by a.number)
   from sluice.also_targets a where a.pipeline_id = t.pipeline_id and a.version = t.version) as also
from sluice.transforms t
join sluice.pipelines p using (pipeline_id)
left join lateral (
  select * from sluice.activations a
  where a.pipeline_id = t.pipeline_id and a.version = t.version order by a.activation_id desc limit 1) a on true
where p.backfill_of is null
order by p.name, t.version;

comment on view sluice.versions_details is
$$The transform versions of each pipeline, with what each returns and the text it was registered with;
input_definition: the columns of the type that it takes a record as, if it takes no document. first_used_at:
from then on the version cannot be changed. also: its further targets, each with its transform.
sluice.versions is the short form.$$;
