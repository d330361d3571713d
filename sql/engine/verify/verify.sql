-- Every check looks at the same snapshot, the caller's: runs may go on meanwhile. Statements are planned for the
-- pipeline that is looked at (force_custom_plan), as one pipeline may have nearly all of the ledger or the quarantine,
-- and the statistics then say of each of the others that it has.
create or replace function sluice.verify(pipeline text default null, deep boolean default false)
returns table (pipeline_name text, check_name text, is_ok boolean, detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
#variable_conflict use_column
declare
  v_pipeline    sluice.pipelines;
  v_is_backfill boolean;
begin
  if verify.pipeline is not null then
    perform sluice._find_pipeline(verify.pipeline);
  end if;
  for v_pipeline in
    select p.* from sluice.pipelines p left join sluice.pipelines o on o.pipeline_id = p.backfill_of
    where verify.pipeline is null or verify.pipeline in (p.name, o.name)
    order by coalesce(o.name, p.name), p.backfill_of is not null, p.pipeline_id
  loop
    -- A backfill has target, versions and quarantine from its pipeline.
    v_is_backfill := v_pipeline.backfill_of is not null;
    return query
    with targets as materialized (
      select t.*, case when t.is_first then '' else ' of ' || t.target end as of_target
      from sluice._targets_of(v_pipeline) t where not v_is_backfill)
    select v_pipeline.name, c.check_name, c.is_ok, c.detail from (
      select 1 as place, 'cursor chain' as check_name, * from sluice._verify_cursors(v_pipeline.pipeline_id)
      union all select 2, 'objects', * from sluice._verify_objects(v_pipeline.pipeline_id)
      union all select 3, 'books', * from sluice._verify_books(v_pipeline.pipeline_id)
      union all select 4, 'quarantine', * from sluice._verify_quarantine(v_pipeline) where not v_is_backfill
      union all select 5, 'lineage' || t.of_target, l.* from targets t, sluice._verify_lineage(t.target) l
      union all select 6, 'tombstones', * from sluice._verify_tombstones(v_pipeline) where not v_is_backfill
      union all select 7, 'function checksums', * from sluice._verify_functions(v_pipeline.pipeline_id)
        where not v_is_backfill
      union all select 8, 'deliveries', * from sluice._verify_deliveries(v_pipeline) where not v_is_backfill
        and exists (select from sluice.delivery_state s where s.pipeline_id = v_pipeline.pipeline_id)
      union all select 9, 'row count' || t.of_target, r.* from targets t, sluice._verify_row_count(t.as_only) r
        where (verify.deep or sluice._is_empty(t.target)) and (verify.deep or not r.is_ok)
      union all select 10, 'row hashes' || t.of_target, h.* from targets t, sluice._verify_hashes(t.as_only) h
        where verify.deep) c
    order by c.place, c.check_name;
  end loop;
end
$$;

comment on function sluice.verify(text, boolean) is
$$Proves the state of one pipeline, or of all, and of their backfills; one line per check. is_ok: null where a check,
or a part of it, could not be made; the detail says why.
cursor chain: the cursors of the ledger form one chain that ends at the state.
objects: files and objects are as far as the ledger says.
books: records and rows add up in every batch and run, and with the quarantine.
quarantine: records are closed by what may close them, and those still open have no row in the target.
lineage: every row of the target names a batch of the ledger; reads all of them.
tombstones: keys that were deleted are not there.
function checksums: transforms are what was registered.
deliveries: none has overtaken an older one of its key.
row count, row hashes: with deep, no row was deleted or edited behind the tool's back; computes the hash of every row
  again. Without deep, only that a target without rows was not emptied.
Example: select * from sluice.verify('orders', deep => true) where is_ok is not true$$;

-- Whether the transform of every version is what it was registered with.
create or replace function sluice._verify_functions(p_pipeline_id integer, out is_ok boolean, out detail text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select count(*) filter (where not is_same) = 0,
    coalesce(sluice._first_and_more(array_agg(format('version %s: %s is not what was registered', version, function)
      order by version) filter (where not is_same)),
      format('versions: %s, as registered', count(distinct version)))
  from (
    select t.version, t.function, coalesce(sluice._transform_sha256(f.oid) = t.sha256, false) as is_same
    from sluice.transforms x
    cross join lateral sluice._version_targets(x.pipeline_id, x.version) t
    left join (pg_proc f join pg_namespace n on n.oid = f.pronamespace)
      -- By the catalog: to_regprocedure raises where the schema may not be used.
      on sluice._qualified_function(f.oid) = t.function and f.proname = (parse_ident(t.function, false))[2]
    where x.pipeline_id = p_pipeline_id) versions
$$;

-- Whether files and objects are as far as the ledger says.
create or replace function sluice._verify_objects(p_pipeline_id integer, out is_ok boolean, out detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- for the pipeline at hand, see sluice.verify
as $$
begin
  with found as (
    select coalesce(o.object, l.object) as object, case
      when o.object is null then format('%s is read in the ledger, and not in the state', l.object)
      when l.object is null then format('%s is read in the state, and not in the ledger', o.object)
      when (o.identity, o.position, o.is_done) is distinct from (l.identity, l.position, l.is_done)
        then format('%s is read up to %s in the state, up to %s in the ledger', o.object, o.position, l.position)
      end as what
    from (select * from sluice.source_objects o where o.pipeline_id = p_pipeline_id) o
    full join sluice._objects_at(p_pipeline_id,
      (select max(b.batch_seq) from sluice.batches b where b.pipeline_id = p_pipeline_id)) l
      on l.object = o.object
  )
  select count(what) = 0, coalesce(sluice._first_and_more(array_agg(what order by object)
    filter (where what is not null)),
    case when count(*) = 0 then 'the source has none'
      else format('files and objects: %s, as the ledger left them', count(*)) end)
    into is_ok, detail
  from found;
end
$$;

-- Whether the deliveries of each key were sent in the order in which they were noted.
create or replace function sluice._verify_deliveries(p_pipeline sluice.pipelines, out is_ok boolean, out detail text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select f.overtaken = '{}', coalesce(sluice._first_and_more(nullif(f.overtaken, '{}')), (
      select format('sent: %s, unsent: %s, in flight: %s, dead: %s', (
          select sum(s.sent_count) from sluice.delivery_state s where s.pipeline_id = p_pipeline.pipeline_id),
        count(*) filter (where o.state = 'unsent'), count(*) filter (where o.state = 'in_flight'),
        count(*) filter (where o.state = 'dead'))
      from sluice.outbox o where o.pipeline_id = p_pipeline.pipeline_id))
  from (
    select coalesce(array_agg(format('delivery %s of %s was overtaken by %s', o.delivery_id, o.key, n.delivery_id)
      order by o.delivery_id), '{}') as overtaken
    from sluice.outbox o
    join sluice.outbox n on n.pipeline_id = o.pipeline_id and n.route = o.route and n.key_hash = o.key_hash
      and n.delivery_id > o.delivery_id
    where o.pipeline_id = p_pipeline.pipeline_id and o.state in ('unsent', 'in_flight')
      and n.state in ('in_flight', 'sent')) f
$$;
