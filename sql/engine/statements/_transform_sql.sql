create or replace function sluice._transform_sql(p_purpose text, p_function text, p_takes_meta boolean, p_has_reject boolean, p_has_deleted boolean, p_target oid, p_columns text[], p_key text[])
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_function  text := regexp_replace(p_function, '[(][a-z,]*[)]$', '');
  v_arguments text := case when p_takes_meta then 's.sluice_doc, s.sluice_meta' else 's.sluice_doc' end;
  v_coerced   text;
  v_columns   text;
  v_rule      text;
  v_staged    text;
begin
  select string_agg(format('%s as %I', coercion, column_name), ',' || chr(10) || '         '),
         string_agg(format('t.%I', column_name), ', ')
    into v_coerced, v_columns
  from sluice._target_columns(p_target, p_columns);

  v_coerced := v_coerced
    || format(',%s as sluice_reject', case when p_has_reject then 'r.sluice_reject::pg_catalog.text' else 'null::pg_catalog.text' end)
    || format(',%s as sluice_deleted', case when p_has_deleted then 'coalesce(r.sluice_deleted, false)' else 'false' end);

  select 'case when t.sluice_reject is not null then 0'
      || coalesce(string_agg(format(' when %s then %s', condition, rule), '' order by rule), '') || ' end'
    into v_rule
  from sluice._row_rules(p_target, p_columns, p_key);

  -- The payload is parsed once, behind "offset 0": inlined into the transform it would be
  -- parsed again for every column. The second "offset 0" keeps the hash from extracting every
  -- column again.
  v_staged := format(
    'select %sordinal as sluice_ordinal, digest as sluice_digest, payload::pg_catalog.jsonb as sluice_doc%s from pg_temp.sluice_staging where %s offset 0',
    -- A sequence, which no rollback takes back, remembers the record that raised.
    case p_purpose when 'trial' then 'pg_catalog.setval(''pg_temp.sluice_place'', ordinal + 1) as sluice_place, ' else '' end,
    case when p_takes_meta then ', sluice._record_meta(ordinal, position) as sluice_meta' else '' end,
    case p_purpose when 'probe' then 'ctid = $1'
      else case p_purpose when 'trial' then 'ctid > $1 and ($2 is null or ordinal = any ($2))' else '($1 is null or ordinal = any ($1))' end
        || ' and ordinal not in (select ordinal from pg_temp.sluice_faults) and ordinal not in (select ordinal from pg_temp.sluice_known)' end);

  if p_purpose = 'probe' then
    -- One record; a place after every column says which one raised. Not fenced on purpose:
    -- an inlined transform then computes its columns one by one.
    return format($sql$select pg_catalog.nextval('pg_temp.sluice_place'), %1$s, %2$s
from (%3$s) s
cross join lateral (
  select %4$s
  from %5$s(%6$s) r) t$sql$,
      (select string_agg(format('t.%I, pg_catalog.nextval(''pg_temp.sluice_place'')', column_name), ', ') from sluice._target_columns(p_target, p_columns)),
      v_rule, v_staged, v_coerced, v_function, v_arguments);
  end if;
  return case p_purpose when 'load' then format(E'insert into pg_temp.sluice_rows (sluice_ordinal, sluice_digest, sluice_reject, sluice_deleted, sluice_rule, sluice_hash, %s)\n',
      (select string_agg(quote_ident(column_name), ', ') from sluice._target_columns(p_target, p_columns))) else '' end
    || format($sql$select s.sluice_ordinal, s.sluice_digest, t.sluice_reject, t.sluice_deleted, %1$s,
  %2$s,
  %3$s
from (%4$s) s
cross join lateral (
  select %5$s
  from %6$s(%7$s) r offset 0) t$sql$,
      v_rule, sluice._hash_sql(p_target, p_columns), v_columns, v_staged, v_coerced, v_function, v_arguments);
end
$$;

comment on function sluice._transform_sql(text, text, boolean, boolean, boolean, oid, text[], text[]) is
  'The statement that puts staged payloads through a transform. load: writes sluice_rows, $1: only these ordinals; trial: returns the rows instead, of the records behind place $1, and notes at which record it is; probe: one record, to find the column that raises.';
