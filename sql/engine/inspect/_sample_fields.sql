-- Which top-level fields the records of the open batch have, each with a place it was seen in; of a sample. For drift.
create or replace function sluice._sample_fields()
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  if not exists (select from pg_temp.sluice_staging) then
    return null; -- and no plan is made
  end if;
  return (
    select jsonb_object_agg(field, origin)
    from (
      select field, min(o.origin) as origin
      from pg_temp.sluice_staging s
      left join lateral (
        select o.origin from pg_temp.sluice_origins o
        where o.first_ordinal <= s.ordinal order by o.first_ordinal desc limit 1) o on true
      cross join lateral (select s.payload::jsonb as doc offset 0) d
      cross join lateral jsonb_object_keys(case when jsonb_typeof(d.doc) = 'object' then d.doc else '{}' end) field
      where (s.ordinal % (select greatest(b.extracted / 100, 1) from pg_temp.sluice_batch b) = 0
          or s.ordinal in (select o.first_ordinal from pg_temp.sluice_origins o))
        and octet_length(s.payload) < 65536
        and s.ordinal not in (select f.ordinal from pg_temp.sluice_faults f)
      group by field) seen);
exception when data_exception then
  return null; -- no JSON is among what was not parsed
end
$$;

comment on function sluice._sample_fields() is
  'The fields of a sample of the records that could be transformed.';

-- Once a run, and for what is new: most batches write nothing.
create or replace function sluice._note_fields(p_ledger sluice.batches, p_fields jsonb)
returns void
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  insert into sluice.record_fields as f (pipeline_id, field, first_run_id, first_origin, last_run_id, last_origin)
  select p_ledger.pipeline_id, s.key, p_ledger.run_id, s.value, p_ledger.run_id, s.value
  from jsonb_each_text(p_fields) s
  where not exists (
      select from sluice.record_fields o
      where o.pipeline_id = p_ledger.pipeline_id and o.field = s.key and o.last_run_id = p_ledger.run_id)
    -- Records that are maps have as many fields as there are things in the world.
    and (select count(*) from sluice.record_fields o where o.pipeline_id = p_ledger.pipeline_id) < 1000
  order by s.key
  on conflict (pipeline_id, field) do update set
    last_run_id = excluded.last_run_id, last_seen_at = excluded.last_seen_at, last_origin = excluded.last_origin
$$;

-- What is to be said of a header that lacks columns which the file before it had; null for nothing.
create or replace function sluice._lost_columns(p_pipeline_id integer, p_cursor jsonb, p_objects jsonb)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with file as (
    select 0 as place, o.object, o.position -> 'columns' as columns
    from sluice.source_objects o where o.pipeline_id = p_pipeline_id and o.object = p_cursor ->> 'object'
    union all
    select x.place, x.object ->> 'object', x.object #> '{position,columns}'
    from jsonb_array_elements(p_objects) with ordinality x (object, place)
  ), named as (
    select f.*, lag(f.object) over w as before, lag(f.columns) over w as columns_before
    from file f where jsonb_typeof(f.columns) = 'array'
    window w as (order by f.place)
  )
  select sluice._first_and_more(array_agg(format('%s has no column %s, which %s had', n.object, d.lost, n.before)
    || coalesce('; new is ' || d.new, '') order by n.place))
  from named n
  cross join lateral (
    select (
        select string_agg(c, ', ') from jsonb_array_elements_text(n.columns_before) c where not n.columns ? c) as lost,
      (select string_agg(c, ', ') from jsonb_array_elements_text(n.columns) c where not n.columns_before ? c) as new) d
  where n.before <> n.object and d.lost is not null
$$;
