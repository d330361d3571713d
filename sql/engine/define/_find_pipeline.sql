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
    perform sluice._refuse_foreign(p_name);
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
$$The pipeline of that name, to look at; SL005 naming those that exist, or 42501 where it belongs to somebody else. What
changes or runs one asks _find_own_pipeline: a member of sluice_reader sees those of others, too.$$;

create or replace function sluice._find_own_pipeline(p_name text)
returns sluice.pipelines
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_pipeline(p_name);
begin
  if not sluice._is_member_of(v_pipeline.owner) then
    perform sluice._refuse_foreign(p_name);
  end if;
  return v_pipeline;
end
$$;

-- Refuses a pipeline whose owner the caller is not a member of.
create or replace function sluice._refuse_foreign(p_name text)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_owner text := (select o.owner from sluice.owners o where o.pipeline = p_name and not o.is_yours);
begin
  if v_owner is not null then
    raise exception using errcode = 'insufficient_privilege',
      message = format('pipeline %s belongs to %s, and %s is not a member of it', p_name, v_owner, current_user),
      hint = sluice._way_into(p_name, v_owner);
  end if;
end
$$;

create or replace function sluice._way_into(p_name text, p_owner text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select concat(
    case when r.rolname is null then 'there is no such role any more; '
      -- Nobody should become a superuser for that.
      when not r.rolsuper then format('grant %I to %I; ', p_owner, current_user) end,
    format('to give the pipeline away: select sluice.set_policy(%L, ''owner'', %L)', p_name, current_user))
  from (values (true)) here left join pg_roles r on r.rolname = p_owner
$$;

-- The pipeline of that name; SL005 for a backfill, if only the pipeline itself will do.
create or replace function sluice._find_live_pipeline(p_name text)
returns sluice.pipelines
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._no_backfill(sluice._find_pipeline(p_name))
$$;

create or replace function sluice._find_own_live_pipeline(p_name text)
returns sluice.pipelines
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._no_backfill(sluice._find_own_pipeline(p_name))
$$;

create or replace function sluice._no_backfill(p_pipeline sluice.pipelines)
returns sluice.pipelines
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_name text := (select p.name from sluice.pipelines p where p.pipeline_id = p_pipeline.backfill_of);
begin
  if v_name is not null then
    raise exception using errcode = 'SL005',
      message = format('%s is a backfill of pipeline %s', p_pipeline.name, v_name),
      hint = format('name %s, to which its versions and quarantined records belong', v_name)
        || '; the view sluice.backfills shows how it went';
  end if;
  return p_pipeline;
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
$$The name itself, if there is a pipeline of that name; SL005, naming those there are, for any other, and for a
backfill. For conditions on views, in which a misspelt name would simply find nothing:
select * from sluice.status where pipeline = sluice.pipeline_name('ordres')$$;

-- The name of a pipeline, or of the one it is a backfill of: transforms and the quarantine know its records by that.
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
