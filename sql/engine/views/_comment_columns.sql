-- In one place, as a column of one name says the same in most views; others name the views.
create or replace function sluice._comment_columns()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v record;
begin
  for v in
    select c.oid::regclass as view, a.attname, d.comment
    from (values
      ('%', 'pipeline', 'The pipeline.'), ('%', 'version', 'The version of the transform.'), ('%', 'run', 'The run.'),
      ('%', 'started_at', 'When it began.'), ('%', 'finished_at', 'When it ended; null: it has not.'),
      ('%', 'extracted', 'Records read.'), ('%', 'written', 'Rows inserted, updated or deleted.'),
      ('%', 'quarantined', 'Records set aside.'),
      ('%', 'sqlstate', 'The class of the error, or the code of sluice.reject.'),
      ('%', 'column', 'The column it is about, if that is known.'),
      ('%', 'constraint', 'The constraint that was violated, if it was one.'),
      ('%', 'message', 'The error in PostgreSQL''s words. May quote values of the record.'),
      ('%', 'detail', 'Its detail, if it had one.'), ('%', 'origin', 'The file, URL, object or table it came from.'),
      ('%', 'position', 'Which line or element of it.'), ('%', 'seen', 'How often the source brought these bytes.'),
      ('%', 'first_seen_at', 'When it brought them first.'), ('%', 'last_seen_at', 'When it brought them last.'),
      ('%', 'batch', 'The batch.'), ('%', 'payload', 'The record; bytes that are no text are escaped.'),
      ('%', 'records', 'How many records.'), ('%', 'event', 'What happened: see sluice.quarantine_events.'),
      ('%', 'happened_at', 'When.'), ('%', 'done_by', 'By whom.'),
      ('%', 'what', 'The error, or why a person did it, in short.'),
      ('%', 'payload_before', 'Of an amendment: what stood before.'), ('%', 'discarded_at', 'When it was discarded.'),
      ('%', 'discarded_by', 'By whom.'),
      ('%', 'place', 'Where the record came from: file, URL, object or table, and line or element.'),
      ('%', 'first_at', 'Where the first of them came from.'), ('%', 'example', 'The message of the first of them.'),
      ('%', 'function', 'The function, with schema and argument types.'),
      ('%', 'activated_at', 'When the version was activated last.'), ('%', 'activated_by', 'By whom.'),
      ('%', 'defined_at', 'When it was registered.'), ('%', 'defined_by', 'By whom.'),
      ('%', 'first_used_at', 'When it loaded its first batch; null: not yet.'),
      ('%', 'columns', 'The columns of the target that it returns.'),
      ('%', 'order_by', 'The column that says which of two records is newer.'),
      ('%', 'function_text', 'Its source when it was registered.'),
      ('%', 'input_definition', 'The columns of the type it takes a record as; null: the document.'),
      ('%', 'outcome', 'ok, failed, threshold, locked, interrupted; null: going on, or died.'),
      ('%', 'seconds', 'How long it took, or has until now.'),
      ('%', 'owner', 'The role whose members run and mend it.'),
      ('%', 'is_yours', 'Whether you are a member of that role.'),
      ('%', 'is_backfill', 'Whether it is a backfill.'), ('%', 'pipeline_id', 'The pipeline, by its number.'),
      ('%', 'kind', 'load, rewind, skip, replay, snapshot, reconcile, erase or carried: see sluice.batches.'),
      ('%', 'committed_at', 'When it was committed.'), ('%', 'target', 'The table it loads.'),
      ('%', 'open_quarantine', 'Records that wait in quarantine.'), ('%', 'bad', 'Records that wait in quarantine.'),
      ('%', 'cursor', 'Up to where the source has been committed.'),
      ('%', 'waiting', 'How many things the source offers that could not be read to their end.'),
      ('%', 'waiting_for', 'Which these are, why, and since when.'),
      ('%', 'undelivered', 'Deliveries that were not sent yet.'),
      ('%', 'dead_deliveries', 'Deliveries that were refused.'), ('%', 'run_batches', 'Batches of the last run.'),
      ('%', 'failing_since', 'Since when no run has ended well; null: the last one did.'),
      ('%', 'failed_runs', 'How many have failed since.'),
      ('%', 'unfinished', 'Files and objects that were begun: 20 at most.'),
      ('%', 'since', 'Since when it waits for this reason.'),
      ('%', 'is_overdue', 'Whether that is longer than settle_seconds.'),
      ('%', 'manual', 'How it is called, and what it does.'), ('%', 'backfill', 'By which name it is run.'),
      ('%', 'range', 'What of the past it loads.'), ('%', 'operation', 'upsert or delete.'),
      ('%', 'status', 'The HTTP status of the last answer.'),
      ('%', 'idempotency_key', 'Sent with it: by this the server knows a repeat.'),
      ('%', 'attempts', 'Requests begun.'), ('%', 'redeliveries', 'How often it was sent anew by hand.'),
      ('%', 'answer', 'The beginning of the last answer that was no success.'),
      ('%', 'body', 'What is sent; kept of what is in flight or dead.'),
      ('%', 'noted_at', 'When the batch began that wrote it.'),
      ('%', 'attempted_at', 'When the first attempt was begun.'),
      ('%', 'closed_at', 'Since when there is nothing more to do about it.'), ('%', 'verified_at', 'Now, UTC.'),
      ('%', 'server_version', 'The version of PostgreSQL.'),
      ('%', 'system_identifier', 'Tells a server from its copies by dump; null: you may not read it.'),
      ('%', 'database', 'The database.'),
      ('%', 'engine_version', 'The version of sluice whose functions are installed.'),
      ('%', 'verified_by', 'Who asks.'), ('backfills', 'state', 'unfinished, finished, or the state of a pipeline.'),
      ('deliveries%', 'state', 'unsent, in_flight, sent, dead, superseded, filtered or discarded.'),
      ('status%', 'state', 'new, running, paused, died, or the outcome of the last run.'),
      ('versions%', 'state', 'active, candidate: never activated yet, or retired.'),
      ('backfills', 'batches', 'Batches of all its runs.'),
      ('status%', 'batches', 'Entries of its ledger that moved the cursor, of all runs.'),
      ('deliveries%', 'error', 'Why it was not sent, or has not been yet.'),
      ('quarantine%', 'error', 'What is wrong, in short.'), ('status%', 'error', 'Why the last run ended early.'),
      ('deliveries%', 'key', 'The key of the row.'), ('versions%', 'key', 'The columns by which a row is known again.'),
      ('deliveries%', 'id', 'The delivery.'), ('quarantine%', 'id', 'The record.'),
      ('quarantine%', 'reason', 'Why it was discarded.'), ('erasures', 'reason', 'Why.'),
      ('deliveries%', 'reason', 'Why it was not accepted: what the server answered, or what went wrong.'),
      ('waiting%', 'reason', 'Why it could not be read to its end.'), ('manual', 'name', 'The function or view.'),
      ('waiting%', 'name', 'The file, object or sweep.'),
      ('status_details', 'targets', 'Where there are several: each with the rows that the last run wrote.'),
      ('status_details', 'last_delivery_error', 'Why the last sender ended early, or could not send.'),
      ('status_details', 'deliveries', 'Where rows of several targets are delivered: what waits of each.'),
      ('versions_details', 'also', 'The targets besides the first.'),
      ('erasures', 'erased_at', 'When it was committed.'), ('erasures', 'erased_by', 'By whom.'),
      ('erasures', 'places', 'How much was erased, by place.'),
      ('target_books', 'produced', 'Rows that the transform made.'),
      ('target_books', 'inserted', 'Rows that were not there.'),
      ('target_books', 'updated', 'Rows that were there and differed.'),
      ('target_books', 'deleted', 'Rows that were deleted.'),
      ('target_books', 'stale', 'Rows older than what the target held.'),
      ('target_books', 'unchanged', 'Rows that stood there as they are.'),
      ('target_books', 'superseded', 'Rows of which a newer one was in the batch.')
    ) d (views, name, comment)
    join pg_attribute a on a.attname = d.name and a.attnum > 0
    join pg_class c on c.oid = a.attrelid and c.relnamespace = 'sluice'::regnamespace and c.relkind = 'v'
    where c.relname like d.views
  loop
    execute format('comment on column %s.%I is %L', v.view, v.attname, v.comment);
  end loop;
end
$$;

comment on function sluice._comment_columns() is
  'Says of each column of the views what it holds, for \d+.';
