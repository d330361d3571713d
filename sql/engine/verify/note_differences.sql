create or replace function sluice.note_differences(
  check_id uuid, ordinals integer[], places text[], digests uuid[], looked_at text[] default null)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pipeline sluice.pipelines := sluice._checked_pipeline(note_differences.check_id);
  v_known    uuid[] := array(
    select d from unnest(note_differences.digests) d
    where d in (select a.digest from pg_temp.sluice_amended a) or exists (
      select from sluice.quarantine q where q.pipeline_id = v_pipeline.pipeline_id and q.status = 'open'
        and q.payload_sha256 between uuid_send(d) and uuid_send(d) || decode(repeat('ff', 16), 'hex'))
      or exists (
      select from sluice.quarantine q where q.pipeline_id = v_pipeline.pipeline_id and q.status = 'discarded'
        and q.payload_sha256 between uuid_send(d) and uuid_send(d) || decode(repeat('ff', 16), 'hex')));
begin
  with before as (
    delete from pg_temp.sluice_differences d where d.place = any (looked_at) returning d.place, d.digest, d.state
  ), found as (
    select distinct on (p.place, f.of_target, f.key_hash) p.place, p.digest, f.*
    from unnest(ordinals, places, digests) p (ordinal, place, digest)
    join pg_temp.sluice_found f using (ordinal)
    where f.what not in ('same', 'bad') and p.digest <> all (v_known)
  ), again as (
    select distinct on (b.place) b.place, b.digest, b.state from before b
  ), noted as (
    insert into pg_temp.sluice_differences (place, digest, what, key_hash, key, row_batch, of_target, state)
    select f.place, f.digest, f.what, f.key_hash, f.key, f.row_batch, f.of_target, case
        when looked_at is null then 'seen'
        when a.digest is distinct from f.digest then 'changed'
        when a.state = 'seen' then 'confirmed'
        else 'not repaired' end
    from found f left join again a using (place)
    returning place
  )
  update pg_temp.sluice_source_check c set
    in_quarantine = c.in_quarantine + case when looked_at is null then cardinality(v_known) else 0 end,
    repaired = c.repaired + (
      select count(*) from again a where a.state = 'in repair' and a.place not in (select n.place from noted n));
end
$$;

comment on function sluice.note_differences(uuid, integer[], text[], uuid[], text[]) is
$$Keeps what find_differences found in the open batch, but for records that are in quarantine. check_id: see
begin_source_check. places, digests: of the records with these ordinals, the source's own word for where a record
stands, and the first half of its SHA-256. looked_at: the places that were looked at once more, if this was a second
look.$$;

create or replace function sluice.note_due(check_id uuid, places text[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform sluice._checked_pipeline(note_due.check_id);
  -- It would find an edited row unchanged, and a newer one newer.
  update pg_temp.sluice_differences d set state = 'due'
  where d.place = any (places) and d.state = 'confirmed' and d.what not in ('edited here', 'newer here');
end
$$;

comment on function sluice.note_due(uuid, text[]) is
$$Notes which of the records that differ the next run of the pipeline reads anyway. check_id: see begin_source_check.
places: where those records stand in the source.$$;

-- The next places to look at (is_repair: to repair), in no order; those to repair are in repair from now on.
create or replace function sluice.differing_places(check_id uuid, is_repair boolean, most integer)
returns setof text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform sluice._checked_pipeline(differing_places.check_id);
  if not is_repair then
    return query select distinct d.place from pg_temp.sluice_differences d where d.state = 'seen' limit most;
    return;
  end if;
  return query
  with chosen as (
    select distinct d.place from pg_temp.sluice_differences d
    where d.state = 'confirmed' and d.what not in ('newer here', 'not in the source') limit most)
  update pg_temp.sluice_differences d set state = 'in repair' from chosen c
  where d.place = c.place and d.state = 'confirmed' returning d.place;
end
$$;

comment on function sluice.differing_places(uuid, boolean, integer) is
$$Where records that differ stand in the source, as note_differences was told: those that have not been looked at twice,
or with is_repair those that a repair can bring, which are all but those whose row is newer here. check_id: see
begin_source_check. most: how many places at most.$$;
