create or replace function sluice._target_fingerprint(p_target oid)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- plpgsql keeps the plan; every batch asks.
begin
  return (
    select concat_ws('/', p_target,
      (select string_agg(c.xmin::text || c.ctid, ',' order by c.oid) from pg_class c
       -- As an array they are looked up; with an "or" all tables of the database would be read, for every batch.
       where c.oid = any (array(
         select p_target union select k.confrelid from pg_constraint k where k.conrelid = p_target))),
      (select string_agg(a.xmin::text || a.ctid, ',' order by a.attnum) from pg_attribute a
       where a.attrelid = p_target and a.attnum > 0),
      (select string_agg(k.xmin::text || k.ctid, ',' order by k.oid) from pg_constraint k where k.conrelid = p_target),
      (select string_agg(i.xmin::text || i.ctid, ',' order by i.indexrelid) from pg_index i
       where i.indrelid = p_target),
      (select string_agg(g.xmin::text || g.ctid, ',' order by g.oid) from pg_trigger g where g.tgrelid = p_target),
      (select string_agg(concat_ws(':', y.xmin, y.ctid, e.xmin, e.ctid, k.xmin, k.ctid), ','
         order by y.oid, e.oid, k.oid)
       from pg_attribute a
       join pg_type y on y.oid = a.atttypid and y.oid >= 16384
       left join pg_enum e on e.enumtypid = y.oid
       left join pg_constraint k on k.contypid = y.oid
       where a.attrelid = p_target and a.attnum > 0)));
end
$$;

comment on function sluice._target_fingerprint(oid) is
$$Changes whenever the definition of a target does: its columns and their types, constraints, indexes, triggers, file,
and the tables it references.$$;
