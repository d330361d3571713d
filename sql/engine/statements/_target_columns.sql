create or replace function sluice._target_columns(p_target oid, p_columns text[])
returns table (
  column_name text, type_name text, collation_clause text, is_not_null boolean,
  coercion text, hash_input text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
-- plpgsql keeps the plan; a compilation asks a dozen times.
begin
  -- coercion: what assignment does, as an expression that can be tried without writing. An
  -- explicit cast to varchar(n), char(n) or bit(n) would cut in silence; the cast functions,
  -- called with isExplicit = false, raise 22001 as an insert does. Arrays of them have no such
  -- function: only blanks may differ after the cast.
  -- hash_input: the binary form for built-in types, which no session setting changes; text for
  -- types whose oid differs between databases.
  return query
  select
    a.attname::text,
    type_name,
    case when a.attcollation <> 0 and a.attcollation <> t.typcollation
      then (select format(' collate %I.%I', n.nspname, c.collname)
            from pg_collation c join pg_namespace n on n.oid = c.collnamespace
            where c.oid = a.attcollation)
      else '' end,
    a.attnotnull,
    case
      when b.base_typmod >= 0 and b.base_type in ('varchar'::regtype, 'bpchar'::regtype, 'bit'::regtype,
        'varbit'::regtype)
        then format('pg_catalog.%1$I(r.%2$I::pg_catalog.%1$I, %3$s, false)::%4$s',
          bt.typname, a.attname, b.base_typmod,
          case when t.typtype = 'd' then type_name else 'pg_catalog.' || quote_ident(bt.typname) end)
      when b.base_typmod >= 0 and bt.typelem in ('varchar'::regtype, 'bpchar'::regtype, 'bit'::regtype,
        'varbit'::regtype)
        then format($sql$case when r.%1$I::%2$s::%3$s operator(pg_catalog.<>) r.%1$I::%3$s
      then sluice._refuse_cut(r.%1$I::%2$s, %2$L) else r.%1$I::%2$s end$sql$,
          a.attname, type_name,
          case when bt.typelem in ('bit'::regtype, 'varbit'::regtype) then 'pg_catalog.varbit[]'
            else 'pg_catalog.bpchar[]' end)
      else format('r.%I::%s', a.attname, type_name)
    end,
    case
      when b.base_type < 16384 and bt.typsend <> 0
        then format('t.%I%s', a.attname,
          case when t.typtype = 'd' then '::' || format_type(b.base_type, null) else '' end)
      else format('t.%I::pg_catalog.text', a.attname)
    end
  from unnest(p_columns) as wanted (column_name)
  join pg_attribute a
    on a.attrelid = p_target and a.attname = wanted.column_name and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  cross join lateral sluice._base_type(a.atttypid, a.atttypmod) b
  join pg_type bt on bt.oid = b.base_type
  cross join lateral format_type(a.atttypid, a.atttypmod) as type_name
  order by a.attnum;
end
$$;

comment on function sluice._target_columns(oid, text[]) is
  'The given columns of a target in table order, with the SQL that coerces and hashes each.';

-- Raises 22001 as an insert does, if a cast to an array of limited strings would cut silently.
create or replace function sluice._refuse_cut(p_value anyelement, p_type text)
returns anyelement
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'string_data_right_truncation',
    message = format('value too long for type %s', p_type);
end
$$;
