create or replace function sluice._compare_sql()
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select $sql$with records as (
  select s.ordinal, s.position from pg_temp.sluice_staging s
  union all
  select u.ordinal, u.position from pg_temp.sluice_unreadable u
), outcomes as materialized (
  select r.ordinal, r.position, o.outcome_a, o.outcome_b, d.ordinal is null and o.outcome_a = o.outcome_b as is_same, o.error_a, o.error_b
  from records r
  left join pg_temp.sluice_faults_a fa using (ordinal)
  left join pg_temp.sluice_faults fb using (ordinal)
  left join (select ordinal, string_agg(distinct outcome, '+' order by outcome) as outcome from pg_temp.sluice_outcomes_a group by ordinal) a using (ordinal)
  left join (select ordinal, string_agg(distinct outcome, '+' order by outcome) as outcome from pg_temp.sluice_outcomes group by ordinal) b using (ordinal)
  left join (
    select distinct ordinal from pg_temp.sluice_outcomes_a a full join pg_temp.sluice_outcomes b using (ordinal, key_hash, number)
    where a.hash is distinct from b.hash) d using (ordinal)
  cross join lateral (
    select coalesce('quarantined ' || fa.sqlstate, a.outcome, 'filtered') as outcome_a, coalesce('quarantined ' || fb.sqlstate, b.outcome, 'filtered') as outcome_b,
      -- Copies: what lies in a temporary table is gone when this is read.
      concat_ws(': ', fa.column_name, left(fa.message, 1000)) as error_a, concat_ws(': ', fb.column_name, left(fb.message, 1000)) as error_b) o
), picked as materialized (
  select * from (
    select o.*, row_number() over (partition by outcome_a, outcome_b, is_same order by ordinal) as number from outcomes o where not is_same) o
  where $1 is null or number <= $1
), changed as (
  select d.ordinal, jsonb_agg(jsonb_build_object('key', d.key, 'changes', d.changes) order by d.line) as changes
  from (
    select ordinal, coalesce(b.key, a.key) as key, coalesce(b.line, a.line) as line, coalesce(c.changes, '{}') as changes
    from (select * from pg_temp.sluice_outcomes_a where ordinal in (select ordinal from picked)) a
    full join (select * from pg_temp.sluice_outcomes where ordinal in (select ordinal from picked)) b using (ordinal, key_hash, number)
    left join pg_temp.sluice_rows_a ra on (ra.sluice_ordinal, ra.sluice_line) = (a.ordinal, a.line)
    left join pg_temp.sluice_rows rb on (rb.sluice_ordinal, rb.sluice_line) = (b.ordinal, b.line)
    cross join lateral (
      -- As text: 1.0 and 1.00 are equal, and differ. A null is a value, unlike a column that is not returned.
      select jsonb_object_agg(key, case when x.value is null then '{}' else jsonb_build_object('a', x.value) end
        || case when y.value is null then '{}' else jsonb_build_object('b', y.value) end) as changes
      from jsonb_each(to_jsonb(ra)) x full join jsonb_each(to_jsonb(rb)) y using (key)
      where x.value::text is distinct from y.value::text and not starts_with(key, 'sluice_')) c
    where a.hash is distinct from b.hash) d
  group by d.ordinal
)
select outcome_a, outcome_b, is_same, count(*), null::bigint, null::text, null::bigint, null::text, null::text, null::jsonb, null::text
from outcomes group by outcome_a, outcome_b, is_same
union all
select * from (
  select p.outcome_a, p.outcome_b, p.is_same, null::bigint, $2, sluice._origin_of((select b.origins from pg_temp.sluice_batch b), p.ordinal), p.position,
    nullif(p.error_a, ''), nullif(p.error_b, ''), case when p.error_a || p.error_b = '' then c.changes end, s.payload || ''
  from picked p
  left join changed c using (ordinal)
  left join pg_temp.sluice_staging s using (ordinal)
  order by p.ordinal) samples$sql$
$$;

comment on function sluice._compare_sql() is
  'Lays the results of two versions side by side: sluice_rows_a, sluice_faults_a, sluice_outcomes_a and those without suffix. $1: so many samples, null for all; $2: the batch.';
