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

comment on function sluice._changes_wanted() is
  'Whether capture_changes asked in this transaction for what is changed, and how many more rows of it; null: all.';
