-- Under the lock on the target, which _hold_targets has taken: nobody can rewrite the table any more, which would move
-- other rows to these places. A rewrite before that has given it another file.
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

-- Looks at the row versions of known records in the target. lost: the records whose version is gone; standing: rows
-- found in their places, one for each place. p_is_sample: looks at only some of them.
create or replace function sluice._look_up_known(p_is_sample boolean, out lost integer[], out standing bigint)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_nestloop = off
set enable_mergejoin = off
set jit = off
as $$
begin
  execute format($sql$with known as materialized (
  select ordinal, row_place, row_xid from pg_temp.sluice_known %s),
standing as materialized (
  select t.ctid as row_place, t.xmin as row_xid from %s t where t.ctid = any (array(select row_place from known)))
select
  array(
    select k.ordinal from known k left join standing s on s.row_place = k.row_place and s.row_xid = k.row_xid
    where s.row_place is null),
  (select count(*) from standing)$sql$,
    case when p_is_sample then 'tablesample system (5)' end, (select c.target::regclass from pg_temp.sluice_compiled c))
    into lost, standing;
end
$$;

-- Transforms the known records whose row has the key of another record of the batch, as their rows decide which is
-- newer. Returns how many rows the known records then have, null if there were none to transform.
create or replace function sluice._transform_displaced()
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_nestloop = off
set enable_mergejoin = off
as $$
declare
  v_matched   tid[];
  v_displaced integer[];
begin
  if not exists (select from pg_temp.sluice_known) or not exists (select from pg_temp.sluice_rows) then
    return null;
  end if;
  perform sluice._plan_by_index('sluice_matched', c.matched_sql) from pg_temp.sluice_compiled c;
  execute 'execute sluice_matched' into v_matched;
  v_displaced := array(
    select k.ordinal from unnest(v_matched) place join pg_temp.sluice_known k on k.row_place = place);
  return case when v_displaced <> '{}' then sluice._transform_again(v_displaced) end;
end
$$;

-- Transforms records that were wrongly taken to be known; returns how many rows the others have, as several may have
-- the same one.
create or replace function sluice._transform_again(p_ordinals integer[])
returns bigint
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from pg_temp.sluice_known where ordinal = any (p_ordinals);
  perform sluice._transform_records(p_ordinals);
  return (select count(distinct k.row_place) from pg_temp.sluice_known k);
end
$$;
