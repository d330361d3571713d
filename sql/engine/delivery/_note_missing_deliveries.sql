create or replace function sluice._note_missing_deliveries(
  p_pipeline sluice.pipelines, p_target oid, p_key text[], p_batch_id bigint)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_is_delete boolean := p_pipeline.mark_column is null;
  v_noted     record;
begin
  if v_is_delete and p_pipeline.deliver ->> 'deletes' = 'false' then
    return;
  end if;
  execute format($sql$with noted as (
  insert into sluice.outbox (pipeline_id, key, key_hash, operation, hash, batch_id, deleted_row)
  select $1, %s, m.key_hash, $2, coalesce(t.sluice_hash, ''), $3, case $2 when 'delete' then to_jsonb(t) end
  from pg_temp.sluice_missing m join %s t on t.tableoid = m.class and t.ctid = m.place
  order by %s
  returning delivery_id)
select count(*) as count, min(delivery_id) as first_id from noted$sql$,
      sluice._key_json(p_key, 't'), sluice._met(p_target),
      (select string_agg(format('t.%I', k), ', ' order by n) from unnest(p_key) with ordinality as keys (k, n)))
    into v_noted
    using p_pipeline.pipeline_id, case when v_is_delete then 'delete' else 'upsert' end, p_batch_id;
  perform sluice._supersede_deliveries(p_pipeline.pipeline_id, v_noted.first_id, v_noted.count);
end
$$;

comment on function sluice._note_missing_deliveries(sluice.pipelines, oid, text[], bigint) is
  'Notes a delivery of each row of sluice_missing, before they are deleted, marked or unmarked.';
