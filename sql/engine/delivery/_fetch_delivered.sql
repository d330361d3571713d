create or replace function sluice._fetch_delivered(p_pipeline sluice.pipelines, p_ids bigint[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_target oid    := to_regclass(p_pipeline.target);
  v_key    text[] := (sluice._latest_version(p_pipeline)).key;
begin
  perform sluice._fetch_met(v_target, array_agg(sluice._fetch_sql(v_target, v_key, (
      select format('select distinct k.* from sluice.outbox d cross join lateral pg_catalog.jsonb_to_record(d.%s) '
        'as k (%s) where d.delivery_id = any (%L::pg_catalog.int8[])',
        f.kept_in, string_agg(format('%I %s', c.column_name, c.type_name), ', '), p_ids)
      from sluice._target_columns(v_target, f.names) c),
    sluice._key_condition(v_target, f.names, 't', 's'))))
  from (values ('key', v_key), ('deleted_row', sluice._delivered_key(p_pipeline, v_key))) f (kept_in, names)
  where f.names is not null;
end
$$;

comment on function sluice._fetch_delivered(sluice.pipelines, bigint[]) is
  'Fetches from a distributed target the rows that these deliveries are about, see sluice._delivered_row_sql.';
