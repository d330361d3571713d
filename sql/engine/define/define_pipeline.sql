create or replace function sluice.define_pipeline(
  name text, version integer, transform text, target text, key text[], source jsonb, order_by text default null,
  max_bad_ratio numeric default 0.1, batch_rows integer default null, batch_bytes integer default null, activate boolean default true, skip_known boolean default true,
  retry_orphans boolean default true, retain_raw interval default null, missing text default 'keep', mark_column text default null, max_delete_ratio numeric default 0.1)
returns text
language plpgsql volatile
-- No search_path of its own: transform and target are looked up as the caller sees them.
as $$
#variable_conflict use_column
declare
  v_name        text := define_pipeline.name;
  v_target      text;
  v_new         sluice.transforms;
  v_old         sluice.transforms;
  v_pipeline    sluice.pipelines;
  v_function    oid;
  v_source      jsonb;
  -- Built-in names come first, whatever the definer's path: the hash is made of them.
  v_search_path text := (select pg_catalog.string_agg(pg_catalog.quote_ident(s), ', ') from pg_catalog.unnest(pg_catalog.current_schemas(false)) s where not pg_catalog.starts_with(s, 'pg_temp') and s <> 'pg_catalog');
begin
  if v_name is null or v_name !~ '^[a-z][a-z0-9_.-]{0,39}$' then
    raise exception using errcode = 'SL005', message = pg_catalog.format('pipeline name %s is not allowed', coalesce(pg_catalog.quote_literal(v_name), 'null')),
      hint = 'a lower-case letter, then letters, digits, _ . or -, 40 at most';
  end if;
  if coalesce(define_pipeline.version, 0) < 1 then
    raise exception using errcode = 'SL005', message = pg_catalog.format('pipeline %s: version %s is not a positive number', v_name, define_pipeline.version),
      hint = 'versions are 1, 2, 3, ...';
  end if;
  if coalesce(pg_catalog.cardinality(define_pipeline.key), 0) = 0 or pg_catalog.array_position(define_pipeline.key, null) is not null then
    raise exception using errcode = 'SL005', message = pg_catalog.format('pipeline %s has no key', v_name),
      hint = 'key => ''{order_id}'', the columns of the target''s primary key or of another unique index';
  end if;
  if define_pipeline.max_bad_ratio is null or define_pipeline.max_bad_ratio not between 0 and 1 then
    raise exception using errcode = 'SL005', message = pg_catalog.format('pipeline %s: max_bad_ratio %s is not between 0 and 1', v_name, define_pipeline.max_bad_ratio),
      hint = '0.02 stops the run when more than 2% of the records are bad; 1 never stops it';
  end if;
  if define_pipeline.batch_rows < 1 or define_pipeline.batch_bytes < 1 then
    raise exception using errcode = 'SL005', message = pg_catalog.format('pipeline %s: batch_rows and batch_bytes have to be positive', v_name),
      hint = 'leave them out for the loader''s defaults';
  end if;
  if define_pipeline.retain_raw <= pg_catalog.make_interval() then
    raise exception using errcode = 'SL005', message = pg_catalog.format('pipeline %s: retain_raw %s is not positive', v_name, pg_catalog.quote_literal(define_pipeline.retain_raw)),
      hint = 'retain_raw => ''7 days''; leave it out to keep no payloads';
  end if;
  -- One definition at a time: they read a target before they alter it.
  perform pg_catalog.pg_advisory_xact_lock(sluice._lock_class('define'), 0);
  v_source := sluice._checked('source', define_pipeline.source);
  begin
    v_target := sluice._qualified_name(pg_catalog.to_regclass(define_pipeline.target));
  exception when invalid_name or syntax_error or feature_not_supported then
    v_target := null; -- not a name at all
  end;
  if v_target is null then
    raise exception using errcode = 'SL005', message = pg_catalog.format('pipeline %s: target %s does not exist', v_name, coalesce(define_pipeline.target, 'null')),
      hint = 'create the table first, or name it with its schema';
  end if;

  select r.function_oid, r.takes_meta into v_function, v_new.takes_meta from sluice._resolve_transform(define_pipeline.transform) r;
  v_new.function := sluice._qualified_function(v_function);
  v_new.function_text := sluice._function_text(v_function);
  v_new.sha256 := sluice._function_sha256(v_function);
  v_new.version := define_pipeline.version;
  v_new.key := define_pipeline.key;
  v_new.order_by := define_pipeline.order_by;
  v_new.search_path := pg_catalog.concat_ws(', ', v_search_path, 'pg_temp');
  v_new.is_repeatable := sluice._is_repeatable(v_function, v_new.search_path);
  v_new.columns := sluice._check_transform(v_name, v_function, v_target, v_new.key, v_new.order_by, v_new.search_path);
  perform sluice._check_missing(v_name, v_target, v_new.columns, v_new.key, v_source, define_pipeline.missing, define_pipeline.mark_column, define_pipeline.max_delete_ratio);
  perform sluice._add_bookkeeping(v_name, v_target);

  select * into v_pipeline from sluice.pipelines p where p.name = v_name for update;
  if found then
    perform sluice._find_live_pipeline(v_name);
    if v_pipeline.target <> v_target and exists (
      select from sluice.batches b join sluice.pipelines p on p.pipeline_id = b.pipeline_id
      where v_pipeline.pipeline_id in (p.pipeline_id, p.backfill_of)) then
      raise exception using errcode = 'SL005', message = pg_catalog.format('pipeline %s has loaded %s and cannot change its target to %s', v_name, v_pipeline.target, v_target),
        hint = 'define another pipeline for the other table';
    end if;
  else
    insert into sluice.pipelines (name, target, source, active_version, max_bad_ratio)
    values (v_name, v_target, v_source, define_pipeline.version, define_pipeline.max_bad_ratio)
    returning * into v_pipeline;
    insert into sluice.etl_state (pipeline_id) values (v_pipeline.pipeline_id);
  end if;
  v_new.pipeline_id := v_pipeline.pipeline_id;

  select * into v_old from sluice.transforms t where t.pipeline_id = v_new.pipeline_id and t.version = v_new.version;
  if v_old.first_used_at is not null
    and (v_old.function, v_old.sha256, v_old.key, v_old.order_by) is distinct from (v_new.function, v_new.sha256, v_new.key, v_new.order_by) then
    raise exception using errcode = 'SL005',
      message = pg_catalog.format('pipeline %s: version %s has loaded batches and cannot be changed', v_name, v_old.version),
      detail = case when v_old.function <> v_new.function then pg_catalog.format('It was %s, now it is %s.', v_old.function, v_new.function)
        when v_old.sha256 <> v_new.sha256 then pg_catalog.format('The text of %s differs from the one it was registered with.', v_new.function)
        else 'Its key or order_by differs.' end,
      hint = pg_catalog.format('name it v%s: a new function, and version => %1$s', (select pg_catalog.max(t.version) + 1 from sluice.transforms t where t.pipeline_id = v_new.pipeline_id));
  end if;
  insert into sluice.transforms as t (pipeline_id, version, function, takes_meta, columns, key, order_by, search_path, function_text, sha256, is_repeatable)
  values (v_new.pipeline_id, v_new.version, v_new.function, v_new.takes_meta, v_new.columns, v_new.key, v_new.order_by, v_new.search_path, v_new.function_text, v_new.sha256, v_new.is_repeatable)
  on conflict (pipeline_id, version) do update set
    function = excluded.function, takes_meta = excluded.takes_meta, columns = excluded.columns, key = excluded.key,
    order_by = excluded.order_by,
    search_path = case when t.first_used_at is null then excluded.search_path else t.search_path end, function_text = excluded.function_text, sha256 = excluded.sha256, is_repeatable = excluded.is_repeatable;

  if define_pipeline.missing = 'keep' then
    delete from sluice.snapshots s where s.pipeline_id = v_new.pipeline_id;
  elsif v_pipeline.missing = 'keep' and exists (select from sluice.batches b where b.pipeline_id = v_new.pipeline_id) then
    -- Nobody noted where the source was read to its end.
    insert into sluice.snapshots (pipeline_id, first_seq, made_for, spoilt_by)
    select s.pipeline_id, s.batch_seq + 1, sluice._full_read_recipe(s.pipeline_id, v_new.version), 'it began before the pipeline was told not to keep missing rows'
    from sluice.etl_state s where s.pipeline_id = v_new.pipeline_id;
  end if;
  update sluice.pipelines p set
    target = v_target, source = v_source, max_bad_ratio = define_pipeline.max_bad_ratio,
    batch_rows = define_pipeline.batch_rows, batch_bytes = define_pipeline.batch_bytes, skip_known = coalesce(define_pipeline.skip_known, true),
    retry_orphans = coalesce(define_pipeline.retry_orphans, true), retain_raw = define_pipeline.retain_raw,
    missing = define_pipeline.missing, mark_column = define_pipeline.mark_column, max_delete_ratio = define_pipeline.max_delete_ratio, updated_at = pg_catalog.now()
  where p.pipeline_id = v_new.pipeline_id
  returning * into v_pipeline;
  if define_pipeline.activate or v_pipeline.active_version = v_new.version then
    perform sluice._activate(v_pipeline, v_new.version);
    return pg_catalog.format('pipeline %s: %s, version %s active', v_name, v_target, v_new.version);
  end if;
  return pg_catalog.format('pipeline %s: %s, version %s active, version %s a candidate', v_name, v_target, v_pipeline.active_version, v_new.version);
