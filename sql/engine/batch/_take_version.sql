-- The version of the batch being opened, compiled, with sluice_fields and sluice_rows of its columns. A session that
-- serves several pipelines in turns, as behind a pooler, keeps the latest of them: their tables are set aside
-- under another name and come back, so that neither the catalog nor the compiler has more to do.
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
    select v.rows_table from pg_temp.sluice_versions v join pg_class c on c.oid = v.rows_table
    where v.fingerprint = v_fingerprint);
  v_compiled    sluice.compiled;
  v_dropped     oid;
begin
  if v_kept is null then
    v_compiled := sluice._compile(p_pipeline_id, p_version);
  end if;
  if v_current <> v_kept or v_kept is null and v_current is not null then
    execute format('alter table pg_temp.sluice_rows rename to sluice_rows_%s', v_current);
    execute format('alter table pg_temp.sluice_fields rename to sluice_fields_%s', v_current);
  end if;
  if v_current is null then
    drop table if exists pg_temp.sluice_fields; -- of rows that a comparison has taken away
  end if;
  if v_kept is null then
    -- In place of what it was compiled to before, and of what has not been used for longest.
    for v_dropped in
      delete from pg_temp.sluice_versions v
      where v.for_pipeline = p_pipeline_id and v.version = v_compiled.version or v.fingerprint not in (
        select o.fingerprint from pg_temp.sluice_versions o order by o.last_batch_id desc limit v_kept_count - 1)
      returning v.rows_table
    loop
      execute format('drop table if exists pg_temp.sluice_rows_%1$s, pg_temp.sluice_fields_%1$s', v_dropped);
    end loop;
    execute format($sql$create temporary table sluice_fields (
      sluice_ordinal integer not null, sluice_position bigint, sluice_digest uuid%s) on commit delete rows$sql$,
      ', ' || v_compiled.fields_definition);
    execute format($sql$create temporary table sluice_rows (
      sluice_ordinal integer not null, sluice_line bigint not null default nextval('pg_temp.sluice_line'),
      sluice_state "char", sluice_deleted boolean not null, sluice_reject text, sluice_rule smallint,
      sluice_hash bytea, sluice_digest uuid, %s) on commit delete rows$sql$, v_compiled.rows_definition);
    insert into pg_temp.sluice_versions
    select v_compiled.*, v_fingerprint, p_pipeline_id, 'pg_temp.sluice_rows'::regclass, p_batch_id;
  else
    if v_kept is distinct from v_current then
      execute format('alter table pg_temp.sluice_rows_%s rename to sluice_rows', v_kept);
      execute format('alter table pg_temp.sluice_fields_%s rename to sluice_fields', v_kept);
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

-- Changes whenever anything does that _compile looks at. A catalog row gets a new xmin whenever it changes, and
-- a new ctid even within one transaction.
create or replace function sluice._definition_fingerprint(p_pipeline_id integer, p_version integer)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select concat_ws('/', p.pipeline_id, p.xmin, t.version, t.sha256, t.search_path, t.columns, t.key, t.order_by,
    t.takes_meta, t.is_repeatable, f.oid, f.xmin, f.ctid, sluice._target_fingerprint(to_regclass(p.target)),
    sluice._target_fingerprint(sluice._input_type(f.oid)))
  from sluice.pipelines p
  join sluice.transforms t on t.pipeline_id = p.pipeline_id and t.version = coalesce(p_version, p.active_version)
  left join pg_proc f on f.oid = sluice._find_function(t.function)
  where p.pipeline_id = p_pipeline_id
$$;
