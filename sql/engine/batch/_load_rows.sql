-- Merges the rows of the open batch into the target, which the caller has locked against other batches. Returns the
-- ledger row with everything that the batch itself knows; load_batch, replays and reloads add what they know.
create or replace function sluice._load_rows()
returns sluice.batches
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v            record;
  v_suspects   integer[];
  v_known_rows bigint;
  v_merged     record;
  v_sum        record;
  v_ledger     sluice.batches;
begin
  perform sluice._hold_targets();
  v_known_rows := sluice._confirm_known();
  -- Parents may have arrived since the transform looked: in batches committed meanwhile.
  select array_agg(f.ordinal) into v_suspects from pg_temp.sluice_faults f where f.is_suspect;
  if v_suspects is not null then
    delete from pg_temp.sluice_faults where is_suspect;
    update pg_temp.sluice_rows set sluice_state = null where sluice_ordinal = any (v_suspects);
    perform sluice._check_references(v_suspects);
    perform sluice._mark_superseded_rows();
  end if;
  v_known_rows := coalesce(sluice._transform_displaced(), v_known_rows);

  v_merged := sluice._merge_rows();
  select sum(m.inserted) as inserted, sum(m.updated) as updated, sum(m.deleted) as deleted,
    sum(m.unchanged) as unchanged, sum(m.stale) as stale, sum(m.produced) as dropped into v_sum
  from unnest(v_merged.books) m;

  -- The transform's counts hold unless a record left the batch, came back or lost its row.
  select b.*, c.version, c.made_for into strict v from pg_temp.sluice_batch b, pg_temp.sluice_compiled c;
  if v_suspects is not null or v.quarantined <> (select count(*) from pg_temp.sluice_faults)
    or v.known <> (select count(*) from pg_temp.sluice_known)
  then
    perform sluice._count_records();
    select b.*, c.version, c.made_for into strict v from pg_temp.sluice_batch b, pg_temp.sluice_compiled c;
  end if;
  v_ledger.batch_id    := v.batch_id;
  v_ledger.pipeline_id := v.pipeline_id;
  v_ledger.kind        := v.kind;
  v_ledger.version     := v.version;
  v_ledger.started_at  := v.started_at;
  v_ledger.origins     := v.origins;
  v_ledger.extracted   := v.extracted;
  v_ledger.transformed := v.transformed;
  v_ledger.filtered    := v.filtered;
  v_ledger.quarantined := v.quarantined;
  v_ledger.known       := v.known;
  v_ledger.produced    := v.produced + v_sum.dropped;
  v_ledger.targets     := sluice._books_of_targets(v_merged.books);
  v_ledger.inserted    := v_sum.inserted;
  v_ledger.updated     := v_sum.updated;
  v_ledger.deleted     := v_sum.deleted;
  v_ledger.unchanged   := v_sum.unchanged + v_known_rows;
  v_ledger.stale       := v_sum.stale + v_merged.outdated;
  -- Of several known records with the same row, the last one counts.
  v_ledger.superseded  := v.superseded + v.known - v_known_rows;

  if v.kind = 'load' and v.made_for is not null then
    perform sluice._remember(v_merged.places);
  end if;
  return v_ledger;
end
$$;

comment on function sluice._load_rows() is
  'Merges the open batch into its target, which the caller has locked, and returns what the ledger says of it.';

-- The books of each of several targets, as the ledger has them; null for a single one. p_books: what was done to
-- each; produced there counts the rows that left it without a row of the batch.
create or replace function sluice._books_of_targets(p_books sluice.batches[])
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if cardinality(p_books) = 1 then
    return null;
  end if;
  return (
    select jsonb_agg(jsonb_build_object('target', sluice._qualified_name(t.target), 'produced', b.produced + r.rows,
      'inserted', b.inserted, 'updated', b.updated, 'deleted', b.deleted, 'unchanged', b.unchanged,
      'stale', b.stale + r.outdated, 'superseded', r.superseded) order by t.number)
    from pg_temp.sluice_targets t
    join unnest(p_books) with ordinality b on b.ordinality = t.number
    cross join lateral (
      select count(*) as rows, count(*) filter (where s.sluice_state = 's') as superseded,
        count(*) filter (where s.sluice_state in ('o', 'u')) as outdated
      from pg_temp.sluice_rows s where s.tableoid = t.rows_table and s.sluice_state is distinct from 'f') r);
end
$$;

-- Statements name a target, locks number it. From here on it stays the table it was compiled for.
create or replace function sluice._hold_targets()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v record;
begin
  for v in
    select p.name, coalesce(a.target, p.target) as target, to_regclass(coalesce(a.target, p.target)) as found,
      c.target as compiled
    from pg_temp.sluice_batch b
    cross join pg_temp.sluice_targets c
    -- Looked up, not joined, as in begin_batch.
    cross join lateral (select * from sluice.pipelines p where p.pipeline_id = b.pipeline_id limit 1) p
    left join sluice.also_targets a on (a.pipeline_id, a.version, a.number) = (p.pipeline_id, c.version, c.number)
    order by c.number
  loop
    if v.found = v.compiled then
      execute format('lock table only %s in row exclusive mode', v.target);
      v.found := to_regclass(v.target);
    end if;
    if v.found is distinct from v.compiled then
      raise exception using errcode = 'serialization_failure',
        message = format('pipeline %s: %s is not the table any more that it was when the batch began', v.name,
          v.target),
        hint = 'nothing of this batch was committed; begun again it loads into the table of that name now';
    end if;
    perform sluice._refuse_hidden_rows(v.name, v.compiled);
  end loop;
end
$$;
