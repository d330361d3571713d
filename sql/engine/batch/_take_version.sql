-- The version of the batch being opened, compiled, with sluice_fields and sluice_rows for its columns. A session that
-- serves several pipelines in turn, as behind a pooler, keeps the most recent of them: their tables are set aside
-- under another name and come back, which spares the catalog and the compiler work.
create or replace function sluice._take_version(p_pipeline_id integer, p_version integer, p_batch_id bigint)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_min_messages = warning
as $$
declare
  v_kept_count constant integer := 8;
  v_fingerprint text := sluice._definition_fingerprint(p_pipeline_id, p_version);
  v_current     oid  := to_regclass('pg_temp.sluice_rows');
  v_kept        oid  := (
    select v.table_set from pg_temp.sluice_versions v join pg_class c on c.oid = v.table_set
    where v.fingerprint = v_fingerprint and v.number = 1);
  v_compiled    sluice.compiled[];
  v_dropped     record;
begin
  if v_kept is null then
    v_compiled := sluice._compile_all(p_pipeline_id, p_version);
  end if;
  if v_current <> v_kept or v_kept is null and v_current is not null then
    perform sluice._rename_tables(v_current, '', '_' || v_current);
  end if;
  if v_current is null then
    drop table if exists pg_temp.sluice_fields; -- of rows that a comparison has taken away
  end if;
  if v_kept is null then
    -- Replaces what it was compiled to before, and what has not been used for longest.
    for v_dropped in
      delete from pg_temp.sluice_versions v
      where v.for_pipeline = p_pipeline_id and v.version = v_compiled[1].version or v.fingerprint not in (
        select o.fingerprint from pg_temp.sluice_versions o where o.number = 1
        order by o.last_batch_id desc limit v_kept_count - 1)
      returning v.table_set
    loop
      execute format('drop table if exists pg_temp.sluice_rows_%1$s, pg_temp.sluice_fields_%1$s cascade',
        v_dropped.table_set);
    end loop;
    perform sluice._make_row_tables(v_compiled);
    insert into pg_temp.sluice_versions
    select v.*, v_fingerprint, p_pipeline_id, 'pg_temp.sluice_rows'::regclass, p_batch_id from unnest(v_compiled) v;
    update pg_temp.sluice_versions v set rows_table = to_regclass('pg_temp.' || sluice._rows_name(v.number, n.of))
    from (select cardinality(v_compiled) as of) n where v.fingerprint = v_fingerprint;
  else
    if v_kept is distinct from v_current then
      perform sluice._rename_tables(v_kept, '_' || v_kept, '');
    end if;
    if exists (select from pg_temp.sluice_rows) or exists (select from pg_temp.sluice_fields) then
      truncate pg_temp.sluice_rows, pg_temp.sluice_fields; -- of an earlier batch of this transaction
    end if;
    update pg_temp.sluice_versions v set last_batch_id = p_batch_id where v.fingerprint = v_fingerprint;
  end if;
  return v_fingerprint;
end
$$;

comment on function sluice._take_version(integer, integer, bigint) is
  'Compiles a version (null: the active one) unless the session has it, and returns its fingerprint.';

-- The table for the rows of one target of p_of: a single one has sluice_rows to itself; rows of several are in
-- tables that inherit from it, so that a statement about sluice_rows is about all of them.
create or replace function sluice._rows_name(p_number integer, p_of bigint)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case when p_of = 1 then 'sluice_rows' else 'sluice_rows_' || p_number end
$$;

create or replace function sluice._make_row_tables(p_targets sluice.compiled[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_of     integer := cardinality(p_targets);
  v_common text := $sql$
      sluice_ordinal integer not null, sluice_line bigint not null default nextval('pg_temp.sluice_line'),
      sluice_state "char", sluice_deleted boolean not null, sluice_reject text, sluice_rule smallint,
      sluice_hash bytea, sluice_digest uuid$sql$;
begin
  execute format($sql$create temporary table sluice_fields (
      sluice_ordinal integer not null, sluice_position bigint, sluice_digest uuid%s) on commit delete rows$sql$,
    ', ' || p_targets[1].fields_definition);
  execute format('create temporary table sluice_rows (%s%s) on commit delete rows', v_common,
    case when v_of = 1 then ', ' || p_targets[1].rows_definition else '' end);
  for v_number in 1 .. case when v_of > 1 then v_of else 0 end loop
    execute format('create temporary table %s (%s) inherits (pg_temp.sluice_rows) on commit delete rows',
      sluice._rows_name(v_number, v_of), p_targets[v_number].rows_definition);
  end loop;
end
$$;

-- Changes the suffix of a version's tables.
create or replace function sluice._rename_tables(p_table_set oid, p_from text, p_to text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_name text;
begin
  for v_name in
    select n from unnest('{sluice_rows,sluice_fields}'::text[]) n
    union all
    select sluice._rows_name(v.number, 2) from pg_temp.sluice_versions v
    where v.table_set = p_table_set and v.rows_table <> p_table_set
  loop
    execute format('alter table pg_temp.%I rename to %I', v_name || p_from, v_name || p_to);
  end loop;
end
$$;

-- Changes whenever anything changes that _compile looks at. A catalog row gets a new xmin whenever it changes, and a
-- new ctid even within one transaction. A digest, as an index takes no text that grows with the columns.
create or replace function sluice._definition_fingerprint(p_pipeline_id integer, p_version integer)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select encode(sha256(convert_to(concat_ws('/', p.pipeline_id, p.xmin, p.ctid, t.version, t.sha256, t.search_path,
    t.columns, t.key, t.order_by, t.takes_meta, t.is_repeatable, f.oid, f.xmin, f.ctid,
    sluice._target_fingerprint(to_regclass(p.target)), sluice._target_fingerprint(sluice._input_type(f.oid)),
    (select string_agg(concat_ws('/', a, af.oid, af.xmin, af.ctid, sluice._target_fingerprint(to_regclass(a.target))),
      '/' order by a.number)
     from sluice.also_targets a left join pg_proc af on af.oid = sluice._find_function(a.function)
     where a.pipeline_id = p.pipeline_id and a.version = t.version)), 'UTF8')), 'hex')
  from sluice.pipelines p
  join sluice.transforms t on t.pipeline_id = p.pipeline_id and t.version = coalesce(p_version, p.active_version)
  left join pg_proc f on f.oid = sluice._find_function(t.function)
  where p.pipeline_id = p_pipeline_id
$$;
