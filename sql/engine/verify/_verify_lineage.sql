create or replace function sluice._verify_lineage(p_target text, out is_ok boolean, out detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- for the pipeline at hand, see sluice.verify
as $$
declare
  v_unread text := sluice._why_unreadable(p_target, '{sluice_batch}');
  v_rows   record;
begin
  if v_unread is not null then
    is_ok := case when v_unread not like '% may not read %' then false end;
    detail := case when is_ok is null then 'not checked: ' else '' end || v_unread;
    return;
  end if;
  v_rows := sluice._count_rows_by_origin(p_target);
  -- Any pipeline's batch will do, as several may load one target.
  is_ok := case when v_rows.lost > 0 then false when v_rows.unknown = 0 then true end;
  detail := concat_ws('; ',
    case when v_rows.lost > 0 then format('%s rows name a batch that is not in the ledger: %s', v_rows.lost,
        v_rows.a_lost_batch)
      when v_rows.unknown = 0 then 'every row was written by a batch of the ledger' end,
    case when v_rows.unknown > 0 then
      format('not checked: %s rows of %s', v_rows.unknown, sluice._unknown_origin(p_target)) end,
    case when v_rows.without_batch > 0 then format('%s others were written by no pipeline', v_rows.without_batch) end);
end
$$;

comment on function sluice._verify_lineage(text) is
  'Whether the rows of a target name batches of the ledger. Rows of other writers name none.';
