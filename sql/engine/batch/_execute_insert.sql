create or replace function sluice._execute_insert(p_insert text, p_batch_id bigint, p_keeps_places boolean, out written bigint, out places tid[])
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Triggers and defaults of the target see the definer's search_path, as under any writer.
  perform set_config('search_path', (select c.search_path from pg_temp.sluice_compiled c), true);
  if p_keeps_places then
    execute format(E'with written as (%s\nreturning ctid)\nselect pg_catalog.count(*), pg_catalog.array_agg(ctid) from written', p_insert)
      into written, places using p_batch_id;
  else
    execute p_insert using p_batch_id;
    get diagnostics written = row_count;
  end if;
  -- Deferred constraints would fail at commit, where no record can be told apart.
  set constraints all immediate;
end
$$;

comment on function sluice._execute_insert(text, bigint, boolean) is
  'Inserts the live rows of the batch with every deferred constraint checked at once; returns the rows written and, if asked, where, in the order of sluice_rows.';
