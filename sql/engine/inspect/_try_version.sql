create or replace function sluice._try_version(
  p_pipeline sluice.pipelines, p_version integer, p_batch_id bigint, p_ids bigint[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
-- Index lookups in the target only, as in _plan_by_index.
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_batch   sluice.batches;
  v_origins jsonb;
  v_target  sluice.compiled;
begin
  perform sluice._open_batch(p_pipeline, p_version, null, 'compare', 'arrival_only');
  if p_batch_id is null then
    v_origins := sluice._stage_quarantined(p_pipeline.pipeline_id, p_ids, false);
  else
    select * into v_batch from sluice.batches b where b.batch_id = p_batch_id;
    v_origins := v_batch.origins;
    perform sluice._stage_retained(p_pipeline.pipeline_id, p_batch_id);
    insert into pg_temp.sluice_replayed (ordinal, arrived_at) select s.ordinal, a.arrived_at
    from pg_temp.sluice_staging s join sluice._batch_arrivals() a on a.batch_id = p_batch_id;
  end if;
  perform sluice.transform_batch(v_origins);
  perform sluice._mark_outdated_rows();
  create temporary table sluice_outcomes (
    ordinal integer, line bigint, hash bytea, key jsonb, key_hash bytea, outcome text, of_target text, number bigint)
    on commit drop;
  perform sluice._find_dropped_outcomes();
  for v_target in select * from pg_temp.sluice_targets t order by t.number loop
    execute format($sql$insert into pg_temp.sluice_outcomes
select o.ordinal, o.line, o.hash, o.key, o.key_hash, o.outcome, %L,
  row_number() over (partition by o.ordinal, o.key_hash order by o.line)
from (%s) o
where o.state is distinct from 'f'$sql$, sluice._further_name(v_target.number, v_target.target),
      v_target.outcomes_sql);
  end loop;
end
$$;

comment on function sluice._try_version(sluice.pipelines, integer, bigint, bigint[]) is
$$Opens a batch of retained payloads (p_batch_id), or of quarantined records (p_ids), puts them through a version and
notes in sluice_outcomes what would come of it. Writes temporary tables only; the caller rolls them back.$$;

-- What their parents no longer have would be deleted, and such parents are written.
create or replace function sluice._find_dropped_outcomes()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v sluice.compiled;
begin
  for v in select * from pg_temp.sluice_targets t where t.drop_sql is not null order by t.number loop
    perform sluice._execute_by_hash(v.dropped_sql, null, null);
    execute format($sql$insert into pg_temp.sluice_outcomes
select p.sluice_ordinal, null, null, %s, %s, 'delete', %L, 1
from pg_temp.sluice_dropped d
join %s t on t.tableoid = d.class and t.ctid = d.place
join pg_temp.sluice_rows_1 p on p.ctid = d.parent
where d.number = %s$sql$, sluice._key_json(v.key, 't'), sluice._key_hash(v.target, v.key, 't'),
      sluice._further_name(v.number, v.target), sluice._met(v.target), v.number);
  end loop;
  if (select b.has_children from pg_temp.sluice_batch b) then
    perform sluice._touch_parents();
  end if;
end
$$;

-- A target that is not the first, by name; else nothing.
create or replace function sluice._further_name(p_number integer, p_target oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case when p_number > 1 then sluice._qualified_name(p_target) else '' end
$$;

-- The rows that a version made of the records in "picked", of all its targets, as part of a statement.
create or replace function sluice._rows_as_json(p_suffix text default '')
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(format('select r.sluice_ordinal, r.sluice_line, %L as sluice_target, to_jsonb(r.*) as content
    from pg_temp.%I r where r.sluice_ordinal in (select p.ordinal from picked p)',
    sluice._further_name(t.number, t.target), c.relname || p_suffix), ' union all ')
  from pg_temp.sluice_targets t join pg_class c on c.oid = t.rows_table
$$;

-- The other version makes tables of its own; returns the statement that reads these.
create or replace function sluice._set_rows_aside()
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_rows text := sluice._rows_as_json('_a');
  v_name text;
begin
  for v_name in
    select 'sluice_rows' union select c.relname from pg_temp.sluice_targets t join pg_class c on c.oid = t.rows_table
  loop
    execute format('alter table pg_temp.%I rename to %I', v_name, v_name || '_a');
  end loop;
  delete from pg_temp.sluice_versions v using pg_temp.sluice_batch b where v.fingerprint = b.fingerprint;
  return v_rows;
end
$$;
