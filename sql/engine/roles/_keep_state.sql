create or replace function sluice._keep_state()
returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not (new.pipeline_id = old.pipeline_id and new.batch_seq = old.batch_seq + 1
    and new.epoch >= old.epoch and exists (
      select from sluice.batches b
      where b.pipeline_id = new.pipeline_id and b.batch_seq = new.batch_seq
        and b.cursor_after is not distinct from new.cursor)) then
    raise exception using errcode = 'insufficient_privilege',
      message = 'the state of a pipeline moves with an entry of the ledger',
      hint = 'sluice.rewind and sluice.skip move a cursor by hand';
  end if;
  return new;
end
$$;

comment on function sluice._keep_state() is
$$Refuses a state that the ledger does not tell; below, other changes that cannot be judged without what was there
before. The engine's owner is not held to them: see their triggers in _guard_tables.$$;

-- A version that has loaded stays what it was registered as. What its definition said of the pipeline may change.
create or replace function sluice._keep_version()
returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if to_jsonb(new) - '{definition,is_repeatable,input_definition}'::text[]
      <> to_jsonb(old) - '{definition,is_repeatable,input_definition}'::text[] then
    raise exception using errcode = 'insufficient_privilege',
      message = format('version %s of a pipeline has loaded batches and stays as it is', old.version),
      hint = 'sluice.define_pipeline with the next version';
  end if;
  return new;
end
$$;

-- The bytes that the source delivered stay; what else becomes of a record is in its history first, with who did it.
create or replace function sluice._keep_record()
returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_last sluice.quarantine_events;
begin
  select * into v_last from sluice.quarantine_events e
  where e.quarantine_id = old.quarantine_id order by e.event_id desc limit 1;
  if coalesce(new.original_payload, new.payload) <> coalesce(old.original_payload, old.payload) then
    raise exception using errcode = 'insufficient_privilege',
      message = format('what the source delivered as quarantined record %s stays as it is', old.quarantine_id),
      hint = 'sluice.amend corrects a payload beside it';
  elsif new.status <> old.status
      and v_last.event is distinct from (case new.status when 'open' then 'reopened' else new.status end)
    or new.payload <> old.payload and v_last.payload is distinct from old.payload
    or (new.closed_by, new.closed_at) is distinct from (old.closed_by, old.closed_at)
      and (new.status = old.status or new.status <> 'open'
        and (new.closed_by is distinct from session_user or new.closed_at is distinct from now()))
  then
    raise exception using errcode = 'insufficient_privilege',
      message = format('what becomes of quarantined record %s is in its history first', old.quarantine_id),
      hint = 'sluice.amend, sluice.replay, sluice.discard and sluice.reopen write it there';
  end if;
  return new;
end
$$;