end
$$;

comment on function sluice.define_pipeline(text, integer, text, text, text[], jsonb, text, numeric, integer, integer, boolean, boolean, boolean, interval, text, text, numeric) is
  'Defines or redefines a pipeline, and checks everything that can be checked beforehand (SL005 names what is wrong). transform: a function f(doc jsonb) or f(doc jsonb, meta jsonb) returning a table of target columns. key: columns of a unique index of the target. order_by: the column that says which of two records is newer (without it, the later arrival). source: see sluice.file_source, sluice.object_source and sluice.http_source. max_bad_ratio: more bad records than that stop the run. batch_rows, batch_bytes: size of a batch. activate: false registers the version as a candidate: sluice.compare shows what it would change, sluice.activate_version makes it the active one. skip_known: false parses every record, also those whose bytes and row have not changed since they were loaded. retry_orphans: whether records whose parent row was missing (23503) are tried again before and after every run. retain_raw: keep the payloads of committed batches so long, for reload, compare and why; they are dropped when it is left out again. missing: what becomes of rows that a complete read of the source no longer brings (sluice.finish_snapshot): keep, delete, or mark in mark_column, a timestamptz or boolean column that the transform does not return; max_delete_ratio: if more of the rows are missing, nothing is deleted or marked (SL008). A version that has loaded a batch cannot be changed. Adds the columns sluice_hash and sluice_batch to the target. Example: select sluice.define_pipeline(name => ''orders'', version => 1, transform => ''shop.orders_v1'', target => ''shop.orders'', key => ''{order_id}'', order_by => ''updated_at'', source => sluice.file_source(path => ''drop''))';
