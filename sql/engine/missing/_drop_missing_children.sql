create or replace function sluice._drop_missing_children(
  p_pipeline sluice.pipelines, p_targets sluice.compiled[], p_batch_id bigint)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v         sluice.compiled;
  v_parents text;
  v_books   jsonb := '[]';
begin
  if cardinality(p_targets) = 1 then
    return null;
  elsif p_pipeline.missing <> 'delete' then
    return v_books;
  end if;
  perform sluice._make_batch_tables();
  for v_number in reverse cardinality(p_targets) .. 2 loop
    v := p_targets[v_number];
    v_parents := format('%s p on p.tableoid = m.class and p.ctid = m.place', sluice._met(p_targets[1].target));
    if v.fetch_sql is not null then
      perform sluice._fetch_met(v.target, array[sluice._fetch_sql(v.target, v.key,
        format('select p.* from pg_temp.sluice_missing m join %s where m.is_missing', v_parents),
        sluice._parent_condition(p_targets[1].target, p_targets[1].key, v.parent, 't', 's'))]);
    end if;
    execute format($sql$insert into pg_temp.sluice_dropped (number, class, place, parent)
select %s, t.tableoid, t.ctid, m.place
from pg_temp.sluice_missing m
join %s
join %s t on %s
where m.is_missing$sql$, v_number, v_parents, sluice._met(v.target),
      sluice._parent_condition(p_targets[1].target, p_targets[1].key, v.parent, 't'));
    v_books := sluice._target_entry(sluice._qualified_name(v.target), 0,
      sluice._drop_found(v, p_pipeline.pipeline_id, p_batch_id)) || v_books;
  end loop;
  return v_books;
end
$$;

comment on function sluice._drop_missing_children(sluice.pipelines, sluice.compiled[], bigint) is
$$Deletes the rows of further targets whose parent is about to be deleted as missing; returns their books, null where
there is one target.$$;
