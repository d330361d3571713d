-- A table may find rows by other columns than the key of the pipeline, key => '{email}', and these may change for a
-- row. Then the row under the old values has to go there. That is a delivery of its own: a delete, known by those
-- values, so that no later change of the row supersedes it. Whether it goes is decided when it is sent: if a row of the
-- target has these values then, the row there is that one's, whose own change is sent, too. So values may be handed on,
-- in any order. All deletes are decided so, and no change of a row supersedes the delete of what it was before.
create or replace function sluice._delivered_key(p_only sluice.pipelines, p_key text[])
returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- What a body function makes of the key cannot be seen.
  select k.names
  from (
    select array_agg(k.name order by k.place) as names
    from jsonb_array_elements_text(nullif(p_only.deliver -> 'key', 'null')) with ordinality k (name, place)) k
  where not p_only.deliver ? 'body' and not k.names <@ p_key and p_only.deliver ->> 'deletes' is distinct from 'false'
    and (select count(*) from pg_attribute a where a.attrelid = to_regclass(p_only.target) and a.attnum > 0
      and not a.attisdropped and a.attname = any (k.names)) = cardinality(k.names)
$$;

comment on function sluice._delivered_key(sluice.pipelines, text[]) is
$$The columns by which rows are found where they are delivered, if they may change while the key of the target, p_key,
stays; else null. p_only: the pipeline as if the target were its only one.$$;

-- Whether a row s of the batch brings other values of them than its row t has; null if no batch can.
create or replace function sluice._delivered_key_differs_sql(p_names text[], p_columns text[])
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(format('t.%1$I::pg_catalog.text is distinct from s.%1$I::pg_catalog.text', c), ' or ')
  from unnest(p_names) c where c = any (p_columns)
$$;

-- The values that p_row has of them, as key and key_hash of a delivery; no row if one is null. The hash is none of a
-- key of the target.
create or replace function sluice._delivered_key_sql(p_target oid, p_names text[], p_row text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$select %s as key, pg_catalog.substr(pg_catalog.sha256('\x00' || %s), 1, 16) as key_hash
  from pg_catalog.jsonb_to_record(%s) as k (%s)
  where %s$sql$,
    sluice._key_json(p_names, 'k'), sluice._key_hash(p_target, p_names, 'k'), p_row,
    string_agg(format('%I %s', c.column_name, c.type_name), ', '),
    string_agg(format('k.%I is not null', c.column_name), ' and '))
  from sluice._target_columns(p_target, p_names) c
$$;

-- With deletes => false nothing is deleted there.
create or replace function sluice._warn_of_changing_key(p_only sluice.pipelines, p_key text[])
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_others text;
begin
  if p_only.deliver ->> 'deletes' = 'false' then
    p_only.deliver := p_only.deliver - 'deletes';
    select string_agg(k, ', ') into v_others from unnest(sluice._delivered_key(p_only, p_key)) k where k <> all (p_key);
  end if;
  if v_others is not null then
    raise notice 'pipeline %: the key of deliver has %, which is not in the key of the pipeline: when it changes, the '
      'row with the old value stays in %, as deletes is false', p_only.name, v_others, p_only.deliver ->> 'table'
      using hint = 'leave out deletes => false, or deliver by columns that never change for a row';
  end if;
end
$$;
