-- The statement that puts staged payloads through a transform, in three forms: transform_sql fills
-- sluice_rows ($1: only these ordinals, null for all); trial_sql returns the rows of the records behind
-- place $1 ($2: only these ordinals) and notes at which record it is; probe_sql takes the record at
-- place $1 and notes at which column it is, of the input type and then of the result. The latter two serve
-- _rows_past_faults, by which transform_past_faults_sql fills sluice_rows when some record raises.
create or replace function sluice._transform_sql(
  p_function oid, p_makes_one_row boolean, p_has_reject boolean, p_has_deleted boolean, p_target oid, p_columns text[],
  p_key text[],
  out transform_sql text, out transform_past_faults_sql text, out trial_sql text, out probe_sql text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_input   oid := sluice._input_type(p_function);
  v_call    record;
  v_own     text := case when v_input is not null then 'r.sluice_' else '' end; -- before the table's own columns
  v_meta    text := case when (select p.pronargs from pg_proc p where p.oid = p_function) > 1 then format(',
    -- What is the same for all records of the batch is made once.
    (select pg_catalog.jsonb_build_object(
       ''pipeline'', b.pipeline, ''batch'', b.batch_id, ''version'', c.version, ''run_started_at'', b.run_started_at)
     from pg_temp.sluice_batch b, pg_temp.sluice_compiled c)
    operator(pg_catalog.||) pg_catalog.jsonb_build_object(''position'', %1$sposition)
    operator(pg_catalog.||) coalesce((
      select o.meta from pg_temp.sluice_origins o where o.first_ordinal operator(pg_catalog.<=) %1$sordinal
      order by o.first_ordinal desc limit 1), ''{}'') as sluice_meta', v_own) else '' end;
  -- Whether there are any is asked once; there seldom are.
  v_is_new  text := (
    select string_agg(format('(not exists (select from pg_temp.%1$s) or %2$sordinal not in (
      select ordinal from pg_temp.%1$s))', t, v_own), E'\n    and ')
    from unnest('{sluice_faults,sluice_known}'::text[]) t);
  v_names   record;
  v_coerced text;
  v_rule    text;
  v_into    text;
  v_select  text;
  v_staged  text;
  v_from    text;
begin
  select string_agg(quote_ident(c.column_name), ', ') as columns,
    string_agg(format('t.%I', c.column_name), ', ') as results,
    string_agg(format('t.%I, pg_catalog.nextval(''pg_temp.sluice_place'')', c.column_name), ', ') as probed,
    string_agg(format('%I %s', c.column_name, (
      select format_type(a.atttypid, -1) from pg_attribute a
      where a.attrelid = p_target and a.attname = c.column_name)), ', ') as definitions,
    string_agg(format('%s as %I', c.coercion, c.column_name), E',\n    ') as coerced into v_names
  from sluice._target_columns(p_target, p_columns) c;

  v_coerced := concat_ws(E',\n    ', v_names.coerced,
    case when p_has_reject then 'r.sluice_reject::pg_catalog.text' else 'null::pg_catalog.text' end
      || ' as sluice_reject',
    case when p_has_deleted then 'coalesce(r.sluice_deleted, false)' else 'false' end || ' as sluice_deleted');
  select coalesce('case' || string_agg(format(E'\n    when %s then %s', r.condition, r.rule), '' order by r.rule)
    || ' end', 'null::pg_catalog.int4') into v_rule
  from (
    select 't.sluice_reject is not null' as condition, 0 as rule where p_has_reject
    union all
    select r.condition, r.rule from sluice._row_rules(p_target, p_columns, p_key, p_has_deleted) r) r;

  v_into := format(E'\n  sluice_ordinal, sluice_digest, sluice_reject, sluice_deleted, sluice_rule, sluice_hash, %s)',
    v_names.columns);
  v_select := format($sql$t.sluice_reject, t.sluice_deleted,
  %s,
  %s,
  %s
from (
$sql$,
    v_rule, sluice._hash_sql(p_target, p_columns), v_names.results);
  -- The payload is parsed once, and each field typed once, behind "offset 0": inlined into the transform it would be
  -- done again for every use. The second "offset 0" keeps the hash from extracting every column again.
  v_call := sluice._call_sql(p_function, 'payload::pg_catalog.jsonb');
  v_staged := format('  select %%s%1$sordinal as sluice_ordinal, %1$sdigest as sluice_digest, %%s%2$s
  from pg_temp.%3$s
  where %%s
  offset 0', v_own, v_meta, case when v_input is null then 'sluice_staging' else 'sluice_fields r' end);
  v_from := format(E') s\ncross join lateral (\n  select\n    %s\n  from %s r', v_coerced, v_call.call_sql);

  transform_sql := format(v_staged, '', v_call.record_sql,
    format('($1 is null or %sordinal = any ($1))', v_own) || E'\n    and ' || v_is_new);
  -- A transform that only computes becomes part of the query over the records: no join, which would start again for
  -- each record. Rows are numbered if a record can have several; a sequence takes its time.
  transform_sql := case when p_makes_one_row
    then format(E'insert into pg_temp.sluice_rows (sluice_line,%s\nselect 0, t.sluice_ordinal, t.sluice_digest, ',
        v_into)
      || v_select || format(E'select s.sluice_ordinal, s.sluice_digest,\n    %s\nfrom (\n', v_coerced) || transform_sql
      || format(E') s\ncross join lateral %s r\noffset 0) t', v_call.call_sql)
    else format(E'insert into pg_temp.sluice_rows (%s\nselect s.sluice_ordinal, s.sluice_digest, ', v_into)
      || v_select || transform_sql || v_from || E'\n  offset 0) t' end;
  transform_past_faults_sql := format('insert into pg_temp.sluice_rows (%s
select * from sluice._rows_past_faults($1) as t (
  sluice_ordinal integer, sluice_digest uuid, sluice_reject text, sluice_deleted boolean, sluice_rule integer,
  sluice_hash bytea, %s)',
    v_into, v_names.definitions);
  -- A sequence, which no rollback takes back, remembers the record that raised.
  trial_sql := 'select s.sluice_ordinal, s.sluice_digest, ' || v_select
    || format(v_staged,
      format('pg_catalog.setval(''pg_temp.sluice_place'', %sordinal + 1) as sluice_place, ', v_own),
      v_call.record_sql,
      format('ctid > $1 and ($2 is null or %sordinal = any ($2))', v_own) || E'\n    and ' || v_is_new)
    || v_from || E'\n  offset 0) t';
  -- A place before every column says which one raised. Not fenced on purpose: an inlined transform
  -- then computes its columns one by one.
  probe_sql := format(E'select pg_catalog.nextval(''pg_temp.sluice_place''), %s,\n  %s\nfrom (\n',
      v_names.probed, v_rule)
    || format(v_staged, '', v_call.probe_sql, 'ctid = $1') || v_from || ') t';
end
$$;

comment on function sluice._transform_sql(oid, boolean, boolean, boolean, oid, text[], text[]) is
  'The statements that turn staged payloads into typed, hashed and checked rows.';

-- Whether a transform makes at most one row of a record: as PostgreSQL plans it, there is nothing but its columns.
create or replace function sluice._makes_one_row(p_function oid, p_search_path text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_plan jsonb;
begin
  perform set_config('search_path', p_search_path, true);
  execute (
    select format('explain (format json) select r.* from (select %s offset 0) s cross join lateral %I.%I(%s) r',
      string_agg(format('null::%s as a%s', pg_catalog.format_type(t.oid, null), t.n), ', ' order by t.n),
      n.nspname, p.proname, string_agg('s.a' || t.n, ', ' order by t.n))
    from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    cross join lateral unnest(p.proargtypes) with ordinality t (oid, n)
    where p.oid = p_function
    group by n.nspname, p.proname) into v_plan;
  return not jsonb_path_exists(v_plan,
    '$.**."Node Type" ? (@ != "Result" && @ != "Subquery Scan" && @ != "Nested Loop")');
exception when others then
  return false; -- Whatever it is, the batch will say it.
end
$$;
