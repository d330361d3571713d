create or replace function sluice.find_quarantined(
  pipeline text, quarantine_ids bigint[] default null, filter text default null, max_rows bigint default null)
returns setof bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- for the pipeline at hand: another one may have nearly all records
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_live_pipeline(find_quarantined.pipeline);
  v_ids      bigint[];
begin
  if find_quarantined.max_rows < 0 then
    raise exception using errcode = 'SL005', message = format('max_rows %s is negative', find_quarantined.max_rows),
      hint = 'leave it out for all records';
  end if;
  v_ids := sluice._chosen_records(v_pipeline, find_quarantined.quarantine_ids, 'quarantine_open_details',
    find_quarantined.filter, find_quarantined.max_rows);
  if find_quarantined.max_rows is not null then
    v_ids := array(
      select q.quarantine_id from sluice.quarantine q
      where q.pipeline_id = v_pipeline.pipeline_id and q.status = 'open'
        and (v_ids is null or q.quarantine_id = any (v_ids))
      order by q.quarantine_id limit find_quarantined.max_rows);
  end if;
  return query
  select q.quarantine_id
  from sluice.quarantine q
  left join sluice._batch_arrivals() a on a.batch_id = q.last_batch_id
  where q.pipeline_id = v_pipeline.pipeline_id and q.status = 'open'
    and (v_ids is null or q.quarantine_id = any (v_ids))
  order by coalesce(a.arrived_at, q.last_seen_at), q.quarantine_id;
end
$$;

comment on function sluice.find_quarantined(text, bigint[], text, bigint) is
$$The open quarantined records of a pipeline, in the order they arrived: what replay and discard take.
quarantine_ids: only these; SL005 names those that are not records of the pipeline.
filter: a condition on sluice.quarantine_open_details, one expression, run with the rights of the caller.
max_rows: at most that many, those with the lowest numbers.
Example: select * from sluice.find_quarantined('orders', filter => $f$ sqlstate = '22P02' $f$)$$;

create or replace function sluice.find_discarded(
  pipeline text, quarantine_ids bigint[] default null, filter text default null)
returns setof bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._find_live_pipeline(find_discarded.pipeline);
  v_ids      bigint[] := sluice._chosen_records(
    v_pipeline, find_discarded.quarantine_ids, 'quarantine_discarded', find_discarded.filter, null);
begin
  return query
  select q.quarantine_id from sluice.quarantine q
  where q.pipeline_id = v_pipeline.pipeline_id and q.status = 'discarded'
    and (v_ids is null or q.quarantine_id = any (v_ids))
  order by q.quarantine_id;
end
$$;

comment on function sluice.find_discarded(text, bigint[], text) is
$$The discarded records of a pipeline: what reopen takes.
quarantine_ids: only these; SL005 names those that are not records of the pipeline.
filter: a condition on sluice.quarantine_discarded, one expression, run with the rights of the caller.$$;

-- Which records of a pipeline a person means: those named, those that meet a condition on a view, or all (null).
-- SL005 for ids and filters that match none of its records. p_max_rows: of those that meet a condition only the
-- first.
create or replace function sluice._chosen_records(
  p_pipeline sluice.pipelines, p_ids bigint[], p_view text, p_filter text, p_max_rows bigint)
returns bigint[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
  v_unknown text[];
  v_found   bigint[];
  v_message text;
  v_hint    text;
begin
  v_unknown := array(
    select coalesce(i.id::text, 'null') from unnest(p_ids) with ordinality i (id, n)
    where not exists (
      select from sluice.quarantine q where q.quarantine_id = i.id and q.pipeline_id = p_pipeline.pipeline_id)
    order by i.n);
  if v_unknown <> '{}' then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s has no quarantined record %s%s', p_pipeline.name,
        array_to_string(v_unknown[:5], ', '), ' and ' || nullif(cardinality(v_unknown[6:]), 0) || ' more'),
      hint = format('its open ones: select id from sluice.quarantine_open where pipeline = %L', p_pipeline.name);
  end if;
  if p_filter is null then
    return p_ids;
  end if;
  begin
    -- First between brackets of another kind: what leaves the ones would have to leave the others, too.
    execute format(E'select array[\n%s\n] from sluice.%I limit 0', p_filter, p_view);
    if p_max_rows is null then
      execute format(E'select array(select id from sluice.%I where pipeline = %L and (\n%s\n))',
        p_view, p_pipeline.name, p_filter) into v_found;
    else
      v_found := sluice._first_chosen_records(p_pipeline.pipeline_id, p_view, p_filter, p_max_rows);
    end if;
  exception when syntax_error_or_access_rule_violation or data_exception or feature_not_supported then
    get stacked diagnostics v_message = message_text, v_hint = pg_exception_hint;
    v_message := case btrim(p_filter) when '' then 'it is empty' else v_message end;
    v_hint := case when btrim(p_filter) <> '' then v_hint end;
    raise exception using errcode = 'SL005',
      message = format('filter %s cannot be used: %s', quote_literal(p_filter), v_message),
      hint = concat_ws('; ', nullif(rtrim(v_hint, '.'), ''), format('a condition on the columns of sluice.%s,'
        ' such as sqlstate = ''22P02'' and "column" = ''amount''', p_view));
  end;
  return array(
    select q.quarantine_id from sluice.quarantine q
    where q.pipeline_id = p_pipeline.pipeline_id and q.quarantine_id = any (v_found)
      and (p_ids is null or q.quarantine_id = any (p_ids)));
end
$$;

-- The first open records that meet a condition, p_max_rows of them or more: searched in larger and larger parts of
-- the quarantine, as an ordered view would be read to its end.
create or replace function sluice._first_chosen_records(
  p_pipeline_id integer, p_view text, p_filter text, p_max_rows bigint)
returns bigint[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
  v_part  bigint[];
  v_some  bigint[];
  v_found bigint[] := '{}';
  v_size  integer := 100;
begin
  loop
    v_part := array(
      select q.quarantine_id from sluice.quarantine q
      where q.pipeline_id = p_pipeline_id and q.status = 'open'
        and q.quarantine_id > coalesce(v_part[cardinality(v_part)], 0)
      order by q.quarantine_id limit v_size);
    execute format(E'select array(select id from sluice.%I where id = any (%L) and (\n%s\n))', p_view, v_part, p_filter)
      into v_some;
    v_found := v_found || v_some;
    exit when cardinality(v_found) >= p_max_rows or cardinality(v_part) < v_size;
    v_size := least(v_size * 2, 10000);
  end loop;
  return v_found;
end
$$;
