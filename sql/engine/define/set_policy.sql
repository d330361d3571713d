create or replace function sluice.set_policy(pipeline text, policy text, value text)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set intervalstyle = 'postgres'
as $$
declare
  v_was     sluice.pipelines := sluice._find_live_pipeline(set_policy.pipeline);
  v_now     sluice.pipelines;
  v_word    text := lower(trim(set_policy.value));
  v_policy  record;
begin
  select p.* into v_policy from (values
    ('max_bad_ratio', '0.1', 'a share from 0 to 1'), ('batch_rows', null, 'a number of records'),
    ('batch_bytes', null, 'a number of bytes'), ('skip_known', 'true', 'true or false'),
    ('retry_orphans', 'true', 'true or false'), ('retain_raw', null, 'a time such as 7 days, or none'),
    ('missing', 'keep', 'keep, delete or mark'), ('mark_column', null, 'a column of the target, or none'),
    ('max_delete_ratio', '0.1', 'a share from 0 to 1'), ('deliver', null, 'none; where to is said by a definition')) p (name, "default", sentence) where p.name = set_policy.policy;
  if not found then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: unknown policy %s', v_was.name, coalesce(quote_ident(set_policy.policy), 'null')),
      hint = 'policies are max_bad_ratio, batch_rows, batch_bytes, skip_known, retry_orphans, retain_raw, missing, '
        'mark_column, max_delete_ratio, deliver (none); source, transform and key are changed by a definition';
  end if;
  if v_policy.name = 'deliver' and coalesce(v_word, '') not in ('none', 'default') then
    raise exception using errcode = 'SL005', hint = 'deliver is none; where to is said by a definition',
      message = format('pipeline %s: deliver cannot be set to %s', v_was.name, quote_nullable(set_policy.value));
  end if;
  select * into strict v_was from sluice.pipelines p where p.pipeline_id = v_was.pipeline_id for no key update;
  begin
    v_now := sluice._change_pipeline(v_was, v_was.active_version, jsonb_build_object(v_policy.name, case v_word
      when 'none' then null when 'default' then v_policy."default" else set_policy.value end)
      -- Marks need a column, and a column marks.
      || case when v_policy.name = 'mark_column' and v_was.missing <> 'mark'
        and v_word <> 'none' then '{"missing": "mark"}' else '{}' end::jsonb);
  exception when invalid_text_representation or invalid_datetime_format or numeric_value_out_of_range
    or datetime_field_overflow then
    raise exception using errcode = 'SL005', hint = format('%s is %s', v_policy.name, v_policy.sentence),
      message = format('pipeline %s: %s cannot be %s', v_was.name, v_policy.name, quote_literal(set_policy.value));
  end;
  return format('pipeline %s: %s', v_was.name,
    coalesce(sluice._changes_of_pipeline(v_was, v_now), format('%s is %s already', v_policy.name, set_policy.value)));
end
$$;

comment on function sluice.set_policy is
$$Changes one policy of a pipeline: max_bad_ratio, batch_rows, batch_bytes, skip_known, retry_orphans, retain_raw,
missing, mark_column (which makes missing mark), max_delete_ratio, deliver (none: what is unsent is discarded); see
define_pipeline.
value: as in a definition, or one of the words none and default. retain_raw none lets the next run drop the payloads.
It stays when the same definition is applied again, which then says so.
Example: select sluice.set_policy('orders', 'max_bad_ratio', '0.02')$$;
