create or replace function sluice._refuse_dropped(p_name text)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'SL005', message = format('pipeline %s was dropped meanwhile', p_name),
    hint = 'nothing was changed; if it has been defined again, do this again';
end
$$;

comment on function sluice._refuse_dropped(text) is
  'For what has waited for a pipeline, and found that it is gone (SL005).';
