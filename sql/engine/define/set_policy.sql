create or replace function sluice.set_policy(pipeline text, policy text, value text)
returns text
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select sluice.set_policies(pipeline, jsonb_build_object(coalesce(policy, ''), coalesce(value, 'none')))
$$;

comment on function sluice.set_policy is
$$Changes one policy of a pipeline to a value, see sluice.set_policies.
Example: select sluice.set_policy('orders', 'max_bad_ratio', '0.02')$$;
