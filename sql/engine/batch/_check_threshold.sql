-- SL003 when more than max_bad_ratio of the records are bad: of the batch, or, for a batch below 1,000 records,
-- of the run so far. The detail: the most frequent errors, the first bad record, and what may be behind it.
create or replace function sluice._check_threshold(p_ledger sluice.batches, p_max_bad_ratio numeric)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines;
  v_function text;
  v_limit    numeric;
  v_records  bigint := p_ledger.extracted;
  v_bad      bigint := p_ledger.quarantined;
begin
  if v_bad = 0 then
    return;
  end if;
  select * into v_pipeline from sluice.pipelines where pipeline_id = p_ledger.pipeline_id;
  v_limit := coalesce(p_max_bad_ratio, v_pipeline.max_bad_ratio);
  -- A small batch says little by itself: count it with the run so far.
  if v_records < 1000 then
    select v_records + r.extracted, v_bad + r.quarantined into v_records, v_bad
    from sluice._run_totals(p_ledger.run_id) r;
  end if;
  if v_bad <= v_limit * v_records then
    return;
  end if;
  -- With several transforms nobody knows which one it was.
  select min(split_part(t.function, '(', 1)) into v_function
  from sluice._version_targets(p_ledger.pipeline_id, p_ledger.version) t having count(*) = 1;
  raise exception using errcode = 'SL003',
    message = format('pipeline "%s" stopped at batch %s: %s%% of records are bad (limit %s%%)',
      v_pipeline.name, p_ledger.batch_seq, round(100.0 * v_bad / v_records, 1), trim_scale(100 * v_limit)),
    detail = concat_ws(E'\n', (
      select string_agg(format('%s × %s %s%s', n, sqlstate, message, places), E'\n' order by n desc)
      from (
        select count(*) as n, f.sqlstate, min(f.message) as message,
          coalesce(' (' || nullif(concat_ws(', ', case when not bool_or(u.ordinal is not null) then v_function end,
            'column ' || f.column_name), '') || ')', '') as places
        from pg_temp.sluice_faults f left join pg_temp.sluice_unreadable u using (ordinal)
        group by f.sqlstate, f.column_name, f.constraint_name
        order by count(*) desc limit 3) most), sluice._first_fault(), 'guess: ' || p_ledger.note),
    hint = format('nothing of this batch was committed; "sluice run %s --dry-run" shows all that is bad; fix the '
      'transform (version %s), or accept it once with --max-bad-ratio, and run again',
      v_pipeline.name, p_ledger.version + 1);
end
$$;

comment on function sluice._check_threshold(sluice.batches, numeric) is
  'Refuses (SL003) a batch with too many bad records, and says what is bad.';

-- The first bad record of the open batch: where it stands, what it is, and a guess at what may be behind it.
create or replace function sluice._first_fault()
returns text
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  with record as (
    select f.ordinal, f.sqlstate, f.message, f.column_name, r.position, r.payload, r.is_text
    from pg_temp.sluice_faults f
    join (
      select s.ordinal, s.position, s.payload, true as is_text from pg_temp.sluice_staging s
      where s.ordinal = (select min(f.ordinal) from pg_temp.sluice_faults f)
      union all
      select u.ordinal, u.position, sluice._payload_text(u.payload), false
      from pg_temp.sluice_unreadable u where u.ordinal = (select min(f.ordinal) from pg_temp.sluice_faults f)) r
      using (ordinal))
  select concat_ws(E'\n',
    format('first: %s  %s', concat_ws(':', (
      select o.origin from pg_temp.sluice_origins o
      where o.first_ordinal <= r.ordinal order by o.first_ordinal desc limit 1), r.position),
      sluice._excerpt(r.payload, 200)),
    'guess: ' || sluice._guess_at_fault(r.sqlstate, r.message, r.column_name, case when r.is_text then r.payload end))
  from record r
$$;

-- What is often behind an error of this kind, as a question; null if nothing comes to mind.
create or replace function sluice._guess_at_fault(p_sqlstate text, p_message text, p_column text, p_payload text)
returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_doc    jsonb;
  v_fields text[];
  v_alike  text;
begin
  if p_sqlstate = '22021' then
    return 'is the file in an older encoding? If so, say which: encoding => ''windows-1252''; or save it as UTF-8';
  elsif p_message ~ '"-?[0-9.]*,[0-9]+"' then
    return format('a decimal comma? replace(doc ->> %s, '','', ''.'')', quote_literal(coalesce(p_column, 'amount')));
  elsif p_message ~ '"[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{4}' then
    return format('day first? to_date(doc ->> %s, ''DD.MM.YYYY'')', quote_literal(coalesce(p_column, 'day')));
  end if;
  v_doc := p_payload::jsonb;
  if jsonb_typeof(v_doc) is distinct from 'object' then
    return null;
  end if;
  v_fields := array(select jsonb_object_keys(v_doc));
  if cardinality(v_fields) = 1 and v_fields[1] ~ E'[;\t|,]' then
    return format('the record has a single field, %s: delimiter => %s?', to_json(v_fields[1]),
      case (regexp_match(v_fields[1], E'[;\t|,]'))[1] when E'\t' then 'E''\t''' else
        quote_literal((regexp_match(v_fields[1], E'[;\t|,]'))[1]) end);
  elsif p_sqlstate = '23502' and not p_column = any (v_fields) then
    select f into v_alike from unnest(v_fields) f
    where regexp_replace(lower(f), '\W|_', '', 'g') = regexp_replace(lower(p_column), '\W|_', '', 'g') limit 1;
    return 'the record has ' || coalesce(to_json(v_alike) || ', not ' || to_json(p_column),
      'the fields ' || array_to_string(v_fields[:10], ', ')
      || case when cardinality(v_fields) > 10 then ', ...' else '' end);
  end if;
  return null;
exception when data_exception then
  return null; -- no JSON
end
$$;
