create or replace function sluice._mark_superseded_rows(p_statement text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_hashjoin = on -- also where the merge turns it off: no target is read here
as $$
begin
  update pg_temp.sluice_rows set sluice_state = null where sluice_state in ('s', 'o', 'u');
  execute p_statement;
end
$$;

comment on function sluice._mark_superseded_rows(text) is
  'Marks the rows of the batch that a newer row of the same key replaces; done anew whenever a record leaves the batch. Rows that were left out as outdated are looked at anew as well.';
