create or replace function sluice.drift(
  pipeline text, since interval default '30 days', all_fields boolean default false)
returns table (
  field text, state text, is_read boolean, first_seen_at timestamptz, first_in text, last_seen_at timestamptz,
  last_in text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select * from (
    select f.field,
      case when f.last_run_id < max(f.last_run_id) over () then 'gone'
        when f.first_run_id > min(f.first_run_id) over () and f.first_seen_at > now() - drift.since then 'new'
        end as state,
      exists (
        select from sluice._version_targets(p.pipeline_id, null) t
        where position(quote_literal(f.field) in t.function_text) > 0) as is_read,
      f.first_seen_at, f.first_origin, f.last_seen_at, f.last_origin
    from sluice._find_live_pipeline(drift.pipeline) p
    join sluice.record_fields f on f.pipeline_id = p.pipeline_id) d
  where drift.all_fields or d.state = 'new' or d.state = 'gone' and d.last_seen_at > now() - drift.since
  order by d.state is null, d.state, not d.is_read, d.field
$$;

comment on function sluice.drift(text, interval, boolean) is
$$How the fields of a pipeline's records have changed: new, which no earlier run had, and gone, which the last run with
records had no more. is_read: whether the active transform names the field. Only top-level fields, and by a sample of
every batch: the first record of each file and a hundred others, so a rare field may be missed.
since: only changes within that time. all_fields: also those that have not changed.
Example: select * from sluice.drift('orders')$$;
