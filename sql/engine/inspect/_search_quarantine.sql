-- Records of a key, by what is known: the keys that a record made when it came far enough, else what fields of its
-- payload say, and of the latest open ones the key that their transform makes of them now. unsearched: open records of
-- which none of this can be had.
create or replace function sluice._search_quarantine(
  p_pipeline sluice.pipelines, p_target oid, p_columns text[], p_row_sql text, p_given jsonb, p_key jsonb,
  out ids bigint[], out unsearched bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_limit   constant integer := 1000;
  v_version sluice.transforms;
  v_sql     text;
  v_piece   bytea;
  v_some    bigint[];
  v_found   record;
begin
  select * into v_version from sluice.transforms t
  where t.pipeline_id = p_pipeline.pipeline_id and t.version = p_pipeline.active_version;
  v_sql := sluice._makes_key_sql(v_version, p_target, p_columns, p_row_sql);
  -- A piece of the key that stands in a payload in any spelling: most are not worth parsing.
  v_piece := (
    select convert_to(m[1], 'UTF8')
    from jsonb_each_text(p_key) k cross join regexp_matches(k.value, '[A-Za-z0-9 .:+_-]+', 'g') m
    order by length(m[1]) desc limit 1);
  ids := array(
    select q.quarantine_id from sluice.quarantine q
    where q.pipeline_id = p_pipeline.pipeline_id and q.keys @> jsonb_build_array(p_key));
  -- All that is asked of records without a key, which may be very many, in one reading.
  select array_agg(q.quarantine_id) filter (
      where q.keys is null and coalesce(position(v_piece in q.payload) > 0, true)
          and sluice._payload_has_key(q.payload, p_key)
        or q.original_payload is not null and sluice._payload_has_key(q.original_payload, p_key)) as ids,
    count(*) filter (where q.status = 'open' and q.keys is null) as without_key
    into v_found
  from sluice.quarantine q
  where q.pipeline_id = p_pipeline.pipeline_id and (q.keys is null or q.original_payload is not null);
  ids := array(select unnest(ids) union select unnest(v_found.ids));
  unsearched := case when v_sql is null then v_found.without_key
    else greatest(v_found.without_key - v_limit, 0) end;
  for v_some in
    select array_agg(o.quarantine_id)
    from (
      select l.quarantine_id, row_number() over () / 50 as number
      from (
        select q.quarantine_id from sluice.quarantine q
        where q.pipeline_id = p_pipeline.pipeline_id and q.status = 'open' and q.keys is null and v_sql is not null
        order by q.quarantine_id desc limit v_limit) l) o
    group by o.number
  loop
    v_found := sluice._records_of_key(
      array(select unnest(v_some) except select unnest(ids)), v_sql, v_version, p_pipeline.name, p_given);
    ids := ids || v_found.ids;
    unsearched := unsearched + v_found.unsearched;
  end loop;
  ids := array(select i from unnest(ids) i order by i desc);
end
$$;

comment on function sluice._search_quarantine(sluice.pipelines, oid, text[], text, jsonb, jsonb) is
  'The quarantined records of a key, the latest first, and how many open ones could not be told.';

-- Those of some records of which the transform makes the key, and of how many that cannot be told.
create or replace function sluice._records_of_key(
  p_ids bigint[], p_sql text, p_version sluice.transforms, p_pipeline text, p_given jsonb,
  out ids bigint[], out unsearched bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
begin
  unsearched := 0;
  perform set_config('search_path', p_version.search_path, true);
  execute p_sql into ids using p_given, p_ids, p_pipeline, p_version.version;
exception when others then -- whatever it is: of one of them no key is to be had
  if cardinality(p_ids) = 1 then
    ids := '{}';
    unsearched := 1;
    return;
  end if;
  select coalesce(array_agg(s.ids[1]) filter (where s.ids <> '{}'), '{}'), coalesce(sum(s.unsearched), 0)
    into ids, unsearched
  from unnest(p_ids) i (id)
  cross join lateral sluice._records_of_key(array[i.id], p_sql, p_version, p_pipeline, p_given) s;
end
$$;

-- Of a transform that is a plain query only the expressions of the key are run, and what is wrong with other columns
-- does not matter. $1: the key; $2: the records; $3, $4: pipeline and version. Null where it cannot be called.
create or replace function sluice._makes_key_sql(
  p_version sluice.transforms, p_target oid, p_columns text[], p_row_sql text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$select array(
  select q.quarantine_id from sluice.quarantine q
  where q.quarantine_id operator(pg_catalog.=) any ($2) and exists (
    select from (
      select pg_catalog.convert_from(q.payload, 'UTF8')::pg_catalog.jsonb as doc, pg_catalog.jsonb_build_object(
        'origin', q.origin, 'position', q.position, 'pipeline', $3, 'batch', q.last_batch_id, 'version', $4,
        'run_started_at', q.last_seen_at) as meta
      offset 0) s
    cross join lateral (select %s from %s(%s) r) t join %s k on %s))$sql$,
    (select string_agg(format('%s as %I', c.coercion, c.column_name), ', ')
      from sluice._target_columns(p_target, p_columns) c),
    split_part(p_version.function, '(', 1), case when p_version.takes_meta then 's.doc, s.meta' else 's.doc' end,
    p_row_sql, sluice._key_condition(p_target, p_columns, 't', 'k'))
  where to_regprocedure(p_version.function) is not null
    and has_function_privilege(to_regprocedure(p_version.function), 'execute')
    and p_version.function like '%(jsonb%'
$$;

-- Whether a payload is a document whose fields of these names have these values.
create or replace function sluice._payload_has_key(p_payload bytea, p_key jsonb)
returns boolean
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_doc jsonb;
begin
  -- Most payloads are not worth parsing.
  if exists (select from jsonb_each_text(p_key) k where position(convert_to(k.value, 'UTF8') in p_payload) = 0) then
    return false;
  end if;
  v_doc := convert_from(p_payload, 'UTF8')::jsonb;
  return not exists (select from jsonb_each_text(p_key) k where v_doc ->> k.key is distinct from k.value);
exception when data_exception or program_limit_exceeded then
  return false; -- no text, or no JSON
end
$$;
