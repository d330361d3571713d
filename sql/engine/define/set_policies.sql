create or replace function sluice.set_policies(pipeline text, policies jsonb)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set intervalstyle = 'postgres'
as $$
declare
  v_was     sluice.pipelines := sluice._find_own_live_pipeline(set_policies.pipeline);
  v_now     sluice.pipelines;
  v_changes jsonb := '{}';
  v_policy  record;
begin
  if jsonb_typeof(set_policies.policies) is distinct from 'object' or set_policies.policies = '{}' then
    raise exception using errcode = 'SL005', hint = 'an object such as {"max_bad_ratio": "0.02"}',
      message = format('pipeline %s: no policy is given', v_was.name);
  end if;
  select * into v_was from sluice.pipelines p where p.pipeline_id = v_was.pipeline_id for no key update;
  if not found then
    perform sluice._refuse_dropped(set_policies.pipeline);
  end if;
  for v_policy in
    select given.key as name, given.value, lower(trim(given.value)) as word, p.name is not null as is_known,
      p."default", p.sentence
    from jsonb_each_text(set_policies.policies) given
    left join sluice._policies() p on p.name = given.key
  loop
    if not v_policy.is_known then
      raise exception using errcode = 'SL005',
        message = format('pipeline %s: unknown policy %s', v_was.name, quote_ident(v_policy.name)),
        hint = format('policies are %s; source, transform and key are changed by a definition',
          (select string_agg(p.name, ', ' order by p.place) from sluice._policies() p));
    end if;
    if v_policy.name = 'deliver' and coalesce(v_policy.word, 'none') not in ('none', 'default') then
      raise exception using errcode = 'SL005', hint = 'deliver is none; where to is said by a definition',
        message = format('pipeline %s: deliver cannot be set to %s', v_was.name, quote_literal(v_policy.value));
    end if;
    v_changes := v_changes || jsonb_build_object(v_policy.name, case v_policy.word
      when 'none' then null when 'default' then v_policy."default" else v_policy.value end);
    begin
      -- One by one, so that an error names the one that is refused.
      perform jsonb_populate_record(v_was, v_changes);
    exception when data_exception then
      raise exception using errcode = 'SL005', hint = format('%s is %s', v_policy.name, v_policy.sentence),
        message = format('pipeline %s: %s cannot be %s', v_was.name, v_policy.name, quote_literal(v_policy.value));
    end;
  end loop;
  -- Marking needs a column, and the column needs marking.
  if v_changes ->> 'mark_column' is not null and not v_changes ? 'missing' then
    v_changes := v_changes || '{"missing": "mark"}';
  end if;
  -- Nowhere: rows of no target.
  if v_changes ? 'deliver' and v_was.also_deliver is not null then
    v_changes := v_changes || '{"also_deliver": null}';
  end if;
  v_now := sluice._change_pipeline(v_was, v_was.active_version, v_changes);
  return format('pipeline %s: %s', v_was.name, coalesce(sluice._changes_of_pipeline(v_was, v_now), (
    select string_agg(format('%s is %s already', key, coalesce(value #>> '{}', 'none')), ', ' order by key)
    from jsonb_each(v_changes))));
end
$$;

comment on function sluice.set_policies(text, jsonb) is
$$Changes policies of a pipeline, all of them or none: max_bad_ratio, batch_rows, batch_bytes, skip_known,
retry_orphans, retain_raw, retain_history, missing, mark_column (which makes missing mark), max_delete_ratio, deliver
(none: what is unsent is discarded), owner (of all pipelines of its targets); see define_pipeline.
policies: {"missing": "mark", "mark_column": "gone_at"}; values as in a definition, or one of the words none and
default. retain_raw none lets the next run drop the payloads. What is set stays when the same definition is applied
again, which then says so.
Example: select sluice.set_policies('orders', '{"max_bad_ratio": 0.02, "batch_rows": 5000}')$$;

create or replace function sluice._policies()
returns table (place integer, name text, "default" text, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    (1, 'max_bad_ratio', '0.1', 'a share from 0 to 1'), (2, 'batch_rows', null, 'a number of records'),
    (3, 'batch_bytes', null, 'a number of bytes'), (4, 'skip_known', 'true', 'true or false'),
    (5, 'retry_orphans', 'true', 'true or false'), (6, 'retain_raw', null, 'a time such as 7 days, or none'),
    (7, 'missing', 'keep', 'keep, delete or mark'), (8, 'mark_column', null, 'a column of the target, or none'),
    (9, 'max_delete_ratio', '0.1', 'a share from 0 to 1'),
    (10, 'deliver', null, 'none; where to is said by a definition'),
    (11, 'retain_history', null, 'a time such as 1 year, or none'), (12, 'owner', null, 'a role')
$$;
