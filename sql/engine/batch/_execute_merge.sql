create or replace function sluice._execute_merge(p_merge text, p_batch_id bigint, out written bigint, out inserted bigint, out updated bigint, out deleted bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_action text;
begin
  -- Triggers and defaults of the target see the definer's search_path, as under any writer.
  perform set_config('search_path', (select c.search_path from pg_temp.sluice_compiled c), true);
  if current_setting('server_version_num')::integer < 170000 then
    execute p_merge using p_batch_id;
    get diagnostics written = row_count;
  else
    -- Not in a common table expression, which some releases of 17 crash on.
    inserted := 0;
    updated := 0;
    deleted := 0;
    for v_action in execute p_merge || E'\nreturning merge_action()' using p_batch_id loop
      case v_action
        when 'INSERT' then inserted := inserted + 1;
        when 'UPDATE' then updated := updated + 1;
        when 'DELETE' then deleted := deleted + 1;
      end case;
    end loop;
    written := inserted + updated + deleted;
  end if;
  -- Deferred constraints would fail at commit, where no record can be told apart.
  set constraints all immediate;
end
$$;

comment on function sluice._execute_merge(text, bigint) is
  'Runs a merge with every deferred constraint checked at once; returns the rows written, from PostgreSQL 17 on by action, before that null.';
