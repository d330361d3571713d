create or replace function sluice._find_pipeline(p_name text)
returns sluice.pipelines
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines;
begin
  select * into v_pipeline from sluice.pipelines where name = p_name;
  if not found then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s is not defined', coalesce(quote_ident(p_name), 'null')),
      hint = coalesce(
        'defined are: ' || (select string_agg(name, ', ' order by name) from sluice.pipelines
          where backfill_of is null),
        'no pipeline is defined yet: write a file that calls sluice.define_pipeline(...) and run "sluice apply FILE"');
  end if;
  return v_pipeline;
end
$$;

comment on function sluice._find_pipeline(text) is
  'The pipeline of that name, or SL005 naming those that exist.';
