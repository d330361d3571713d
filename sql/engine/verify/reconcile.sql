-- What was done to a target by hand, and what of it somebody stands for. Accepted is what is found then, under the lock
-- of the target: an entry of the ledger without a place in the chain of cursors, with the reason in its note.
--
--   deleted   rows that batches inserted and that are gone, also by truncate: the books take them for deleted
--   edited    rows that are not as their batch wrote them: they stay so, and the loader leaves them alone as before,
--             until the source sends another record
--   unknown   rows of batches that are not in the ledger: the pipeline's from now on, hashed as they stand
--   foreign   rows that no pipeline wrote: the same
create or replace function sluice.reconcile(
  pipeline text, accept text[] default '{}', reason text default null, target text default null)
returns table (what text, rows bigint, accepted boolean, detail text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_defined  sluice.pipelines := sluice._find_own_live_pipeline(reconcile.pipeline);
  v_pipeline sluice.pipelines := sluice._as_only_target(v_defined, reconcile.target);
  v_accept   text[] := coalesce(reconcile.accept, '{}');
  v_strange  text := (select min(a) from unnest(v_accept) a where a not in ('deleted', 'edited', 'unknown', 'foreign'));
  v_unread   text := sluice._why_unreadable(v_pipeline.target, '{sluice_batch,sluice_hash}');
  v_entry    sluice.batches;
  v_found    record;
begin
  if v_strange is not null then
    raise exception using errcode = 'SL005', message = format('%s cannot be accepted', quote_ident(v_strange)),
      hint = 'accept is any of deleted, edited, unknown, foreign';
  elsif v_unread is not null then
    raise exception using errcode = 'SL005', message = format('pipeline %s: %s', v_pipeline.name, v_unread),
      hint = 'reconcile as a role that may read and write the target';
  elsif v_accept <> '{}' and coalesce(trim(reconcile.reason), '') = '' then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: accepting what was done by hand needs a reason', v_pipeline.name),
      hint = 'reason => ''removed by order of ...''; it stays in the ledger';
  end if;
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  if v_accept <> '{}' then
    perform sluice._lock_target(to_regclass(v_defined.target)); -- as every batch does, whatever it loads
    execute format('lock table only %s in share row exclusive mode', v_pipeline.target);
    v_entry := sluice._new_entry(v_pipeline, 'reconcile', reconcile.reason);
    v_entry.batch_id := nextval('sluice.batch_id');
  end if;
  for v_found in select * from sluice._done_by_hand(v_pipeline) d loop
    what := v_found.what;
    rows := v_found.rows;
    detail := v_found.detail;
    accepted := v_found.what = any (v_accept) and v_found.rows > 0;
    if accepted and what = 'deleted' then
      v_entry.deleted := rows;
    elsif accepted and what in ('unknown', 'foreign') then
      v_entry.updated := v_entry.updated + rows;
    end if;
    return next;
  end loop;
  if v_accept = '{}' then
    return;
  end if;
  v_entry.produced := v_entry.deleted + v_entry.updated;
  if (select count(*) > 1 from sluice._targets_of(v_defined)) then
    v_entry.targets := jsonb_build_array(sluice._target_entry(v_pipeline.target, v_entry.updated, v_entry.deleted));
  end if;
  perform sluice._write_ledger(v_entry);
  if 'edited' = any (v_accept) then
    perform sluice._accept_edited(v_pipeline, v_entry.batch_id);
  end if;
  if v_accept && '{unknown,foreign}' then
    perform sluice._adopt_rows(v_pipeline, v_entry.batch_id, 'unknown' = any (v_accept), 'foreign' = any (v_accept));
  end if;
end
$$;

comment on function sluice.reconcile(text, text[], text, text) is
$$Finds what was done to the target of a pipeline behind the tool's back, and accepts what of it is right: deleted,
edited, unknown (rows of batches that are not in the ledger, such as those of a dropped pipeline), foreign (rows that no
pipeline wrote). Without accept it only looks. What is accepted is an entry of the ledger with your reason, and
sluice.verify counts with it. To get deleted or edited rows back as the source has them, set the cursor back instead
(sluice.rewind). target: one of several targets of the pipeline, the first unless given.
Example: select * from sluice.reconcile('orders', accept => '{deleted}', reason => 'GDPR request 17')$$;

-- Notes the rows that differ from what their batch wrote, as they stand.
create or replace function sluice._accept_edited(p_pipeline sluice.pipelines, p_batch_id bigint)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v record;
begin
  for v in select * from sluice._versions_of_rows(p_pipeline) x where x.unread is null loop
    perform set_config('search_path', v.search_path, true);
    execute format($sql$insert into sluice.accepted_rows (target, key_hash, row_hash, batch_id)
select $1, r.key_hash, r.row_hash, $2 from (%s) r where not r.is_same
on conflict (target, key_hash) do update set row_hash = excluded.row_hash, batch_id = excluded.batch_id$sql$,
      v.rows_sql) using p_pipeline.target, p_batch_id;
    perform set_config('search_path', 'pg_catalog, pg_temp', true);
  end loop;
end
$$;

-- Rows without a batch of the ledger become those of this one, with the hash of what they hold.
create or replace function sluice._adopt_rows(
  p_pipeline sluice.pipelines, p_batch_id bigint, p_unknown boolean, p_foreign boolean)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_version record := sluice._latest_version(p_pipeline);
begin
  if p_unknown then
    delete from sluice.unknown_batches u where u.target = p_pipeline.target;
  end if;
  perform set_config('search_path', v_version.search_path, true);
  execute format($sql$update %s t set sluice_batch = $1, sluice_hash = %s
where case when t.sluice_batch is null then $3
  else $2 and not exists (select from sluice._all_batches() b where b.batch_id = t.sluice_batch) end$sql$,
    p_pipeline.target, sluice._hash_sql(p_pipeline.target::regclass, v_version.columns))
    using p_batch_id, p_unknown, p_foreign;
end
$$;
