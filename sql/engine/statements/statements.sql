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
      (0, 'slice', 'when records came as payloads, as in a replay; $1: as below', c.slice_sql),
      (1, 'transform', 'in every batch; $1: of these records, when load_batch has to do some again', c.transform_sql),
      (2, 'transform past faults', 'instead, when a record raises', c.transform_past_faults_sql),
      (3, 'trial of the transform', 'for it, behind the last record that raised: its place is $1', c.trial_sql),
      (4, 'probe of the transform', 'for each record that raised: at which column? Its place is $1', c.probe_sql),
      (5, 'orphans', 'in every batch: children without a parent in their record', c.orphans_sql),
      (6, 'follow', 'when a parent is superseded, outdated or deleted, and so are its children', c.follow_sql),
      (6, 'superseded', 'in every batch; again when a record leaves it', c.superseded_sql),
      (7, 'matched', 'when some payloads of the batch were known: do others change their rows?', c.matched_sql),
      (11.1, 'older', 'in every batch, for what becomes of the children', c.older_sql),
      (11.2, 'dropped', 'in every batch: which children has a parent no longer? $1, $2: see the trial', c.dropped_sql),
      (11.3, 'drop', 'when there are any', c.drop_sql),
      (11.4, 'touch', 'unless all parents are new: those whose children change', c.touch_sql),
      (12, 'overlap', 'before all that follows: may rows meet rows?', c.overlap_sql),
      (13, 'insert', 'when none may, as all rows are new', c.insert_sql),
      (14, 'count', 'when some may: what the merge has to come to', c.count_sql),
      (14, 'outbox', 'when the pipeline delivers: what the merge writes is to be sent', c.outbox_sql),
      (15, 'merge', 'when any row is to be written', c.merge_sql),
      (16, 'trial of the merge', 'when it raises: rolled back, to find the record', c.trial_merge_sql),
      (17, 'revive', 'when the target has tombstones', c.revive_sql),
      (18, 'bury', 'when a row deletes', c.bury_sql),
      (19, 'remember', 'when payloads are to be known again', case when c.made_for is not null then c.remember_sql end),
      (20, 'keys', 'in every batch, for what a complete read is missing', c.batch_keys_sql)
    union all
    select 5, 'reference check', 'in every batch; again in load_batch for records without a parent', r.statement
    from unnest(c.reference_checks) r (statement)
    union all
    select 7.5, 'fetch', 'before all that follows: rows that may be met, from other servers', f.statement
    from unnest(c.fetch_sql) f (statement)
    union all
    select 8 + g.place, 'outdated', g.runs_when, sluice._outdated_sql(c.target, c.key, c.order_by, g.precedence, true,
      sluice._met(c.target), n.count > 1)
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
      (21, 'missing', 'at the end of a complete read: which rows did it not bring, which are back?',
        sluice._missing_sql(c.target, c.key, p.mark_column)),
      (20.5, 'fetch missing', 'before that: rows that may be, from other servers',
        case when c.fetch_sql is not null then sluice._fetch_missing_sql(c.target, c.key, p.mark_column) end),
      (21.5, 'bury missing', 'when they are deleted, from other servers', case when p.missing = 'delete' then
        sluice._bury_missing_sql(c.target, c.key, c.order_by) end),
      (22, p.missing || ' missing', 'for those rows, $1 being the batch',
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
