create or replace function sluice._may_be_own_fault(p_ordinal integer, p_sqlstate text, p_message text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if sluice._is_run_fault(p_sqlstate) then
    return false;
  end if;
  if left(p_sqlstate, 2) not in ('3F', '42') or p_sqlstate in ('42601', '42602', '42622') then
    return true;
  end if;
  -- Something is not there, or not what it should be. Broken code names what it lacks; a value of type regclass
  -- and the like is what is lacking itself.
  begin
    return exists (
      select from pg_temp.sluice_staging s
      cross join regexp_matches(lower(p_message), '["«»„“”]([^"«»„“”]+)["«»„“”]', 'g') m
      cross join jsonb_path_query(s.payload::jsonb, 'strict $.** ? (@.type() == "string")') x (value)
      where s.ordinal = p_ordinal and strpos(lower(x.value #>> '{}'), m[1]) > 0);
  exception when invalid_text_representation then
    return false; -- the payload is no JSON
  end;
end
$$;

comment on function sluice._may_be_own_fault(integer, text, text) is
'Whether an error that a record of the open batch raised may be its own fault.';
