-- Bodies are made when a delivery is first attempted, from the row as it is then: the newest there is, and what it
-- costs is no batch's time. All of them in one statement; where that raises, in halves, until the row is alone that
-- does, which is the only one that waits for it.
create or replace function sluice._make_bodies(
  p_pipeline text, p_body_sql text, p_search_path text, p_ids bigint[],
  out ids bigint[], out are_there boolean[], out bodies text[], out errors text[])
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_half  integer := cardinality(p_ids) / 2;
  v_some  record;
  v_other record;
begin
  begin
    perform set_config('search_path', p_search_path, true);
    execute p_body_sql into ids, are_there, bodies using p_ids, p_pipeline;
    perform set_config('search_path', 'pg_catalog, pg_temp', true);
    errors := array_fill(null::text, array[cardinality(ids)]);
    return;
  exception when others then
    if sluice._is_run_fault(sqlstate) or left(sqlstate, 2) = '42' then
      raise; -- what is missing is missing for every row
    elsif v_half = 0 then
      ids := p_ids;
      errors := array[format('the body cannot be made: %s %s', sqlstate, sqlerrm)];
      are_there := '{null}';
      bodies := '{null}';
      return;
    end if;
  end;
  v_some  := sluice._make_bodies(p_pipeline, p_body_sql, p_search_path, p_ids[:v_half]);
  v_other := sluice._make_bodies(p_pipeline, p_body_sql, p_search_path, p_ids[v_half + 1:]);
  ids       := v_some.ids || v_other.ids;
  are_there := v_some.are_there || v_other.are_there;
  bodies    := v_some.bodies || v_other.bodies;
  errors    := v_some.errors || v_other.errors;
end
$$;

comment on function sluice._make_bodies(text, text, text, bigint[]) is
  'What is sent for these deliveries, in their order, and whether their row is in the target; or why not.';

-- $1: which deliveries; $2: the pipeline.
create or replace function sluice._body_sql(p_pipeline sluice.pipelines, p_function text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- "offset 0": each row is looked up by its key, however many there are.
  select format($sql$select pg_catalog.array_agg(b.delivery_id order by b.delivery_id),
  pg_catalog.array_agg(b.is_there order by b.delivery_id), pg_catalog.array_agg(b.body order by b.delivery_id)
from (
  select d.delivery_id, found.place is not null as is_there,
    case when (found.place is not null) = (d.deleted_row is null) then (%1$s)::pg_catalog.text end as body
  from sluice.outbox d
  left join lateral (%2$s) found on true
  cross join lateral (
    select case when d.deleted_row is null then found.r
      else pg_catalog.jsonb_populate_record(null::%3$s, d.deleted_row) end as r offset 0) o
  where d.delivery_id = any ($1) and $2 is not null) b$sql$,
    case
      when f.oid is not null then format('%s(o.r%s)', f.oid::regproc, case f.pronargs when 2 then
        ', sluice._delivery_meta($2, d)' else '' end)
      when p_pipeline.deliver ->> 'kind' = 'postgres' then
        sluice._values_sql(to_regclass(p_pipeline.target), p_pipeline.deliver -> 'columns')
      else 'pg_catalog.to_jsonb(o.r) - ''{sluice_hash,sluice_batch}''::pg_catalog.text[]' end,
    sluice._delivered_row_sql(p_pipeline), to_regclass(p_pipeline.target))
  from (values (to_regprocedure(p_function))) body (oid) left join pg_proc f on f.oid = body.oid
$$;

-- The row of the target that a delivery d is about: the row of its key, or, of what is deleted by values that may be
-- handed on (see _delivered_key), the row that has them now.
create or replace function sluice._delivered_row_sql(p_only sluice.pipelines)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format('select t.ctid as place, row(t.*)::%s as r from %s', v.target,
      sluice._row_of_json_key_sql(v.target, v.key, 'd.key'))
    || case when v.others is not null then format(' where d.deleted_row is null union all (select t.ctid, row(t.*)::%s '
      'from %s where d.deleted_row is not null limit 1)', v.target,
      sluice._row_of_json_key_sql(v.target, v.others, 'd.deleted_row')) else '' end
    || ' offset 0'
  from (
    select to_regclass(p_only.target) as target, t.key, sluice._delivered_key(p_only, t.key) as others
    from sluice._latest_version(p_only) t) v
$$;

-- The columns of a row "o.r" for a table that is to hold the same values: as json, which keeps -0, and json to the
-- byte. Arrays that do not count from 1 go as text. That a value is the null of JSON, not that of SQL, is said apart.
create or replace function sluice._values_sql(p_target oid, p_columns jsonb)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format('(select pg_catalog.row_to_json(v.*) from (select %s%s) v)',
    string_agg(format(case when t.typcategory = 'A' then $sql$case
      when pg_catalog.starts_with((o.r).%1$I::pg_catalog.text, '[') then pg_catalog.to_json((o.r).%1$I::pg_catalog.text)
      else pg_catalog.to_json((o.r).%1$I) end as %1$I$sql$ else '(o.r).%1$I' end, a.attname), ', ' order by a.attnum),
    ', pg_catalog.array_remove(array[' || string_agg(format(
      $sql$case pg_catalog.json_typeof(pg_catalog.to_json((o.r).%1$I)) when 'null' then %1$L::pg_catalog.text end$sql$,
      a.attname), ', ') filter (where b.base_type in ('json'::regtype, 'jsonb'::regtype))
      || '], null) as sluice_json_nulls')
  from pg_attribute a
  cross join lateral sluice._base_type(a.atttypid, a.atttypmod) b
  join pg_type t on t.oid = b.base_type
  where a.attrelid = p_target and a.attnum > 0 and not a.attisdropped
    and a.attname not in ('sluice_hash', 'sluice_batch') and (p_columns is null or p_columns ? a.attname)
$$;

-- What a body function f(r shop.orders, meta jsonb) learns besides the row.
create or replace function sluice._delivery_meta(p_pipeline text, p_delivery sluice.outbox)
returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('pipeline', p_pipeline, 'operation', p_delivery.operation, 'key', p_delivery.key,
    'batch', p_delivery.batch_id, 'delivery', p_delivery.delivery_id,
    'idempotency_key', sluice._idempotency_key(p_pipeline, p_delivery))
$$;
