create or replace function sluice._find_pipeline(p_name text)
returns sluice.pipelines
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines;
begin
  select * into v_pipeline from sluice.pipelines where name = p_name;
  if not found then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s is not defined', coalesce(quote_ident(p_name), 'null')),
      hint = coalesce(
        'defined are: ' || (select string_agg(name, ', ' order by name) from sluice.pipelines
          where backfill_of is null),
        'no pipeline is defined yet: write a file that calls sluice.define_pipeline(...) and run "sluice apply FILE"');
  end if;
  return v_pipeline;
end
$$;

comment on function sluice._find_pipeline(text) is
  'The pipeline of that name, or SL005 naming those that exist.';

-- The pipeline of that name; SL005 for a backfill, where only the pipeline itself will do.
create or replace function sluice._find_live_pipeline(p_name text)
returns sluice.pipelines
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(p_name);
  v_name     text := (select p.name from sluice.pipelines p where p.pipeline_id = v_pipeline.backfill_of);
begin
  if v_name is not null then
    raise exception using errcode = 'SL005',
      message = format('%s is a backfill of pipeline %s', v_pipeline.name, v_name),
      hint = format('name %s, to which its versions and quarantined records belong', v_name)
        || '; the view sluice.backfills shows how it went';
  end if;
  return v_pipeline;
end
$$;

create or replace function sluice.pipeline_name(pipeline text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select (sluice._find_live_pipeline(pipeline)).name
$$;

comment on function sluice.pipeline_name is
$$The name itself, where a pipeline bears it; SL005, naming those there are, for any other, and for a backfill. For
conditions on views, which would be empty:
select * from sluice.status where pipeline = sluice.pipeline_name('ordres')$$;

-- The name of a pipeline, or of the one it is a backfill of: under that its records are known to transforms and in
-- quarantine.
create or replace function sluice._live_name(p_name text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce((select o.name from sluice.pipelines o where o.pipeline_id = p.backfill_of), p.name)
  from sluice.pipelines p where p.name = p_name
$$;

-- A pipeline and its backfills, which write to the same target and quarantine.
create or replace function sluice._with_backfills(p_pipeline_id integer)
returns integer[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select array(select p.pipeline_id from sluice.pipelines p where p_pipeline_id in (p.pipeline_id, p.backfill_of)
    order by 1)
$$;
