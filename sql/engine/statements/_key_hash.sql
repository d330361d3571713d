create or replace function sluice._key_hash(p_target oid, p_key text[], p_alias text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- plpgsql keeps the plan; a compilation asks ten times.
begin
  return (
    -- The bytes are those of record_send under client_encoding UTF8, to which it would convert texts; so texts are
    -- written by hand. Equal keys have equal bytes: 1.0 is 1.00, -0 is 0, trailing blanks of a char do not count, and
    -- citext does not tell A from a. If that is impossible, see _key_column_without_stable_bytes.
    select format('pg_catalog.substr(pg_catalog.sha256(%s), 1, 16)', case
        when bool_or(k.sent_as is not null) then concat_ws(' || ', format('pg_catalog.int4send(%s)', count(*)),
          string_agg(case when k.sent_as is null
            then format('pg_catalog.substr(pg_catalog.record_send(row(%s)), 5)', k.value)
            else sluice._sent_text(k.sent_as, k.value) end, ' || ' order by k.place))
        else format('pg_catalog.record_send(row(%s))', string_agg(k.value, ', ' order by k.place)) end)
    from sluice._key_values(p_target, p_key, p_alias) k);
end
$$;

comment on function sluice._key_hash(oid, text[], text) is
$$The expression that identifies the key of a row, given by its alias, in the same bytes whatever the session's
settings.$$;

-- The key columns in table order: an expression that is the same for equal keys, and the type that a text is sent as.
create or replace function sluice._key_values(p_target oid, p_key text[], p_alias text)
returns table (place smallint, column_name text, value text, sent_as oid)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select a.attnum, c.column_name, case
      when b.base_type = 'numeric'::regtype then format('pg_catalog.trim_scale(%s)', v.input)
      when b.base_type in ('float4'::regtype, 'float8'::regtype) then format('(%s + 0)', v.input)
      when b.base_type = 'bpchar'::regtype then format('(%s)::pg_catalog.text', v.input)
      when y.typname = 'citext' then format('pg_catalog.lower(%s collate pg_catalog."default")', v.input)
      else v.input end,
    case when b.base_type in ('varchar'::regtype, 'name'::regtype) then b.base_type::oid
      when b.base_type in ('text'::regtype, 'bpchar'::regtype) or b.base_type >= 16384
        then 'text'::regtype::oid end
  from sluice._target_columns(p_target, p_key) c
  join pg_attribute a on a.attrelid = p_target and a.attname = c.column_name
  cross join lateral sluice._base_type(a.atttypid, a.atttypmod) b
  join pg_type y on y.oid = b.base_type
  cross join lateral (select p_alias || substr(c.hash_input, 2) as input) v -- instead of "t"
$$;

-- As record_send writes a field. Spelled out, as other servers that do not have the engine may have to compute it.
create or replace function sluice._sent_text(p_type oid, p_value text)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select format('pg_catalog.int4send(%s) || pg_catalog.int4send(pg_catalog.octet_length(%s)) || %2$s', p_type,
    format('pg_catalog.convert_to(%s, ''UTF8'')', p_value))
$$;

-- Whether a column can hold equal values with different bytes: 1 and 1.0, 1 day and 24 hours, citext.
create or replace function sluice._may_be_written_otherwise(p_target oid, p_column text)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
-- plpgsql keeps the plan.
begin
  return (
    select coalesce(not o.collisdeterministic, false) or t.typtype <> 'e' and b.base_type not in (
      'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'bool'::regtype, 'text'::regtype, 'varchar'::regtype,
      'name'::regtype, '"char"'::regtype, 'uuid'::regtype, 'bytea'::regtype, 'oid'::regtype,
      'date'::regtype, 'time'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype, 'inet'::regtype, 'cidr'::regtype,
      'macaddr'::regtype, 'macaddr8'::regtype,
      -- Of what has stable bytes itself; those of whole numbers and days are written in one way.
      'int4range'::regtype, 'int8range'::regtype, 'daterange'::regtype, 'tsrange'::regtype, 'tstzrange'::regtype)
    from pg_attribute a
    cross join lateral sluice._base_type(a.atttypid, a.atttypmod) b
    join pg_type t on t.oid = b.base_type
    left join pg_collation o on o.oid = a.attcollation
    where a.attrelid = p_target and a.attname = p_column);
end
$$;

-- The first key column whose equal values may have different bytes that sluice._key_hash cannot make the same (1 day
-- and 24 hours), so that it could take one key for two.
create or replace function sluice._key_column_without_stable_bytes(p_target oid, p_key text[])
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod) || coalesce(' collate ' || o.collname, ''))
  from pg_attribute a
  cross join lateral sluice._base_type(a.atttypid, a.atttypmod) b
  join pg_type t on t.oid = b.base_type
  left join pg_collation o on o.oid = a.attcollation and not o.collisdeterministic
  where a.attrelid = p_target and a.attname = any (p_key) and sluice._may_be_written_otherwise(p_target, a.attname)
    and (o.oid is not null or t.typname <> 'citext' and b.base_type not in (
      'numeric'::regtype, 'float4'::regtype, 'float8'::regtype, 'bpchar'::regtype))
  order by a.attnum limit 1
$$;

-- SL005 where p_what has to know a key by its bytes, and cannot.
create or replace function sluice._refuse_unstable_key(p_pipeline text, p_what text, p_target oid, p_key text[])
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_column text := sluice._key_column_without_stable_bytes(p_target, p_key);
begin
  if v_column is not null then
    raise exception using errcode = 'SL005',
      message = format('pipeline %s: %s does not go with key column %s, in which equal values may have different bytes',
        p_pipeline, p_what, v_column),
      hint = 'give the target a key of numbers, text (of a deterministic collation), uuid, dates or times';
  end if;
end
$$;
