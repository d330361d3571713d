create or replace function sluice.definition(pipeline text, version integer default null)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
set intervalstyle = 'postgres'
as $$
#variable_conflict use_column
declare
  v_pipeline sluice.pipelines := sluice._find_live_pipeline(definition.pipeline);
  v_version  sluice.transforms;
  v_path     text;
begin
  select * into v_version from sluice.transforms t
  where t.pipeline_id = v_pipeline.pipeline_id and t.version = coalesce(definition.version, v_pipeline.active_version);
  if not found then
    perform sluice._refuse_unknown_version(v_pipeline, definition.version);
  end if;
  if v_version.version <> v_pipeline.active_version then
    v_pipeline := jsonb_populate_record(v_pipeline, sluice._delivery_changes(v_version.definition,
      sluice._said_by_version(v_pipeline.pipeline_id, v_pipeline.active_version)));
  end if;
  v_path := nullif(regexp_replace(v_version.search_path, '(, )?pg_temp$', ''), 'public');
  return concat_ws(E'\n\n',
    'set local search_path = ' || nullif(v_path, '') || ';',
    (select string_agg(rtrim(t.function_text, E'\n') || ';', E'\n\n' order by t.number)
      from sluice._version_targets(v_pipeline.pipeline_id, v_version.version) t),
    format(E'select sluice.define_pipeline(\n  %s);', (
      select string_agg(format('%s => %s', a.name, a.value), E',\n  ' order by a.place)
      from (values
        (1, 'name', quote_literal(v_pipeline.name)), (2, 'version', v_version.version::text),
        (3, 'transform', quote_literal(regexp_replace(v_version.function, '[(][a-z,]*[)]$', ''))),
        (4, 'target', quote_literal(v_pipeline.target)), (5, 'key', quote_literal(v_version.key)),
        (6, 'order_by', quote_literal(v_version.order_by)),
        (7, 'source', sluice._source_sql('source', v_pipeline.source, '  ')),
        (8, 'max_bad_ratio', nullif(v_pipeline.max_bad_ratio, 0.1)::text),
        (9, 'batch_rows', v_pipeline.batch_rows::text), (10, 'batch_bytes', v_pipeline.batch_bytes::text),
        (11, 'skip_known', nullif(v_pipeline.skip_known, true)::text),
        (12, 'retry_orphans', nullif(v_pipeline.retry_orphans, true)::text),
        (13, 'retain_raw', quote_literal(v_pipeline.retain_raw)),
        (14, 'retain_history', quote_literal(v_pipeline.retain_history)),
        (15, 'missing', quote_literal(nullif(v_pipeline.missing, 'keep'))),
        (16, 'mark_column', quote_literal(v_pipeline.mark_column)),
        (17, 'max_delete_ratio', nullif(v_pipeline.max_delete_ratio, 0.1)::text),
        (18, 'deliver', case when v_pipeline.deliver is not null then
          sluice._source_sql('delivery', v_pipeline.deliver, '  ') end),
        (19, 'also', (
          select 'array[' || string_agg(format(E'\n    sluice.also_target(%s)', concat_ws(', ',
            'transform => ' || quote_literal(regexp_replace(t.function, '[(][a-z,]*[)]$', '')),
            'target => ' || quote_literal(t.target), 'key => ' || quote_literal(t.key),
            'parent => ' || quote_literal(t.parent), 'children => ' || quote_literal(nullif(t.children, 'keep')),
            'deliver => ' || case when v_pipeline.also_deliver ? t.target then
              sluice._source_sql('delivery', v_pipeline.also_deliver -> t.target, '    ') end)),
            ',' order by t.number) || ']'
          from sluice._version_targets(v_pipeline.pipeline_id, v_version.version) t where t.number > 1)),
        (20, 'owner', quote_literal(nullif(v_pipeline.owner, current_user))),
        (21, 'activate', case when v_version.version <> v_pipeline.active_version then 'false' end)
      ) a (place, name, value)
      where a.value is not null)));
end
$$;

comment on function sluice.definition is
$$The definition of a pipeline as SQL that can be applied as it is printed: the transform as it was registered, the
source and the policies as they are now. version: another one than the active.
Example: select sluice.definition('orders')$$;

-- The call that makes a source, or a part of one.
create or replace function sluice._source_sql(p_what text, p_value jsonb, p_indent text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
set intervalstyle = 'postgres'
as $$
declare
  v_part text := concat_ws(' ', p_value ->> nullif(sluice._tag_of(p_what), ''), p_what);
begin
  return format('sluice.%s(%s)', replace(v_part, ' ', '_'), (
    select string_agg(format(E'\n%s  %I => %s', p_indent, s.name, case
        when sluice._tag_of(s.shape) is not null then
          sluice._source_sql(s.shape, p_value -> s.name, p_indent || '  ')
        when s.shape = 'names' then quote_literal(array(select jsonb_array_elements_text(p_value -> s.name)))
        when s.name in ('lag', 'statement_timeout') then
          quote_literal(make_interval(secs => (p_value ->> s.name)::float8))
        when jsonb_typeof(p_value -> s.name) in ('number', 'boolean') then p_value ->> s.name
        else quote_literal(p_value ->> s.name) end), ',' order by s.place)
    from sluice._settings() with ordinality s (parts, name, is_required, shape, range, sentence, place)
    where v_part = any (s.parts) and p_value ? s.name));
end
$$;
