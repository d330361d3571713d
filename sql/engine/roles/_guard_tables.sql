-- Row security of the engine's own tables: rows belong to the owner of their pipeline. Every statement is held to it,
-- of functions and of people, whatever it forgets to ask. Code of users keeps the rights of who runs it: nothing here
-- runs as the engine's owner but what makes and drops tables of retained payloads (_make_raw_table), and what passes
-- over numbers of batches (_pass_batch_id).
--
--   members of the owner     see and change the rows of their pipelines, with the rights of sluice_operator
--   sluice_reader            sees all rows
--   sluice_monitor           sees all rows, and of them the columns that hold no data (_grant_to_monitors)
--   the engine's owner       is not held to it
--
-- Made anew at every upgrade, of what the catalogue says: a new table is guarded by the column that leads to its
-- pipeline, and a new view has the rights of who reads it.
create or replace function sluice._guard_tables()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_relation record;
begin
  for v_relation in
    select c.oid::regclass as name, c.relkind from pg_class c
    where c.relnamespace = 'sluice'::regnamespace and c.relkind in ('r', 'v') and pg_has_role(c.relowner, 'usage')
      and c.relname not in ('owners', '_mine', '_loaded')
    order by c.relname
  loop
    if v_relation.relkind = 'v' then
      execute format('alter view %s set (security_invoker = true)', v_relation.name);
    else
      perform sluice._guard_table(v_relation.name);
    end if;
  end loop;
  create or replace trigger keep_state before update on sluice.etl_state
    for each row when (row_security_active('sluice.etl_state'::regclass)
      and (new.epoch < old.epoch or (old.batch_seq, old.cursor) is distinct from (new.batch_seq, new.cursor)))
    execute function sluice._keep_state();
  create or replace trigger keep_version before update on sluice.transforms
    for each row when (row_security_active('sluice.transforms'::regclass) and old.first_used_at is not null)
    execute function sluice._keep_version();
  create or replace trigger keep_record before update on sluice.quarantine
    for each row when (row_security_active('sluice.quarantine'::regclass)
      and (old.status, old.payload, old.original_payload, old.closed_at, old.closed_by)
      is distinct from (new.status, new.payload, new.original_payload, new.closed_at, new.closed_by))
    execute function sluice._keep_record();
  create or replace trigger make_raw_table after insert on sluice.raw_days
    for each row execute function sluice._make_raw_table();
  create or replace trigger drop_raw_table before delete on sluice.raw_days
    for each row execute function sluice._drop_raw_table();
  alter table sluice.raw_days enable always trigger make_raw_table, enable always trigger drop_raw_table;
end
$$;

comment on function sluice._guard_tables() is
  'Lets the members of a pipeline''s owner, and nobody else, see and change its rows in the tables of the engine.';

create or replace function sluice._guard_table(p_table regclass)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_name    text := (select c.relname from pg_class c where c.oid = p_table);
  v_is_mine text := sluice._is_mine(p_table, v_name);
  v_rule    text := sluice._rule_of_additions(v_name);
  v_policy  record;
begin
  if v_is_mine is null then
    return;
  end if;
  for v_policy in select p.polname as name from pg_policy p where p.polrelid = p_table loop
    execute format('drop policy %I on %s', v_policy.name, p_table);
  end loop;
  execute format('alter table %s enable row level security', p_table);
  for v_policy in
    select * from (values
      ('to_see', 'select to public', v_is_mine, null),
      ('to_add', 'insert to public', null, concat_ws(' and ', v_is_mine, v_rule)),
      ('to_change', 'update to public', concat_ws(' and ', v_is_mine,
          case v_name when 'runs' then 'finished_at is null' end),
        concat_ws(' and ', v_is_mine, case when v_name in ('also_targets', 'pipelines') then v_rule end)),
      ('to_delete', 'delete to public', concat_ws(' and ', v_is_mine,
          case v_name when 'also_targets' then v_rule end), null),
      ('to_read', 'select to sluice_reader', 'true', null),
      -- Who is an operator, too, may read all columns, and so no rows of others.
      ('to_watch', 'select to sluice_monitor', 'not sluice._is_member_of(''sluice_operator'')', null)
    ) p (name, what, holds, with_check)
    where p.what like '% public' or to_regrole(split_part(p.what, ' ', 3)) is not null
  loop
    execute format('create policy %s on %s for %s', v_policy.name, p_table, v_policy.what)
      || coalesce(' using (' || v_policy.holds || ')', '')
      || coalesce(' with check (' || v_policy.with_check || ')', '');
  end loop;
end
$$;

-- By what a row of the table is the caller's; null for tables of which nobody has a row. Not asked of sluice.pipelines
-- itself, whose rows a reader sees.
create or replace function sluice._is_mine(p_table regclass, p_name text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_name in ('engine', 'raw_chunks', 'refinery_schema_history') then null
    when p_name = 'pipelines' then 'sluice._is_member_of(owner)'
    when p_name ~ '^raw_[0-9]+_[0-9]{8}$' then format(
      'exists (select from sluice._mine m where m.pipeline_id = %s)', split_part(p_name, '_', 2))
    when 'pipeline_id' = any (c.names) then format(
      'exists (select from sluice._mine m where m.pipeline_id = %I.pipeline_id)', p_name)
    -- Rows that came with a table are noted before its first pipeline is.
    when p_name = 'unknown_batches' then sluice._no_strangers(p_name)
    when 'target' = any (c.names) then format(
      'exists (select from sluice._loaded l join sluice._mine m using (pipeline_id) '
      'where l.target = %I.target)', p_name)
    when 'chunk_id' = any (c.names) then format(
      'exists (select from sluice.known_payloads k join sluice._mine m using (pipeline_id)'
      ' where k.chunk_id = %I.chunk_id)', p_name)
    when 'quarantine_id' = any (c.names) then format(
      'exists (select from sluice.quarantine q join sluice._mine m using (pipeline_id)'
      ' where q.quarantine_id = %I.quarantine_id)', p_name)
    when 'batch_id' = any (c.names) then format(
      'exists (select from sluice.batches b join sluice._mine m using (pipeline_id)'
      ' where b.batch_id = %I.batch_id)', p_name)
    else 'false' end
  from (
    select array_agg(a.attname::text) as names from pg_attribute a
    where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped) c
$$;
