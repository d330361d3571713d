-- Whose a pipeline is. Who may do what with the rows of these tables is said with the functions, at every upgrade:
-- sql/engine/roles/_guard_tables.sql.

alter table sluice.pipelines add owner text;

-- Up to here whoever could run one pipeline could run them all, and still can until they are given to somebody.
update sluice.pipelines p
set owner = case when pg_catalog.to_regrole('sluice_operator') is not null then 'sluice_operator' else current_user end;

alter table sluice.pipelines alter owner set not null, alter owner set default current_user;

comment on column sluice.pipelines.owner is
  'The role whose members define, run and mend it, and read its payloads. By name, as a dump carries it to other servers.';

-- Found by their target: whether a table is loaded by somebody else.
create index pipelines_by_target on sluice.pipelines (target);

-- The days of retained payloads, for each of which there is a table: who may write a row here makes or drops it.
create table sluice.raw_days (
  pipeline_id integer not null,
  retained_on date    not null,
  constraint raw_days_pkey primary key (pipeline_id, retained_on),
  constraint raw_days_belong_to_a_pipeline
    foreign key (pipeline_id) references sluice.pipelines on delete cascade,
  constraint raw_days_are_days check (pg_catalog.isfinite(retained_on))
);

comment on table sluice.raw_days is
  'The days (UTC) of which payloads are retained, each in a table raw_<pipeline_id>_<yyyymmdd> that comes and goes with its row.';
comment on column sluice.raw_days.pipeline_id is 'Whose payloads.';
comment on column sluice.raw_days.retained_on is 'The day on which they came, in UTC.';

insert into sluice.raw_days (pipeline_id, retained_on)
select p.pipeline_id, pg_catalog.to_date(pg_catalog.right(c.relname, 8), 'YYYYMMDD')
from pg_catalog.pg_class c
join sluice.pipelines p on c.relname ~ pg_catalog.format('^raw_%s_[0-9]{8}$', p.pipeline_id)
where c.relnamespace = 'sluice'::regnamespace and c.relkind = 'r';

-- Sees counts and never payloads.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'sluice_monitor') then
    create role sluice_monitor nologin;
  end if;
exception
  when insufficient_privilege then
    raise warning 'role sluice_monitor was not created: % may not create roles; ask your DBA for "create role sluice_monitor nologin" and run "sluice migrate" again, or go on without it',
      session_user;
  when duplicate_object or unique_violation then
    null; -- another database of this cluster made it at the same moment
end
$$;
