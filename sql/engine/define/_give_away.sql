create or replace function sluice._give_away(p_pipeline sluice.pipelines)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform sluice._check_owner(p_pipeline.name, p_pipeline.owner);
  -- All at once, as they have one owner: also backfills, and whatever else loads its tables.
  update sluice.pipelines p set owner = p_pipeline.owner, updated_at = now()
  where p.pipeline_id in (
    select o.pipeline_id from sluice._loaded l join sluice._loaded o using (target)
    where l.pipeline_id = p_pipeline.pipeline_id);
end
$$;

comment on function sluice._give_away(sluice.pipelines) is
  'Gives a pipeline, and all that load its tables, to the owner that it is to have.';

-- Refuses a role that does not exist, or that the caller is not a member of.
create or replace function sluice._check_owner(p_pipeline text, p_owner text)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_owner is null or to_regrole(quote_ident(p_owner)) is null then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: there is no role %s to own it', p_pipeline,
        coalesce(quote_ident(p_owner), 'null')),
      hint = 'owner => ''team_a'', a role; its members run and mend the pipeline';
  elsif not sluice._is_member_of(p_owner) then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s cannot belong to %s: %s is not a member of it', p_pipeline, p_owner, current_user),
      hint = format('grant %I to %I, or let a member do it', p_owner, current_user);
  end if;
end
$$;

-- Refuses a target whose ledger belongs to a pipeline of another owner.
create or replace function sluice._refuse_strangers(p_pipeline text, p_owner text, p_target text)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_other record;
begin
  select * into v_other from sluice._loaded l
  where l.target = p_target and l.owner <> p_owner and l.pipeline <> p_pipeline limit 1;
  if found then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s of %s cannot load %s: pipeline %s of %s does', p_pipeline, p_owner, p_target,
        v_other.pipeline, v_other.owner),
      hint = format('all pipelines of a table have one owner: owner => %L, or load another table', v_other.owner);
  end if;
end
$$;
