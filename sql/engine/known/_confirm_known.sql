create or replace function sluice._confirm_known(p_target oid, p_filenode oid, out is_as_before boolean, out rows bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_lost integer[];
begin
  is_as_before := true;
  rows := 0;
  if not exists (select from pg_temp.sluice_known) then
    return;
  end if;
  -- The merge takes the same lock. From here on nobody can rewrite the table, which would put
  -- other rows in the places; a rewrite until now has given it another file.
  execute format('lock table %s in row exclusive mode', p_target::pg_catalog.regclass);
  if pg_catalog.pg_relation_filenode(p_target) = p_filenode then
    select found.lost, found.standing into v_lost, rows from sluice._look_up_known(p_target) found;
  else
    v_lost := array(select k.ordinal from pg_temp.sluice_known k);
  end if;
  if v_lost <> '{}' then
    is_as_before := false;
    rows := sluice._transform_lost(v_lost);
  end if;
end
$$;

comment on function sluice._confirm_known(oid, oid) is
  'Keeps in sluice_known the records whose row stands, and transforms the others. is_as_before: there were no others; rows: how many rows the known records have, of which several may have the same. p_filenode: the table''s file when the known records were looked up.';
