-- Rows that no merge writes: missing ones, children that their parent no longer has, what is erased, and what is to be
-- sent once more. Called while they are still there.
create or replace function sluice._note_rows(
  p_only sluice.pipelines, p_target oid, p_key text[], p_operation text, p_rows text, p_batch_id bigint,
  p_given jsonb default null)
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_owner integer := coalesce(p_only.backfill_of, p_only.pipeline_id);
  v_route integer := sluice._route(p_only);
  v_noted record;
begin
  if p_only.deliver is null or p_operation = 'delete' and p_only.deliver ->> 'deletes' = 'false' then
    return 0;
  end if;
  -- Found without functions of the engine: the rows may stand on other servers.
  execute format($sql$with found as materialized (
  select %s as key, %s as key_hash, coalesce(t.sluice_hash, '') as hash, %s as deleted_row,
    row_number() over (order by %s) as place
  from %s),
noted as (
  insert into sluice.outbox (pipeline_id, route, key, key_hash, operation, hash, batch_id, deleted_row)
  select %s, %s, f.key, f.key_hash, %L, f.hash, %s, f.deleted_row from found f order by f.place
  returning delivery_id)
select count(*) as count, min(delivery_id) as first_id from noted$sql$,
      sluice._key_json(p_key, 't'), sluice._key_hash(p_target, p_key, 't'),
      case p_operation when 'delete' then 'to_jsonb(t.*)' else 'null::jsonb' end, sluice._column_list(p_key, 't'),
      p_rows, v_owner, v_route, p_operation, p_batch_id)
    into v_noted using p_given;
  perform sluice._supersede_deliveries(v_owner, v_route, v_noted.first_id, v_noted.count,
    sluice._delivered_key(p_only, p_key) is not null);
  return v_noted.count;
end
$$;

comment on function sluice._note_rows(sluice.pipelines, oid, text[], text, text, bigint, jsonb) is
$$Notes a delivery of each row t of p_rows, a from clause in which $1 is p_given, unless such rows are not delivered;
returns how many. p_only: the pipeline as if the target were its only one. p_operation: upsert or delete.$$;
