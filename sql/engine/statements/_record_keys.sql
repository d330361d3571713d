create or replace function sluice._record_keys(p_is_faulty boolean)
returns table (ordinal integer, keys jsonb)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_key text[] := (select c.key from pg_temp.sluice_compiled c);
begin
  return query execute format($sql$select s.sluice_ordinal, jsonb_agg(%s order by s.sluice_line)
from pg_temp.sluice_rows s where (not $1 or s.sluice_state = 'f') and %s group by s.sluice_ordinal$sql$,
    sluice._key_json(v_key, 's'), (select string_agg(format('s.%I is not null', k), ' and ') from unnest(v_key) k))
      using p_is_faulty;
end
$$;

comment on function sluice._record_keys(boolean) is
$$The keys of the rows that each record of the open batch made, loaded or not; p_is_faulty: only of records that are
not loaded.$$;
