create or replace function sluice._mark_superseded_rows()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from pg_temp.sluice_rows where sluice_state in ('s', 'o', 'u')) then
    update pg_temp.sluice_rows set sluice_state = null where sluice_state in ('s', 'o', 'u');
  end if;
  execute (select c.superseded_sql from pg_temp.sluice_compiled c);
end
$$;

comment on function sluice._mark_superseded_rows() is
$$Marks the rows of the batch that a newer row of the same key replaces; anew whenever a record leaves the batch.
Rows that were left out as outdated are looked at anew as well.$$;
