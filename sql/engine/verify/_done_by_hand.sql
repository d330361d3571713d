-- Each kind of change by hand with the number of rows, if there are any.
create or replace function sluice._done_by_hand(p_pipeline sluice.pipelines)
returns table (what text, rows bigint, detail text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_origin record := sluice._count_rows_by_origin(p_pipeline.target);
  v        record;
  v_count  record;
  v_keys   text[] := '{}';
begin
  what := 'deleted';
  rows := (sluice._count_rows_in_books(p_pipeline.target)).gone;
  detail := case when rows = 0 then 'every row that batches inserted is there'
    else concat_ws(': ', 'rows that batches inserted are gone', sluice._why_rows_may_go(p_pipeline)) end;
  return next;

  what := 'edited';
  rows := 0;
  for v in select * from sluice._versions_of_rows(p_pipeline) x where x.unread is null loop
    select * into v_count from sluice._read_under(v.search_path,
      format('select count(*), (array_agg(key::text order by key))[:3] from (%s) r where not is_same', v.rows_sql))
      as r (rows bigint, keys text[]);
    rows := rows + v_count.rows;
    v_keys := v_keys || v_count.keys;
  end loop;
  detail := coalesce(nullif(array_to_string(v_keys[:3], ', '), '')
    || case when rows > 3 then ', ...' else '' end, 'no row differs from what its batch wrote');
  return next;

  what := 'unknown';
  rows := v_origin.unknown + v_origin.lost;
  detail := case when rows = 0 then 'every row with a batch names one of the ledger'
    else 'rows of ' || concat_ws(' and ',
      case when v_origin.unknown > 0 then sluice._unknown_origin(p_pipeline.target) end,
      case when v_origin.lost > 0 then 'batches that are not in the ledger' end) end;
  return next;

  what := 'foreign';
  rows := v_origin.without_batch;
  detail := case when rows = 0 then 'every row names a batch' else 'rows that no pipeline wrote' end;
  return next;
end
$$;

comment on function sluice._done_by_hand(sluice.pipelines) is
  'What somebody did to the target of a pipeline behind the tool''s back, by kind.';
