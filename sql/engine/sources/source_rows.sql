create or replace function sluice.source_rows(pipeline text)
returns setof text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_query text := (sluice._find_own_pipeline(source_rows.pipeline)).source ->> 'for_each';
begin
  if v_query is not null then
    return query execute format(E'select to_jsonb(q.*)::text from (\n%s\n) q', v_query);
  end if;
end
$$;

comment on function sluice.source_rows(text) is
  'The rows for each of which an HTTP source is read (for_each), as JSON: what the query gives now. It changes '
  'nothing.';
