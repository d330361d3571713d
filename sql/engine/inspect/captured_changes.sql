create or replace function sluice.captured_changes()
returns table (action text, key jsonb, changes json, line text)
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
    c.action || (select string_agg(format(' %s=%s', k.key, k.value), '') from jsonb_each(c.key) k)
      || coalesce(': ' || (
        select string_agg(v.key || ' ' || case c.action
            when 'insert' then (v.value -> 1)::text
            when 'delete' then (v.value -> 0)::text
            else (v.value -> 0)::text || ' → ' || (v.value -> 1)::text end, ', ')
        -- The key has been named.
        from json_each(c.changes) v where not c.key ? v.key), '')
  from pg_temp.sluice_changes c;
end
$$;

comment on function sluice.captured_changes() is
$$What batches and replays of this transaction have changed since sluice.capture_changes(): action and key of each
row, for each changed column [old, new], and all of it as a line to read.$$;
