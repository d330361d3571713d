create or replace function sluice._verify_tombstones(p_pipeline sluice.pipelines, out is_ok boolean, out detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v_key    text[] := (select t.key from sluice.transforms t where t.pipeline_id = p_pipeline.pipeline_id
    and t.version = p_pipeline.active_version);
  v_unread text := sluice._why_unreadable(p_pipeline.target, v_key || '{sluice_batch}');
  v_found  record;
begin
  is_ok := true;
  if not exists (select from sluice.tombstones d where d.target = p_pipeline.target) then
    detail := 'no key of the target was deleted';
    return;
  elsif sluice._is_distributed(to_regclass(p_pipeline.target)) then
    is_ok := null;
    detail := 'not checked: the target is distributed over servers';
    return;
  elsif v_unread is not null then
    is_ok := null;
    detail := 'not checked: ' || v_unread;
    return;
  end if;
  execute format($sql$select count(distinct d.key) as keys,
    coalesce(array_agg(format('%%s was deleted by batch %%s, and is there', d.key, d.batch_id) order by d.key)
      filter (where t.sluice_batch is not null), '{}') as back
from sluice.tombstones d
left join lateral (select t.* from %s) t on true
where d.target = $1 and d.key ?& $2 and (select count(*) from jsonb_object_keys(d.key)) = cardinality($2)$sql$,
    sluice._row_of_json_key_sql(p_pipeline.target::regclass, v_key, 'd.key')) into v_found using p_pipeline.target,
      v_key;
  is_ok := v_found.back = '{}';
  detail := coalesce(sluice._first_and_more(nullif(v_found.back, '{}')),
    format('deleted keys: %s, none of them there', v_found.keys));
end
$$;

comment on function sluice._verify_tombstones(sluice.pipelines) is
  'Whether keys that were deleted are absent from the target. Rows that other writers put there do not count.';
