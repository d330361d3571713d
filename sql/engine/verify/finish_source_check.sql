create or replace function sluice.finish_source_check(check_id uuid)
returns table (check_name text, is_ok boolean, detail text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._checked_pipeline(finish_source_check.check_id);
  v          record;
  v_rows     bigint;
begin
  v_rows := sluice._note_rows_not_in_source(v_pipeline);
  analyze pg_temp.sluice_source_keys;
  analyze pg_temp.sluice_differences;
  delete from pg_temp.sluice_differences d
  where d.key_hash in (select k.key_hash from pg_temp.sluice_source_keys k where k.is_same);

  select c.*, d.* into strict v from pg_temp.sluice_source_check c cross join (
    select count(distinct d.place) filter (where is_open and d.what <> 'not in the source') as differing,
      count(*) filter (where is_open and d.what = 'not in the source') as not_in_source,
      count(distinct d.place) filter (where d.state = 'due') as due,
      count(distinct d.place) filter (where d.state = 'changed') as changed,
      count(*) filter (where is_open and b.version <> v_pipeline.active_version) as of_other_versions
    from pg_temp.sluice_differences d
    left join sluice.batches b on b.batch_id = d.row_batch and d.what in ('different', 'newer here')
    cross join lateral (select d.state not in ('due', 'changed') as is_open) o) d;

  check_name := 'source rows';
  is_ok := v.differing = 0;
  detail := concat_ws('; ',
    case when v.differing = 0 then format('records: %s, all are here', v.records)
      else format('%s of %s records are not here as the source has them: %s', v.differing, v.records, (
        select string_agg(format('%s %s', n.what, n.n), ', ' order by n.what) from (
          select d.what, count(distinct d.place) as n from pg_temp.sluice_differences d
          where d.state not in ('due', 'changed') and d.what <> 'not in the source' group by d.what) n)) end,
    nullif(v.of_other_versions, 0) || ' rows were written by another version than the active one',
    nullif(v.repaired, 0) || ' repaired', nullif(v.due, 0) || ' the next run reads',
    nullif(v.changed, 0) || ' changed meanwhile', nullif(v.in_quarantine, 0) || ' in quarantine',
    nullif(v.filtered, 0) || ' filtered');
  return next;

  check_name := 'target rows';
  -- A record that cannot be transformed may be that of any row.
  is_ok := case when v.not_in_source = 0 then true when v.bad_without_key = 0 then false end;
  detail := case when v.not_in_source = 0 then format('rows: %s, all are in the source', v_rows)
    else concat_ws('; ',
      format('%s of %s rows are not in the source any more', v.not_in_source, v_rows)
        || case when v.filtered > 0 then ', or are filtered now' else '' end,
      'or they are those of records that cannot be transformed now: ' || nullif(v.bad_without_key, 0)) end;
  return next;
end
$$;

comment on function sluice.finish_source_check(uuid) is
$$The verdict on a comparison with the source, as lines of sluice.verify: source rows, whether each record is in the
target as the active version makes it; target rows, whether each row that the pipeline wrote still is in the source.
check_id: see begin_source_check.$$;

-- Notes the rows that the pipeline wrote before the source was read, and whose key no record has; returns how many it
-- wrote.
create or replace function sluice._note_rows_not_in_source(p_pipeline sluice.pipelines)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
set enable_nestloop = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_target regclass := p_pipeline.target;
  v_key    text[] := (select t.key from sluice.transforms t
    where t.pipeline_id = p_pipeline.pipeline_id and t.version = p_pipeline.active_version);
  v_own    text := format('t.sluice_batch in (select b.batch_id from sluice._all_batches() b
  where b.pipeline_id = any ($1) and b.batch_id < (select c.before_batch from pg_temp.sluice_source_check c))%s',
    ' and ' || sluice._unmarked_condition(v_target, p_pipeline.mark_column));
  v_ids    integer[] := sluice._with_backfills(p_pipeline.pipeline_id);
  v_rows   bigint;
begin
  execute format('select count(*) from %s t where %s', v_target, v_own) into v_rows using v_ids;
  delete from pg_temp.sluice_differences d where d.what = 'not in the source';
  execute format($sql$insert into pg_temp.sluice_differences (place, what, key_hash, key, state)
select '', 'not in the source', %1$s, %2$s, 'confirmed' from %3$s t
where %4$s and not exists (select from pg_temp.sluice_source_keys k where k.key_hash = %1$s)$sql$,
    sluice._key_hash(v_target, v_key, 't'), sluice._key_json(v_key, 't'), v_target, v_own) using v_ids;
  return v_rows;
end
$$;

create or replace function sluice.source_differences(check_id uuid, most integer)
returns table (what text, key jsonb, place text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform sluice._checked_pipeline(source_differences.check_id);
  return query
  select d.what, d.key, nullif(d.place, '') from pg_temp.sluice_differences d
  where d.state not in ('due', 'changed') order by d.what, d.key, d.place limit most;
end
$$;

comment on function sluice.source_differences(uuid, integer) is
$$The differences that finish_source_check counts. check_id: see begin_source_check. most: no more than so many. what:
missing here, different, edited here (the row was changed behind the tool's back), newer here (by order_by), not deleted
here, not in quarantine (a bad record), not in the source. key: of the target; place: in the source.$$;
