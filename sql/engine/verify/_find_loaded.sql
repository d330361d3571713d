create or replace function sluice._find_loaded(p_pipeline sluice.pipelines, out loaded text[], out unread text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = off
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_version sluice.transforms;
  v_why     text;
  v_ids     bigint[];
begin
  loaded := '{}';
  for v_version in
    select * from sluice.transforms t
    where t.pipeline_id = p_pipeline.pipeline_id and exists (
      select from sluice.quarantine q
      where q.pipeline_id = t.pipeline_id and q.version = t.version and q.status = 'open' and q.keys is not null)
  loop
    v_why := sluice._why_unread(p_pipeline.target, v_version.columns || '{sluice_batch,sluice_hash}');
    if v_why is not null then
      unread := v_why;
      continue;
    end if;
    -- A row of another batch is an older one, which the record was to change, or a newer one.
    -- One of the very batch that set the record aside is either another record's, or torn out
    -- of this one.
    execute format($sql$select coalesce(array_agg(distinct q.quarantine_id), '{}')
from sluice.quarantine q
cross join lateral jsonb_array_elements(q.keys) e
cross join lateral (select t.sluice_batch from %s) t
where q.pipeline_id = $1 and q.version = $2 and q.status = 'open' and t.sluice_batch in (q.first_batch_id, q.last_batch_id)$sql$,
      sluice._by_key_sql(p_pipeline.target::regclass, v_version.key, 'e.value')) into v_ids using p_pipeline.pipeline_id, v_version.version;
    loaded := loaded || array(
      select format('record %s is open, and a row that it made is in %s', q.quarantine_id, p_pipeline.target)
      from sluice.quarantine q
      where q.quarantine_id = any (v_ids) and sluice._has_row(q, v_version, p_pipeline)
      order by q.quarantine_id);
  end loop;
end
$$;

comment on function sluice._find_loaded(sluice.pipelines) is
  'Open quarantined records that nevertheless have a row in the target. unread: why not all of them were looked at.';
