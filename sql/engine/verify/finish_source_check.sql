create or replace function sluice.finish_source_check(check_id uuid)
returns table (check_name text, is_ok boolean, detail text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._checked_pipeline(finish_source_check.check_id);
  v          record;
  v_targets  jsonb := '[]';
begin
  delete from pg_temp.sluice_differences d where d.what = 'not in the source';
  for v in select * from sluice._version_targets(v_pipeline.pipeline_id, null) t order by t.number loop
    v_targets := v_targets || jsonb_build_object('target', v.target, 'number', v.number,
      'is_kept', v.children = 'keep', 'rows', sluice._note_rows_not_in_source(v_pipeline, v.number, v.target, v.key));
  end loop;
  analyze pg_temp.sluice_source_keys;
  analyze pg_temp.sluice_differences;
  -- These go with their record.
  delete from pg_temp.sluice_differences d using pg_temp.sluice_differences l
  where d.what = 'not in the source' and l.what = 'not in its record' and l.of_target = d.of_target
    and l.key_hash = d.key_hash;
  with excused as (
    delete from pg_temp.sluice_differences d
    where (d.of_target, d.key_hash) in (
      select k.of_target, k.key_hash from pg_temp.sluice_source_keys k where k.is_same)
    returning d.place, d.of_target)
  -- What another record made anew has no say about its children.
  delete from pg_temp.sluice_differences d
  where d.of_target <> '' and d.place in (select e.place from excused e where e.of_target = '');

  select c.*, d.* into strict v from pg_temp.sluice_source_check c cross join (
    select count(distinct d.place) filter (where is_open and d.what <> 'not in the source') as differing,
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

  return query
  select 'target rows' || case when t.number > 1 then ' of ' || t.target else '' end,
    -- A record that cannot be transformed may be that of any row.
    case when d.not_in_source = 0 or t.is_kept then true when d.bad = 0 then false end,
    case when d.not_in_source = 0 then format('rows: %s, all are in the source', t.rows)
      else concat_ws('; ',
        format('%s of %s rows are not in the source any more', d.not_in_source, t.rows)
          || case when v.filtered > 0 then ', or are filtered now' else '' end,
        case when t.is_kept then 'children => keep lets them stay' end,
        'or they are those of records that cannot be transformed now: ' || nullif(d.bad, 0)) end
  from jsonb_to_recordset(v_targets) t (target text, number integer, is_kept boolean, rows bigint)
  cross join lateral (
    -- A record that has its key still has none of those of its children.
    select count(*) as not_in_source, case when t.number > 1 then v.bad else v.bad_without_key end as bad
    from pg_temp.sluice_differences d
    where d.what = 'not in the source' and d.of_target = case when t.number > 1 then t.target else '' end) d
  order by t.number;
end
$$;

comment on function sluice.finish_source_check(uuid) is
$$The verdict on a comparison with the source, as lines of sluice.verify: source rows, whether each record is in the
target as the active version makes it, and in all targets where there are several; target rows, whether each row that
the pipeline wrote still is in the source.
check_id: see begin_source_check.$$;

-- Notes the rows that the pipeline wrote before the source was read, and whose key no record has; returns how many it
-- wrote.
create or replace function sluice._note_rows_not_in_source(
  p_pipeline sluice.pipelines, p_number integer, p_target text, p_key text[])
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
set enable_nestloop = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_target regclass := p_target;
  v_rows   bigint;
begin
  -- Without parameters and functions of the engine: the rows may stand on other servers.
  execute format($sql$with own as materialized (
  select %1$s as key_hash, %2$s as key from %3$s t
  where t.sluice_batch < %4$s and %5$s%6$s),
noted as (
  insert into pg_temp.sluice_differences (place, what, key_hash, key, state, of_target)
  select '', 'not in the source', o.key_hash, o.key, 'confirmed', %7$L from own o
  where not exists (
    select from pg_temp.sluice_source_keys k where k.of_target = %7$L and k.key_hash = o.key_hash))
select count(*) from own$sql$,
      sluice._key_hash(v_target, p_key, 't'), sluice._key_json(p_key, 't'), v_target,
      (select c.before_batch from pg_temp.sluice_source_check c), sluice._is_own_sql(p_pipeline.pipeline_id),
      case when p_number = 1 then ' and ' || sluice._unmarked_condition(v_target, p_pipeline.mark_column) end,
      case when p_number > 1 then p_target else '' end)
    into v_rows;
  return v_rows;
end
$$;

create or replace function sluice.source_differences(check_id uuid, most integer)
returns table (what text, key jsonb, place text, target text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform sluice._checked_pipeline(source_differences.check_id);
  return query
  select d.what, d.key, nullif(d.place, ''), nullif(d.of_target, '') from pg_temp.sluice_differences d
  where d.state not in ('due', 'changed') order by d.of_target, d.what, d.key, d.place limit most;
end
$$;

comment on function sluice.source_differences(uuid, integer) is
$$The differences that finish_source_check counts. check_id: see begin_source_check. most: how many at most. what:
missing here, different, edited here (the row was changed behind the tool's back), newer here (by order_by), not deleted
here, not in its record (a row of a further target that its parent no longer has), not in quarantine (a bad record), not
in the source. key: of the target; place: in the source; target: a further
one.$$;
