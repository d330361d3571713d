create or replace function sluice._refuse_cut(p_value anyelement, p_type text)
returns anyelement
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'string_data_right_truncation',
    message = format('value too long for type %s', p_type);
end
$$;

comment on function sluice._refuse_cut(anyelement, text) is
  'Raises 22001 as an insert does, where a cast to an array of limited strings would cut in silence.';
