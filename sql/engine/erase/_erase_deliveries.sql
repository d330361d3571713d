-- The outbox: deliveries of the key, of rows that belong to it, and bodies and answers that contain a text. What is
-- in flight stays until it has arrived, and so does a delete that the other side has not been told.
create or replace function sluice._erase_deliveries(
  p_pipeline sluice.pipelines, p_key jsonb, p_texts text[], p_rows boolean)
returns table (place text, traces bigint, erased bigint, detail text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_keys jsonb := '[]';
begin
  if not exists (select from sluice.delivery_state s where s.pipeline_id = p_pipeline.pipeline_id) then
    return;
  end if;
  -- Before their outbox.
  perform from sluice.delivery_state s where s.pipeline_id = p_pipeline.pipeline_id order by s.route for update;
  if p_key is not null then
    v_keys := sluice._keys_in_outbox(p_pipeline, p_key);
  end if;
  with meant as materialized (
    select o.delivery_id, coalesce(k.is_of_key, false) or sluice._says(o.key::text, p_texts)
        or sluice._says(o.deleted_row::text, p_texts) as is_of_key,
      -- The row of the key goes, and what was to be sent about it; other rows stay.
      o.state = 'in_flight' or o.state = 'unsent'
        and (o.operation = 'delete' or not (p_rows and coalesce(k.is_of_key, false))) as is_needed
    from sluice.outbox o
    left join lateral (
      select true as is_of_key
      from jsonb_to_recordset(v_keys) k (route integer, hashes jsonb, of_row jsonb)
      where k.route = o.route and (k.hashes ? encode(o.key_hash, 'hex') or o.deleted_row @> k.of_row) limit 1) k on true
    where o.pipeline_id = p_pipeline.pipeline_id and (k.is_of_key or sluice._says(o.key::text, p_texts)
      or sluice._says(o.deleted_row::text, p_texts) or sluice._says(o.body, p_texts)
      or sluice._says(o.answer, p_texts) or sluice._says(o.error, p_texts))
  ), gone as (
    delete from sluice.outbox o using meant m where o.delivery_id = m.delivery_id and m.is_of_key and not m.is_needed
  ), emptied as (
    -- Another row's, which was sent or answered together with it: redeliver makes its body again.
    update sluice.outbox o set body = null, answer = null, error = 'erased'
    from meant m where o.delivery_id = m.delivery_id and not m.is_of_key and not m.is_needed)
  select count(*), count(*) filter (where not m.is_needed) into traces, erased from meant m;
  place := 'deliveries';
  detail := concat_ws('; ',
    case when traces > erased then
      format('%s are not sent yet: deliver or discard them, then erase once more', traces - erased) end,
    case when not p_rows and exists (select from sluice.delivery_state s
        where s.pipeline_id = p_pipeline.pipeline_id and s.sent_count > 0)
      then 'what was sent stands where it was sent to, which is not told' end);
  return next;
end
$$;

comment on function sluice._erase_deliveries(sluice.pipelines, jsonb, text[], boolean) is
  'Erases deliveries of a key, and bodies and answers in which a text stands.';

-- For each route, how deliveries of a key are known: the hash of its own row, or those of rows in further targets
-- that belong to it, and what a deleted row leaves of it.
create or replace function sluice._keys_in_outbox(p_pipeline sluice.pipelines, p_key jsonb)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_key    record := sluice._typed_key(p_pipeline, p_key);
  v        record;
  v_hashes jsonb;
  v_keys   jsonb := jsonb_build_array(jsonb_build_object('route', 1, 'of_row', v_key.key,
    'hashes', jsonb_build_array(encode(v_key.key_hash, 'hex'))));
begin
  for v in
    select distinct on (s.route) s.route, t.* from sluice.delivery_state s
    join sluice.transforms d using (pipeline_id)
    cross join lateral sluice._version_targets(d.pipeline_id, d.version) t
    where s.pipeline_id = p_pipeline.pipeline_id and t.target = s.target and t.number > 1
      and to_regclass(t.target) is not null
    order by s.route, t.version = p_pipeline.active_version desc, t.version desc
  loop
    execute format('select coalesce(jsonb_agg(encode(%s, ''hex'')), ''[]'') from %s t join %s p on %s',
      sluice._key_hash(to_regclass(v.target), v.key, 't'), to_regclass(v.target), v_key.row_sql,
      sluice._parent_condition(v_key.target, v_key.columns, v.parent, 't')) into v_hashes using v_key.given;
    v_keys := v_keys || jsonb_build_object('route', v.route, 'hashes', v_hashes, 'of_row', (
      select jsonb_object_agg(c.of_child, v_key.key -> c.of_first)
      from unnest(v_key.columns, v.parent) c (of_first, of_child)));
  end loop;
  return v_keys;
end
$$;
