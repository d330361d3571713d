create or replace function sluice._verify_hashes(p_pipeline sluice.pipelines, out is_ok boolean, out detail text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
set jit = off
as $$
declare
  v_unread  text := sluice._why_unreadable(p_pipeline.target, '{sluice_batch,sluice_hash}');
  v_version record;
  v_rows    record;
  v_counted bigint := 0;
  v_differ  bigint := 0;
  v_blank   bigint := 0;
  v_unknown bigint := 0;
  v_keys    text[] := '{}';
  v_skipped text[] := '{}';
begin
  if v_unread is not null then
    detail := 'not checked: ' || v_unread;
    return;
  end if;
  for v_version in select * from sluice._versions_of_rows(p_pipeline) loop
    if v_version.unread is not null then
      v_skipped := v_skipped || format('%s rows of version %s: %s', v_version.rows, v_version.version,
        v_version.unread);
      continue;
    end if;
    select * into v_rows from sluice._read_under(v_version.search_path,
      format('select count(*) filter (where sluice_hash is null), count(*) filter (where not is_same) from (%s) r',
        v_version.rows_sql)) as r (blank bigint, differ bigint);
    if v_rows.differ > 0 and cardinality(v_keys) < 3 then
      v_keys := v_keys || array(select r.key from sluice._read_under(v_version.search_path,
        format('select key::text from (%s) r where not is_same order by r.key limit %s', v_version.rows_sql,
          3 - cardinality(v_keys))) as r (key text));
    end if;
    v_counted := v_counted + v_version.rows - v_rows.blank;
    v_blank := v_blank + v_rows.blank;
    v_differ := v_differ + v_rows.differ;
  end loop;
  if exists (select from sluice.unknown_batches u where u.target = p_pipeline.target) then
    v_unknown := (sluice._count_rows_by_origin(p_pipeline.target)).unknown;
  end if;
  if v_unknown > 0 then
    v_skipped := v_skipped || format('%s rows of %s', v_unknown, sluice._unknown_origin(p_pipeline.target));
  end if;
  is_ok := case when v_differ > 0 then false when v_skipped = '{}' then true end;
  detail := concat_ws('; ',
    case when v_differ = 0 then format('rows: %s, none was edited behind the tool''s back', v_counted)
      else format('%s of %s rows were edited behind the tool''s back: %s%s%s', v_differ, v_counted,
        array_to_string(v_keys, ', '),
        case when v_differ > 3 then ', ...' else '' end,
        coalesce('; or by ' || sluice._other_writers(p_pipeline.target::regclass), '')) end,
    case when v_blank > 0 then format('%s without a hash, written anew when they come again', v_blank) end,
    'not checked: ' || nullif(array_to_string(v_skipped, ', '), ''));
end
$$;

comment on function sluice._verify_hashes(sluice.pipelines) is
$$Whether the rows that the pipeline wrote still have the values they were written with: hashes computed again, each
by the columns of the version that wrote the row. Reads all of the target, once a version.$$;

-- What may change rows of a target besides the statements of its writers: triggers before row, foreign keys that
-- cascade, generated columns.
create or replace function sluice._other_writers(p_target oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(what, ', ' order by what) from (
    select 'trigger ' || quote_ident(t.tgname) as what from pg_trigger t -- before, for each row
    where t.tgrelid = p_target and not t.tgisinternal and t.tgtype & 3 = 3 and t.tgenabled <> 'D'
    union all
    select 'constraint ' || quote_ident(c.conname) from pg_constraint c
    where c.conrelid = p_target and c.contype = 'f'
      and (c.confupdtype in ('c', 'n', 'd') or c.confdeltype in ('n', 'd'))
    union all
    select 'generated column ' || quote_ident(a.attname) from pg_attribute a
    where a.attrelid = p_target and a.attgenerated <> '' and not a.attisdropped) found
$$;
