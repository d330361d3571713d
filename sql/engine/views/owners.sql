-- With the rights of the engine's owner: everybody who is refused a pipeline may know whose it is, and nothing else
-- about it.
create or replace view sluice.owners as
select p.name as pipeline, p.owner, sluice._is_member_of(p.owner) as is_yours, p.backfill_of is not null as is_backfill
from sluice.pipelines p
order by p.name;

comment on view sluice.owners is
$$Whose each pipeline is, backfills included, and whether you are a member of that role: the pipelines of others you can
neither run nor change, nor see their records. sluice.set_policy('orders', 'owner', 'team_a') gives one away.$$;

create or replace view sluice._mine as
select p.pipeline_id from sluice.pipelines p where sluice._is_member_of(p.owner);

comment on view sluice._mine is
  'The pipelines that are the caller''s, for the policies of tables; with the rights of the engine''s owner.';

create or replace view sluice._loaded as
select p.target, p.pipeline_id, p.name as pipeline, p.owner from sluice.pipelines p
union all
select a.target, p.pipeline_id, p.name, p.owner from sluice.also_targets a join sluice.pipelines p using (pipeline_id);

comment on view sluice._loaded is
  'Which pipelines load a table, and whose they are; with the rights of the engine''s owner.';
