-- Values are compared, by the hash that a row has as it stands: what was written into it once proves nothing. Of
-- several records that make the same row one is enough, and which of them counts is not asked.
create or replace function sluice.find_differences(check_id uuid, is_second_look boolean default false)
returns setof integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
as $$
declare
  v sluice.compiled;
begin
  perform sluice._checked_pipeline(find_differences.check_id);
  perform sluice._mark_outdated_rows(); -- of keys that were deleted since
  for v in select * from pg_temp.sluice_targets t order by t.number loop
    perform sluice._execute_by_index(sluice._differences_sql(v), v.search_path);
  end loop;
  update pg_temp.sluice_source_check c set records = c.records + b.extracted, filtered = c.filtered + b.filtered,
    bad = c.bad + (select count(*) from pg_temp.sluice_faults), bad_without_key = c.bad_without_key + (
      select count(*) from pg_temp.sluice_faults f
      where f.ordinal not in (select k.ordinal from sluice._record_keys(true) k))
  from pg_temp.sluice_batch b where not is_second_look;
  insert into pg_temp.sluice_source_keys (of_target, key_hash, is_same)
  select f.of_target, f.key_hash, bool_or(f.what = 'same') from pg_temp.sluice_found f where f.key_hash is not null
  group by f.of_target, f.key_hash;
  -- Their keys are none of the source's.
  for v in select * from pg_temp.sluice_targets t where t.children = 'replace' order by t.number loop
    perform sluice._execute_by_hash(v.dropped_sql, null, null);
    perform sluice._execute_by_hash(sluice._left_behind_sql(v), null, null);
  end loop;
  insert into pg_temp.sluice_found (ordinal, what)
  select f.ordinal, 'not in quarantine' from pg_temp.sluice_faults f;
  return query select distinct f.ordinal from pg_temp.sluice_found f where f.what not in ('same', 'bad');
end
$$;

comment on function sluice.find_differences(uuid, boolean) is
$$Compares the rows that the open batch makes with those of the target; comes after transform_batch. Returns the
ordinals of the records that differ, for note_differences. check_id: see begin_source_check. is_second_look: they have
been counted before.$$;

-- Children are as old as their parent: those of an outdated one are newer here, and those of a superseded one are not
-- looked at.
create or replace function sluice._differences_sql(p_target sluice.compiled)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$insert into pg_temp.sluice_found (ordinal, what, key_hash, key, row_batch, of_target)
select s.sluice_ordinal, case
    when s.sluice_state = 'f' then 'bad'
    when t.%1$I is null and (s.sluice_deleted or s.sluice_state in ('o', 'u')) then 'same'
    when t.%1$I is null then 'missing here'
    when s.sluice_deleted then 'not deleted here'
    when h.hash = s.sluice_hash or %2$s then 'same'
    when t.sluice_hash = s.sluice_hash then 'edited here'
    when %3$s then 'newer here'
    else 'different' end, %4$s, %5$s, t.sluice_batch, %6$L
from %7$s s
left join %8$s t on %9$s
cross join lateral (select case when t.%1$I is not null then %10$s end as hash offset 0) h
where %11$s$sql$,
    c.key[1], sluice._is_accepted_sql(sluice._qualified_name(c.target), c.key_hash, 'h.hash'),
    case when c.number > 1 then $sql$s.sluice_state in ('o', 'u')$sql$
      else sluice._stale_condition(c.target, c.order_by) end,
    c.key_hash, sluice._key_json(c.key, 's'), sluice._further_name(c.number, c.target), c.rows_table::regclass,
    sluice._met(c.target), sluice._key_condition(c.target, c.key, 't', 's'), sluice._hash_sql(c.target, c.columns),
    (select string_agg(format('s.%I is not null', k), ' and ') from unnest(c.key) k)
      || case when c.number > 1 then ' and s.sluice_state is distinct from ''s''' else '' end)
  from (select (p_target).*, sluice._key_hash((p_target).target, (p_target).key, 's') as key_hash) c
$$;

-- Rows of a further target that a batch would delete, since the record of their parent does not make them: for that the
-- parent has to be loaded again. Those that it makes and deletes are known already.
create or replace function sluice._left_behind_sql(p_target sluice.compiled)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format($sql$insert into pg_temp.sluice_found (ordinal, what, key_hash, key, row_batch, of_target)
select p.sluice_ordinal, 'not in its record', t.key_hash, t.key, t.sluice_batch, %1$L
from pg_temp.sluice_dropped d
join pg_temp.sluice_rows_1 p on p.ctid = d.parent
cross join lateral (
  select %2$s as key_hash, %3$s as key, t.sluice_batch from %4$s t
  where t.tableoid = d.class and t.ctid = d.place offset 0) t
where d.number = %5$s and t.sluice_batch < (select c.before_batch from pg_temp.sluice_source_check c)
  and ($1 is null or p.sluice_ordinal between $1 and $2)
  and not exists (
    select from pg_temp.sluice_found f where f.of_target = %1$L and f.key_hash = t.key_hash)$sql$,
    sluice._further_name(c.number, c.target), sluice._key_hash(c.target, c.key, 't'), sluice._key_json(c.key, 't'),
    sluice._met(c.target), c.number)
  from (select (p_target).*) c
$$;
