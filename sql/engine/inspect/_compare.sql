-- Two versions over the same records. For each batch of them first one version, whose tables get
-- the suffix _a, then the other; then both results are laid side by side.
--
-- Everything happens in a subtransaction that is rolled back: what a function has returned is no
-- part of it. Nothing is merged, so the target is only read.
create or replace function sluice._compare(
  p_pipeline sluice.pipelines, p_version_a integer, p_version_b integer, p_last_batches integer, p_samples integer)
returns table (
  outcome_a text, outcome_b text, is_same boolean, records bigint,
  batch bigint, origin text, "position" bigint, error_a text, error_b text, changes jsonb, payload text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set client_encoding = 'UTF8' -- and the rest of _pin_settings
set work_mem = '64MB' -- the rows of one batch
set jit = off
set client_min_messages = warning
as $$
declare
  v_batches bigint[];
  v_ids     bigint[];
  v_part    record;
  v_version integer; -- the one in hand
  v_rows_a  text;
begin
  if p_last_batches < 0 then
    raise exception using errcode = 'SL005', message = format('last_batches %s is negative', p_last_batches),
      hint = '20 is the default; 0 compares over open quarantine alone';
  end if;
  perform sluice._refuse_hidden_rows(p_pipeline.name, to_regclass(t.target))
  from sluice._version_targets(p_pipeline.pipeline_id, null) t;
  v_batches := array(select c.batch_id from sluice._raw_counts(p_pipeline.pipeline_id, null) c
    order by c.batch_id desc limit p_last_batches);
  v_ids := array(select sluice.find_quarantined(p_pipeline.name));
  if v_batches = '{}' and v_ids = '{}' then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s has no records to compare over: none are retained, and quarantine is empty',
        p_pipeline.name),
      hint = sluice._retained_hint(p_pipeline);
  end if;
  perform pg_advisory_xact_lock_shared(sluice._lock_class('install'), 0);
  begin
    for v_part in
      select b.id as batch_id, null::bigint[] as ids from unnest(v_batches) b (id)
      union all
      select null, v_ids[n : n + 9999] from generate_series(1, cardinality(v_ids), 10000) n
      order by batch_id
    loop
      v_version := p_version_a;
      perform sluice._try_version(p_pipeline, v_version, v_part.batch_id, v_part.ids);
      drop table if exists pg_temp.sluice_rows_a, pg_temp.sluice_faults_a, pg_temp.sluice_outcomes_a cascade;
      v_rows_a := sluice._set_rows_aside();
      alter table pg_temp.sluice_outcomes rename to sluice_outcomes_a;
      create temporary table sluice_faults_a on commit drop as select * from pg_temp.sluice_faults;
      v_version := p_version_b;
      perform sluice._try_version(p_pipeline, v_version, v_part.batch_id, v_part.ids);
      return query execute sluice._compare_sql(v_rows_a, sluice._rows_as_json()) using p_samples, v_part.batch_id;
      drop table pg_temp.sluice_outcomes;
    end loop;
    raise exception using errcode = 'SL999', message = 'a comparison always rolls back';
  exception
    when sqlstate 'SL999' then
      null;
    when others then
      if sluice._is_run_fault(sqlstate) then
        raise;
      end if;
      raise exception using errcode = sqlstate,
        message = format('version %s cannot run over %s: %s', v_version,
          coalesce('batch ' || v_part.batch_id, 'open quarantine'), sqlerrm),
        hint = 'mend its transform, or what that needs, and compare again';
  end;
end
$$;

comment on function sluice._compare(sluice.pipelines, integer, integer, integer, integer) is
$$Puts the records of the last retained batches and of open quarantine through two versions. Of each batch one line
for every pair of outcomes, with its number of records; and of the records that do not come out the same, p_samples
of them for each pair (null: all), without a number.$$;

