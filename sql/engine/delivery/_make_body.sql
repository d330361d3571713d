-- The body is made when a delivery is first attempted, from the row as it is then: the newest there is, and what it
-- costs is no batch's time. A row whose body raises is the only one that waits for it.
create or replace function sluice._make_body(
  p_delivery sluice.outbox, p_pipeline text, p_body_sql text, p_search_path text)
returns sluice.outbox
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v         sluice.outbox := p_delivery;
  v_found   record;
  v_message text;
begin
  begin
    perform set_config('search_path', p_search_path, true);
    execute p_body_sql using v.key, v.deleted_row, jsonb_build_object('pipeline', p_pipeline, 'operation', v.operation,
      'key', v.key, 'batch', v.batch_id, 'delivery', v.delivery_id,
      'idempotency_key', sluice._idempotency_key(p_pipeline, v)) into v_found;
    perform set_config('search_path', 'pg_catalog, pg_temp', true);
  exception when others then
    if sluice._is_run_fault(sqlstate) or left(sqlstate, 2) = '42' then
      raise; -- what is missing is missing for every row
    end if;
    get stacked diagnostics v_message = message_text;
    v.state := 'dead';
    v.error := format('the body cannot be made: %s %s', sqlstate, v_message);
    return v;
  end;
  -- Another writer may have put the row back, or taken it away.
  if (v.operation = 'delete') = v_found.is_there then
    v.state := case when v.operation = 'delete' or exists (
      select from sluice.outbox n where n.pipeline_id = v.pipeline_id and n.key_hash = v.key_hash
        and n.delivery_id > v.delivery_id) then 'superseded' else 'dead' end;
    v.error := case v.operation when 'delete' then 'the row is there again'
      else 'the row is not in the target any more, and no batch deleted it' end;
  elsif v_found.body is null then
    v.state := 'filtered';
  else
    v.state := 'in_flight';
    v.body := v_found.body;
    v.attempts := 1;
    v.attempted_at := clock_timestamp();
    v.error := null;
  end if;
  return v;
end
$$;

comment on function sluice._make_body(sluice.outbox, text, text, text) is
  'A delivery with its body, in flight; or filtered, superseded or dead, with its error.';

-- $1: the key as people read it; $2: the row, if it was deleted; $3: what goes with it.
create or replace function sluice._body_sql(p_pipeline sluice.pipelines, p_function text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$select found.place is not null as is_there,
  case when (found.place is not null) = ($2 is null) then (%1$s)::text end as body
from (values (true)) one (row)
left join lateral (select t.ctid as place, t as r from %2$s) found on true
cross join lateral (select case when $2 is null then found.r else jsonb_populate_record(null::%3$s, $2) end as r) o
where $3 is not null$sql$,
    case when f.oid is null then 'to_jsonb(o.r) - ''{sluice_hash,sluice_batch}''::text[]'
      else format('%s(o.r%s)', f.oid::regproc, case f.pronargs when 2 then ', $3' else '' end) end,
    sluice._row_of_json_key_sql(to_regclass(p_pipeline.target), t.key, '$1'), to_regclass(p_pipeline.target))
  from sluice.transforms t left join pg_proc f on f.oid = to_regprocedure(p_function)
  where t.pipeline_id = p_pipeline.pipeline_id and t.version = p_pipeline.active_version
$$;
