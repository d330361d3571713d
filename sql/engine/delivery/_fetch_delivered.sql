create or replace function sluice._fetch_delivered(p_pipeline sluice.pipelines, p_ids bigint[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_target oid    := to_regclass(p_pipeline.target);
  v_key    text[] := (sluice._latest_version(p_pipeline)).key;
begin
  perform sluice._fetch_met(v_target, array[sluice._fetch_sql(v_target, v_key, (
      select format('select distinct k.* from sluice.outbox d cross join lateral pg_catalog.jsonb_to_record(d.key) '
        'as k (%s) where d.delivery_id = any (%L::pg_catalog.int8[])',
        string_agg(format('%I %s', c.column_name, c.type_name), ', '), p_ids)
      from sluice._target_columns(v_target, v_key) c),
    sluice._key_condition(v_target, v_key, 't', 's'))]);
end
$$;

comment on function sluice._fetch_delivered(sluice.pipelines, bigint[]) is
  'Fetches from a distributed target the rows of these deliveries.';
