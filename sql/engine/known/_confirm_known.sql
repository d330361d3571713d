-- Under the lock on the target, which _hold_target has taken: nobody can rewrite the table any more, which would
-- put other rows in the places. A rewrite until now has given it another file.
create or replace function sluice._confirm_known()
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v      record;
  v_lost integer[];
  v_rows bigint;
begin
  if not exists (select from pg_temp.sluice_known) then
    return 0;
  end if;
  select c.target, c.filenode into v from pg_temp.sluice_compiled c;
  if pg_relation_filenode(v.target) = v.filenode then
    select k.lost, k.standing into v_lost, v_rows from sluice._look_up_known(p_is_sample => false) k;
  else
    v_lost := array(select k.ordinal from pg_temp.sluice_known k);
  end if;
  if v_lost <> '{}' then
    v_rows := sluice._transform_again(v_lost);
  end if;
  return v_rows;
end
$$;

comment on function sluice._confirm_known() is
$$Keeps in sluice_known the records whose row stands, and transforms the others; returns how many rows the known
records have, of which several may have the same.$$;
