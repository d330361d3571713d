create or replace function sluice._is_distributed(p_target oid)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_is_distributed boolean := false;
begin
  if to_regclass('pg_catalog.pg_dist_partition') is not null then
    -- All but tables on the coordinator that Citus only knows about.
    execute $sql$select exists (
        select 1 from pg_catalog.pg_dist_partition d
        where d.logicalrelid = $1 and not (d.partmethod = 'n' and d.repmodel = 's' and d.colocationid = 0))$sql$
      into v_is_distributed using p_target;
  end if;
  return v_is_distributed;
end
$$;

comment on function sluice._is_distributed(oid) is
$$Whether the rows of a table stand on other servers: a distributed or a reference table of Citus. Their ctid names no
row, and MERGE does not go there.$$;

-- A table that all servers have. Citus may run a join of it with a table of the session in another session, which
-- does not have that table.
create or replace function sluice._is_reference_table(p_target oid)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_is_reference boolean := false;
begin
  if sluice._is_distributed(p_target) then
    execute $sql$select d.partmethod = 'n' from pg_catalog.pg_dist_partition d where d.logicalrelid = $1$sql$
      into v_is_reference using p_target;
  end if;
  return v_is_reference;
end
$$;
