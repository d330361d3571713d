create or replace function sluice._quarantined_ids(p_pipeline sluice.pipelines, p_ids bigint[], p_filter text)
returns table (quarantine_id bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_message text;
  v_hint    text;
begin
  if p_filter is not null then
    begin
      return query execute format(
        E'select o.id from (select * from sluice.quarantine_open_details where pipeline = $1 and ($2 is null or id = any ($2)) and (\n%s\n)) o
          join sluice.quarantine q on q.quarantine_id = o.id left join sluice.batches b on b.batch_id = q.last_batch_id
          order by coalesce(sluice._came_at(b), q.last_seen_at), o.id', p_filter)
        using p_pipeline.name, p_ids;
      return;
    exception when syntax_error_or_access_rule_violation or data_exception then
      get stacked diagnostics v_message = message_text, v_hint = pg_exception_hint;
      raise exception using errcode = 'SL005', message = format('filter %s cannot be used: %s', quote_literal(p_filter), v_message),
        hint = coalesce(nullif(v_hint, '') || '; ', '') || 'a condition on the columns of sluice.quarantine_open_details, such as sqlstate = ''22P02'' and "column" = ''amount''';
    end;
  end if;
  return query
  select q.quarantine_id from sluice.quarantine q left join sluice.batches b on b.batch_id = q.last_batch_id
  where q.pipeline_id = p_pipeline.pipeline_id and q.status = 'open' and (p_ids is null or q.quarantine_id = any (p_ids))
  order by coalesce(sluice._came_at(b), q.last_seen_at), q.quarantine_id;
end
$$;

comment on function sluice._quarantined_ids(sluice.pipelines, bigint[], text) is
  'The open quarantined records of a pipeline in the order they came. p_filter: a condition on quarantine_open, run with the rights of the caller; SL005 when it is none.';
