create or replace function sluice._check_missing(p_pipeline text, p_target text, p_columns text[], p_key text[],
  p_source jsonb, p_missing text, p_mark_column text, p_max_delete_ratio numeric)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_target oid := to_regclass(p_target);
  v_column record;
  v_fault  text;
  v_hint   text;
begin
  if p_missing is null or p_missing not in ('keep', 'delete', 'mark') then
    v_fault := format('missing cannot be %s', coalesce(quote_literal(p_missing), 'null'));
    v_hint := 'keep rows that are no longer in the source, delete them, or mark them in a column of yours';
  elsif p_max_delete_ratio is null or p_max_delete_ratio not between 0 and 1 then
    v_fault := format('max_delete_ratio %s is not between 0 and 1', p_max_delete_ratio);
    v_hint := '0.02 stops the run when more than 2% of the rows are missing; 1 never stops it';
  elsif (p_missing = 'mark') <> (p_mark_column is not null) then
    v_fault := case when p_missing = 'mark' then 'missing => ''mark'' needs a mark_column'
      else format('mark_column %I goes with missing => ''mark''', p_mark_column) end;
    v_hint := 'mark_column => ''gone_at'', a timestamptz or boolean column of the target, not of the transform';
  elsif p_missing <> 'keep' and p_source ?| '{since,cursor}' then
    v_fault := format('missing => %L does not go with %s: what is asked for is never all there is', p_missing,
      case when p_source ? 'since' then 'since' else 'a cursor' end);
    v_hint := format('leave %s out, and every run reads everything; or have the source tell deletions (sluice_deleted)',
      case when p_source ? 'since' then 'since' else 'cursor' end);
  elsif p_missing <> 'keep' then
    perform sluice._refuse_unstable_key(p_pipeline, format('missing => %L', p_missing), v_target, p_key);
  end if;
  if v_fault is null and p_missing = 'mark' then
    select a.atttypid, a.attnotnull, a.attgenerated into v_column from pg_attribute a
    where a.attrelid = v_target and a.attname = p_mark_column and a.attnum > 0 and not a.attisdropped;
    if not found then
      v_fault := format('target %s has no column %I to mark missing rows in', p_target, p_mark_column);
      v_hint := format('alter table %s add column %I timestamptz', p_target, p_mark_column);
    elsif p_mark_column = any (p_columns) or p_mark_column in ('sluice_hash', 'sluice_batch') then
      v_fault := format('mark_column %I is a column that loads write', p_mark_column);
      v_hint := 'leave it out of the transform, or name another column';
    elsif v_column.atttypid not in ('timestamptz'::regtype, 'boolean'::regtype) or v_column.attgenerated <> ''
      or (v_column.atttypid = 'timestamptz'::regtype and v_column.attnotnull)
    then
      v_fault := format('mark_column %I cannot hold a mark', p_mark_column);
      v_hint := 'a timestamptz column that may be null (null: in the source), or a boolean one (true: missing)';
    end if;
  end if;
  if v_fault is not null then
    raise exception using errcode = 'SL005', message = format('pipeline %s: %s', p_pipeline, v_fault), hint = v_hint;
  end if;
end
$$;

comment on function sluice._check_missing(text, text, text[], text[], jsonb, text, text, numeric) is
  'Refuses (SL005) what makes no sense as missing, mark_column and max_delete_ratio of a pipeline.';

-- Missing parents that are deleted take their children along; otherwise nobody would know whose they are. p_version:
-- null for the active one.
create or replace function sluice._refuse_kept_children(p_pipeline sluice.pipelines, p_version integer)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_kept text := (
    select t.target from sluice._version_targets(p_pipeline.pipeline_id, p_version) t
    where t.children = 'keep' limit 1);
begin
  if p_pipeline.missing = 'delete' and v_kept is not null then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: missing => ''delete'' does not go with %s, which keeps its children',
        p_pipeline.name, v_kept),
      hint = 'children => ''replace'' in its also_target; or mark what is missing';
  end if;
end
$$;