-- Lays the results of two versions side by side: p_rows_a, sluice_faults_a, sluice_outcomes_a and those without
-- suffix. $1: how many samples, null for all; $2: the batch.
create or replace function sluice._compare_sql(p_rows_a text, p_rows_b text)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select replace(replace($sql$with records as (
  select s.ordinal, s.position from pg_temp.sluice_staging s
  union all
  select u.ordinal, u.position from pg_temp.sluice_unreadable u
), outcomes as materialized (
  select r.ordinal, r.position, o.outcome_a, o.outcome_b, d.ordinal is null and o.outcome_a = o.outcome_b as is_same,
    o.error_a, o.error_b
  from records r
  left join pg_temp.sluice_faults_a fa using (ordinal)
  left join pg_temp.sluice_faults fb using (ordinal)
  left join (select ordinal, string_agg(distinct outcome, '+' order by outcome) as outcome
    from pg_temp.sluice_outcomes_a group by ordinal) a using (ordinal)
  left join (select ordinal, string_agg(distinct outcome, '+' order by outcome) as outcome
    from pg_temp.sluice_outcomes group by ordinal) b using (ordinal)
  left join (
    select distinct ordinal from pg_temp.sluice_outcomes_a a full join pg_temp.sluice_outcomes b
      using (ordinal, of_target, key_hash, number)
    where a.hash is distinct from b.hash) d using (ordinal)
  cross join lateral (
    select coalesce('quarantined ' || fa.sqlstate, a.outcome, 'filtered') as outcome_a,
      coalesce('quarantined ' || fb.sqlstate, b.outcome, 'filtered') as outcome_b,
      -- Copies: what lies in a temporary table is gone when this is read.
      concat_ws(': ', fa.column_name, left(fa.message, 1000)) as error_a,
        concat_ws(': ', fb.column_name, left(fb.message, 1000)) as error_b) o
), picked as materialized (
  select * from (
    select o.*, row_number() over (partition by outcome_a, outcome_b, is_same order by ordinal) as number
      from outcomes o where not is_same) o
  where $1 is null or number <= $1
), changed as (
  select d.ordinal, jsonb_agg(jsonb_build_object('key', d.key, 'changes', d.changes)
    || case when d.of_target <> '' then jsonb_build_object('target', d.of_target) else '{}' end
    order by d.of_target, d.line) as changes
  from (
    select ordinal, of_target, coalesce(b.key, a.key) as key, coalesce(b.line, a.line) as line,
      coalesce(c.changes, '{}') as changes
    from (select * from pg_temp.sluice_outcomes_a where ordinal in (select ordinal from picked)) a
    full join (select * from pg_temp.sluice_outcomes where ordinal in (select ordinal from picked)) b
      using (ordinal, of_target, key_hash, number)
    left join (<rows a>) ra on (ra.sluice_ordinal, ra.sluice_target, ra.sluice_line) = (a.ordinal, a.of_target, a.line)
    left join (<rows b>) rb on (rb.sluice_ordinal, rb.sluice_target, rb.sluice_line) = (b.ordinal, b.of_target, b.line)
    cross join lateral (
      -- As text: 1.0 and 1.00 are equal, and differ. A null is a value, unlike a column that is not returned.
      select jsonb_object_agg(key, case when x.value is null then '{}' else jsonb_build_object('a', x.value) end
        || case when y.value is null then '{}' else jsonb_build_object('b', y.value) end) as changes
      from jsonb_each(ra.content) x full join jsonb_each(rb.content) y using (key)
      where x.value::text is distinct from y.value::text and not starts_with(key, 'sluice_')) c
    where a.hash is distinct from b.hash) d
  group by d.ordinal
)
select outcome_a, outcome_b, is_same, count(*), null::bigint, null::text, null::bigint, null::text, null::text,
  null::jsonb, null::text
from outcomes group by outcome_a, outcome_b, is_same
union all
select * from (
  select p.outcome_a, p.outcome_b, p.is_same, null::bigint, $2,
    sluice._origin_of((select b.origins from pg_temp.sluice_batch b), p.ordinal), p.position,
    nullif(p.error_a, ''), nullif(p.error_b, ''), case when p.error_a || p.error_b = '' then c.changes end, s.payload
      || ''
  from picked p
  left join changed c using (ordinal)
  left join pg_temp.sluice_staging s using (ordinal)
  order by p.ordinal) samples$sql$, '<rows a>', p_rows_a), '<rows b>', p_rows_b)
$$;
