create or replace function sluice.statements(pipeline text, version integer default null)
returns table (step text, runs_when text, statement text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select s.step || case when c.number > 1 then ' of ' || c.target::regclass else '' end, s.runs_when, s.statement
  from sluice._find_pipeline(statements.pipeline) o
  cross join lateral (
    select coalesce(max(t.number), 1) as count from sluice._version_targets(o.pipeline_id, statements.version) t) n
  cross join lateral generate_series(1, n.count) x (number)
  cross join lateral sluice._compile(o.pipeline_id, statements.version, x.number) c
  cross join lateral (
    values
      (0, 'slice', 'when records came as payloads, as in a replay; $1: see transform', c.slice_sql),
      (1, 'transform', 'in every batch; $1: only these records, when load_batch has to do some again', c.transform_sql),
      (2, 'transform past faults', 'instead, when a record raises an error', c.transform_past_faults_sql),
      (3, 'trial of the transform', 'within it: what follows the last record that raised, at place $1', c.trial_sql),
      (4, 'probe of the transform', 'within it, for each such record, at place $1: at which column?', c.probe_sql),
      (5, 'orphans', 'in every batch: children without a parent in their record', c.orphans_sql),
      (6, 'follow', 'when a parent is superseded, outdated or deleted, and so are its children', c.follow_sql),
      (6, 'superseded', 'in every batch; again when a record leaves it', c.superseded_sql),
      (7, 'matched', 'when some payloads were recognised: do other records change their rows?', c.matched_sql),
      (13, 'older', 'in every batch: parents that are older than the row in the target', c.older_sql),
      (14, 'dropped', 'in every batch: children their parent has no more; $1, $2: records of a trial', c.dropped_sql),
      (15, 'touch', 'unless all parents are new: marks those whose children change', c.touch_sql),
      (17, 'drop', 'when there are any', c.drop_sql),
      (18, 'overlap', 'before the merge: may the target have rows with these keys?', c.overlap_sql),
      (19, 'insert', 'when it has none: all rows are new', c.insert_sql),
      (20, 'count', 'when it may have some: what the merge has to come to', c.count_sql),
      (20, 'outbox', 'when the pipeline delivers: notes what the merge is about to write', c.outbox_sql),
      (21, 'merge', 'when any row is to be written', c.merge_sql),
      (22, 'trial of the merge', 'when it raises an error: to find the record; rolled back', c.trial_merge_sql),
      (23, 'revive', 'when the target has tombstones', c.revive_sql),
      (24, 'bury', 'when a row deletes', c.bury_sql),
      (25, 'remember', 'when payloads are to be recognised next time',
        case when c.made_for is not null then c.remember_sql end),
      (26, 'keys', 'in every batch: its keys, to see at the end of a complete read what is missing', c.batch_keys_sql)
    union all
    select 5, 'reference check', 'in every batch; again in load_batch for records without a parent', r.statement
    from unnest(c.reference_checks) r (statement)
    union all
    select 16, 'wait', 'when rows are deleted: those that others refer to go after all merges', w.statement
    from unnest(c.wait_sql) w (statement)
    union all
    select 8, 'fetch', 'of a distributed target, before all that follows: rows with these keys', f.statement
    from unnest(c.fetch_sql) f (statement)
    union all
    select 9 + g.place, 'outdated', g.runs_when, sluice._outdated_sql(c.target, c.key, c.columns, c.order_by,
      g.precedence, true, false, sluice._met(c.target), n.count > 1)
    from (values
      (0, 'live', 'when the target has tombstones'),
      (1, 'arrival', 'in a replay, with tombstones'),
      (2, 'arrival_only', 'in a reload, and a replay that overwrites, with tombstones'),
      (3, 'backfill', 'in a backfill, with tombstones')) g (place, precedence, runs_when)
    where c.number = 1 and (g.precedence <> 'live' or c.order_by is not null)
    union all
    select m.place, m.step, m.runs_when, m.statement
    from sluice.pipelines p
    cross join lateral (values
      (27, 'fetch missing', 'of a distributed target, before that: rows that may be missing',
        case when c.fetch_sql is not null then sluice._fetch_missing_sql(c.target, c.key, p.mark_column) end),
      (28, 'missing', 'at the end of a complete read: which rows did it not bring, which are back?',
        sluice._missing_sql(c.target, c.key, p.mark_column)),
      (29, 'bury missing', 'of a distributed target, when they are deleted', case when p.missing = 'delete' then
        sluice._bury_missing_sql(c.target, c.key, c.order_by) end),
      (30, p.missing || ' missing', 'for those rows, $1 being the batch',
        sluice._write_missing_sql(c.target, c.key, c.order_by, p.mark_column))) m (place, step, runs_when, statement)
    where c.number = 1 and p.name = statements.pipeline and p.missing <> 'keep') s (place, step, runs_when, statement)
  where s.statement is not null
  order by s.place, c.number, s.statement
$$;

comment on function sluice.statements(text, integer) is
$$Each statement that a batch of the pipeline may run on its rows and its target, in order: the step, when it runs, its
text. version: the active one unless given. Payloads and rows are in temporary tables, pg_temp.sluice_staging and
pg_temp.sluice_rows; sluice_state is null for a row that is still in the batch. What is the same for every pipeline, the
quarantine and the ledger, is in the functions. Example: select * from sluice.statements('orders') \gx$$;
