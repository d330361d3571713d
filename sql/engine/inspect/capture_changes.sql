create or replace function sluice.capture_changes(max_rows bigint default null)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if capture_changes.max_rows < 0 then
    raise exception using errcode = 'SL005', message = format('max_rows %s is negative', capture_changes.max_rows),
      hint = 'leave it out for all changes';
  end if;
  perform set_config('sluice.capture_limit', coalesce(capture_changes.max_rows::text, ''), true);
  create temporary table sluice_changes (batch_id bigint not null, ordinal integer not null, action text not null,
    key jsonb not null, changes json, target text) on commit drop;
end
$$;

comment on function sluice.capture_changes(bigint) is
$$From now to the end of the transaction, batches note in pg_temp.sluice_changes what they change: action (insert,
update, delete; stale or unsure: left alone, as the row in the target is newer, or may be), key, and [old, new] for each
changed column. For dry runs: roll back afterwards. max_rows: only that many rows, the first ones.$$;

create or replace function sluice.captured_changes()
returns table (action text, key jsonb, changes json, line text, target text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if to_regclass('pg_temp.sluice_changes') is null then
    raise exception using errcode = 'SL005', message = 'nothing is captured in this transaction',
      hint = 'begin; select sluice.capture_changes(); then a batch or a replay; then this; then rollback';
  end if;
  return query
  select c.action, c.key, c.changes,
    c.action || coalesce(' ' || c.target, '')
      || (select string_agg(format(' %s=%s', k.key, k.value), '') from jsonb_each(c.key) k)
      || coalesce(': ' || (
        select string_agg(v.key || ' ' || case c.action
            when 'insert' then (v.value -> 1)::text
            when 'delete' then (v.value -> 0)::text
            else (v.value -> 0)::text || ' → ' || (v.value -> 1)::text end, ', ')
        -- The key has been named.
        from json_each(c.changes) v where not c.key ? v.key), ''),
    c.target
  from pg_temp.sluice_changes c;
end
$$;

comment on function sluice.captured_changes() is
$$What batches and replays of this transaction have changed since sluice.capture_changes(): action and key of each
row, for each changed column [old, new], and all of it as a line to read; target: of several, unless it is the first.$$;

-- Notes in sluice_changes what the merges are about to change, if capture_changes asked for it in this transaction.
create or replace function sluice._capture_changes(p_batch_id bigint)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wanted record := sluice._changes_wanted();
  v        record;
begin
  if not v_wanted.is_asked then
    return;
  end if;
  for v in select t.outcomes_sql, t.target, t.number from pg_temp.sluice_targets t order by t.number loop
    execute format($sql$insert into pg_temp.sluice_changes (batch_id, ordinal, action, key, changes, target)
select $1, o.ordinal, o.outcome, o.key, case when o.outcome not in ('stale', 'unsure') then o.changes end, $3
from (%s) o
where o.state is distinct from 'f' and o.outcome not in ('unchanged', 'superseded')
order by o.ordinal, o.line
limit $2$sql$, v.outcomes_sql)
      using p_batch_id, v_wanted.most, case when v.number > 1 then v.target::regclass::text end;
    v_wanted := sluice._changes_wanted();
    exit when not v_wanted.is_asked;
  end loop;
end
$$;

-- Whether capture_changes asked in this transaction for what is changed, and how many more rows of it; null: all.
create or replace function sluice._changes_wanted(out is_asked boolean, out most bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  is_asked := to_regclass('pg_temp.sluice_changes') is not null;
  if is_asked then
    most := nullif(current_setting('sluice.capture_limit', true), '')::bigint - (select count(*)
      from pg_temp.sluice_changes);
    is_asked := coalesce(most > 0, true);
  end if;
end
$$;
