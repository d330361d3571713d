-- The statement that puts staged payloads through a transform, in three forms: transform_sql fills
-- sluice_rows ($1: only these ordinals, null for all); trial_sql returns the rows of the records behind
-- place $1 ($2: only these ordinals) and notes at which record it is; probe_sql takes the record at
-- place $1 and notes at which column it is, of the input type and then of the result. The latter two serve
-- _rows_past_faults, by which transform_past_faults_sql fills sluice_rows when some record raises.
create or replace function sluice._transform_sql(
  p_function oid, p_has_reject boolean, p_has_deleted boolean, p_target oid, p_columns text[], p_key text[],
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
  v_is_new  text := format('%1$sordinal not in (select ordinal from pg_temp.sluice_faults)
    and %1$sordinal not in (select ordinal from pg_temp.sluice_known)', v_own);
  v_names   record;
  v_coerced text;
  v_rule    text;
  v_insert  text;
  v_select  text;
  v_staged  text;
  v_from    text;
begin
  select string_agg(quote_ident(c.column_name), ', ') as columns,
    string_agg(format('t.%I', c.column_name), ', ') as results,
    string_agg(format('t.%I, pg_catalog.nextval(''pg_temp.sluice_place'')', c.column_name), ', ') as probed,
    string_agg(format('%I %s', c.column_name, format_type(a.atttypid, -1)), ', ') as definitions,
    string_agg(format('%s as %I', c.coercion, c.column_name), E',\n    ') as coerced into v_names
  from sluice._target_columns(p_target, p_columns) c
  join pg_attribute a on a.attrelid = p_target and a.attname = c.column_name;

  v_coerced := concat_ws(E',\n    ', v_names.coerced,
    case when p_has_reject then 'r.sluice_reject::pg_catalog.text' else 'null::pg_catalog.text' end
      || ' as sluice_reject',
    case when p_has_deleted then 'coalesce(r.sluice_deleted, false)' else 'false' end || ' as sluice_deleted');
  select format('case when t.sluice_reject is not null then 0%s end',
    string_agg(format(E'\n    when %s then %s', condition, rule), '' order by rule)) into v_rule
  from sluice._row_rules(p_target, p_columns, p_key);

  v_insert := format('insert into pg_temp.sluice_rows (
  sluice_ordinal, sluice_digest, sluice_reject, sluice_deleted, sluice_rule, sluice_hash, %s)', v_names.columns);
  v_select := format($sql$select s.sluice_ordinal, s.sluice_digest, t.sluice_reject, t.sluice_deleted,
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

  transform_sql := v_insert || E'\n' || v_select
    || format(v_staged, '', v_call.record_sql, format('($1 is null or %sordinal = any ($1))', v_own) || E'\n    and ' || v_is_new)
    || v_from || E'\n  offset 0) t';
  transform_past_faults_sql := format('%s
select * from sluice._rows_past_faults($1) as t (
  sluice_ordinal integer, sluice_digest uuid, sluice_reject text, sluice_deleted boolean, sluice_rule integer,
  sluice_hash bytea, %s)',
    v_insert, v_names.definitions);
  -- A sequence, which no rollback takes back, remembers the record that raised.
  trial_sql := v_select
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

comment on function sluice._transform_sql(oid, boolean, boolean, oid, text[], text[]) is
  'The statements that turn staged payloads into typed, hashed and checked rows.';

-- For each foreign key over columns the transform returns, the statement that notes records without a parent as
-- suspects. $1: only these ordinals, null for all. A parent table that the loader may not read is left to the merge.
create or replace function sluice._reference_checks(p_target oid, p_columns text[])
returns text[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_key    record;
  v_checks text[] := '{}';
begin
  for v_key in
    select c.conname, c.confrelid, child.relname as child, parent.relname as parent,
      string_agg(quote_ident(ca.attname), ', ' order by k.n) as names,
      string_agg('%s', ', ') as places,
      string_agg(format('r.%I', ca.attname), ', ' order by k.n) as child_columns,
      string_agg(format('p.%I', pa.attname), ', ' order by k.n) as parent_columns,
      string_agg(format('r.%I is not null', ca.attname), ' and ' order by k.n) as child_present,
      string_agg(format('p.%I is not null', pa.attname), ' and ' order by k.n) as parent_present,
      string_agg(format('p.%I operator(%I.%s) r.%I', pa.attname, n.nspname, o.oprname, ca.attname), ' and '
        order by k.n) as matches,
      case when count(*) = 1 then min(ca.attname::text) end as column_name
    from pg_constraint c
    join pg_class child on child.oid = c.conrelid
    join pg_class parent on parent.oid = c.confrelid
    cross join lateral unnest(c.conkey, c.confkey, c.conpfeqop) with ordinality as k (child, parent, operator, n)
    join pg_attribute ca on ca.attrelid = c.conrelid and ca.attnum = k.child
    join pg_attribute pa on pa.attrelid = c.confrelid and pa.attnum = k.parent
    join pg_operator o on o.oid = k.operator
    join pg_namespace n on n.oid = o.oprnamespace
    where c.conrelid = p_target and c.contype = 'f' and c.conparentid = 0
      and to_jsonb(c) ->> 'conenforced' is distinct from 'false' -- PostgreSQL 18
      and to_jsonb(c) ->> 'conperiod' is distinct from 'true' -- PostgreSQL 18; left to the merge
      and not row_security_active(c.confrelid)
    group by c.oid, c.conname, c.confrelid, child.relname, parent.relname
    having bool_and(ca.attname = any (p_columns) and has_column_privilege(c.confrelid, pa.attnum, 'select'))
    order by c.conname
  loop
    v_checks := v_checks || format($sql$insert into pg_temp.sluice_faults (
  ordinal, sqlstate, message, detail, constraint_name, column_name, is_suspect)
select r.sluice_ordinal, '23503', %L, pg_catalog.format(%L, %s), %L, %L, true
from pg_temp.sluice_rows r
where r.sluice_state is null and not r.sluice_deleted and %s
  and ($1 is null or r.sluice_ordinal = any ($1))
  and not exists (select 1 from %s p where %s)%s
on conflict (ordinal) do nothing$sql$,
      format('insert or update on table "%s" violates foreign key constraint "%s"', v_key.child, v_key.conname),
      format('Key (%s)=(%s) is not present in table "%s".', replace(v_key.names, '%', '%%'), v_key.places,
        replace(v_key.parent, '%', '%%')),
      v_key.child_columns, v_key.conname, v_key.column_name, v_key.child_present,
      v_key.confrelid::regclass, v_key.matches,
      -- The parent may arrive in the same batch when a table references itself.
      case when v_key.confrelid = p_target then format(
        ' and (%s) not in (select %s from pg_temp.sluice_rows p where p.sluice_state is null and %s)',
        v_key.child_columns, v_key.parent_columns, v_key.parent_present) else '' end);
  end loop;
  return v_checks;
end
$$;
