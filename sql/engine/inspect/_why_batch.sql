create or replace function sluice._why_batch(p_batch_id bigint, p_key jsonb, p_columns text[], p_row_sql text,
  p_typed_key jsonb, p_target oid)
returns table (fact text, value text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_batch   sluice.batches;
  v_place   text;
  v_payload text;
  v_trouble text;
begin
  select * into v_batch from sluice.batches b where b.batch_id = p_batch_id;
  if not found then
    return query
    select 'batch', coalesce((
      select format('%s, %s of %s by version %s; the rest was pruned from the ledger', b.batch_id, b.kind,
        b.committed_at::timestamptz(0), b.version)
      from sluice.pruned_batches b where b.batch_id = p_batch_id),
      format('%s, which is not in the ledger: of a pipeline that was dropped', p_batch_id));
    return;
  end if;
  return query
  select f.fact, f.value
  from sluice.pipelines p
  left join sluice.runs r on r.run_id = v_batch.run_id
  left join sluice._version_targets(coalesce(p.backfill_of, p.pipeline_id), v_batch.version) t
    on to_regclass(t.target) = p_target and t.version = v_batch.version
  cross join lateral (values
    ('pipeline', p.name),
    ('batch', format('%s, %s', v_batch.batch_id, case
      when v_batch.reloads is not null then format('a reload of batch %s', v_batch.reloads)
      when v_batch.kind = 'replay' then 'a replay of quarantined records'
      else v_batch.kind end)),
    ('committed', v_batch.committed_at::text),
    ('run', r.run_id || ', ' || r.loader),
    ('by', v_batch.recorded_by),
    ('version', t.version || ', ' || t.function),
    ('note', v_batch.note)) f (fact, value)
  where p.pipeline_id = v_batch.pipeline_id and f.value is not null;

  if v_batch.kind = 'replay' and v_batch.reloads is null then
    return query
    select f.fact, f.value
    from (
      select * from sluice.quarantine q
      where q.resolved_batch_id = v_batch.batch_id and q.keys @> jsonb_build_array(p_typed_key)
      order by q.last_batch_id desc, q.position desc limit 1) q
    cross join lateral (values
      ('replay of', 'quarantined record ' || q.quarantine_id),
      ('source', concat_ws(':', q.origin, q.position)),
      ('payload', case when sluice._is_text(q.payload) then convert_from(q.payload, 'UTF8') end)) f (fact, value);
    return;
  end if;
  if v_batch.kind not in ('load', 'replay') then
    return; -- no record stands behind it
  end if;
  begin
    select concat_ws(':', r.origin, r.position), r.payload into v_place, v_payload
    from sluice._retained_record_of_key(v_batch, p_key, p_columns, p_row_sql, p_target) r;
  exception
    when sqlstate 'SL005' or sqlstate 'SL006' then
      v_trouble := sqlerrm; -- the version cannot run any more
    when read_only_sql_transaction then
      v_trouble := 'that takes temporary tables, and here everything is read only';
  end;
  if v_payload is not null then
    return query values ('source', v_place), ('payload', v_payload);
    return;
  end if;
  return query
  select 'source', string_agg(o.place, ', ' order by o.number) || case
    when count(*) < jsonb_array_length(v_batch.origins)
      then format(' and %s more', jsonb_array_length(v_batch.origins) - count(*)) else '' end
  from (
    select x.number, concat_ws(':', x.origin ->> 'origin', nullif(concat_ws('-', x.origin ->> 'first_position',
      nullif(x.origin ->> 'last_position', x.origin ->> 'first_position')), '')) as place
    from jsonb_array_elements(v_batch.origins) with ordinality x (origin, number) order by x.number limit 5) o
  having count(*) > 0;
  return query values ('payload', case
    when v_trouble is not null then 'cannot be looked for: ' || v_trouble
    when exists (select from sluice.pipelines p,
      sluice._raw_counts(coalesce(p.backfill_of, p.pipeline_id), array[coalesce(v_batch.reloads, v_batch.batch_id)])
        where p.pipeline_id = v_batch.pipeline_id) then 'not found among those retained'
    else 'not retained' end);
end
$$;

comment on function sluice._why_batch(bigint, jsonb, text[], text, jsonb, oid) is
$$What is known of the batch that wrote or deleted a key, and of the record it came from: exactly where its payload is
retained, else all places that the batch read.$$;

-- The retained record that made a key; nulls where there is none. p_columns, p_row_sql: of _typed_key.
create or replace function sluice._retained_record_of_key(
  p_batch sluice.batches, p_key jsonb, p_columns text[], p_row_sql text, p_target oid,
  out origin text, out "position" bigint, out payload text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ordinal  integer := (sluice._retained_ordinals_of_key(p_batch, p_key, p_columns, p_row_sql, p_target))[1];
  v_batch_id bigint := coalesce(p_batch.reloads, p_batch.batch_id);
  v_relation regclass;
begin
  for v_relation in
    select t.relation from sluice.pipelines p,
      sluice._raw_tables(coalesce(p.backfill_of, p.pipeline_id)) t
    where p.pipeline_id = p_batch.pipeline_id and v_ordinal is not null
  loop
    execute format($sql$select r.position, r.payload
from %s c cross join lateral unnest(c.ordinals, c.positions, c.payloads) r (ordinal, position, payload)
where c.batch_id = $1 and r.ordinal = $2$sql$, v_relation) into "position", payload using v_batch_id, v_ordinal;
    exit when payload is not null;
  end loop;
  origin := sluice._origin_of(p_batch.origins, v_ordinal);
end
$$;
