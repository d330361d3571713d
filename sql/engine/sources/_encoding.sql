create or replace function sluice._encoding(p_part text, p_given jsonb)
returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_name  text := sluice._bare_name(p_given #>> '{}');
  v_known text := (select e.encoding from sluice._encodings() e where v_name = any (e.names));
begin
  if v_known is null or jsonb_typeof(p_given) <> 'string' then
    raise exception using errcode = 'SL005', message = format('%s: encoding cannot be %s', p_part, p_given),
      hint = format('the nearest are %s; from another one, convert it before: iconv -f ... -t UTF-8', (
        select string_agg(near.encoding, ', ' order by near.score desc, near.encoding)
        from (
          select e.encoding, max(sluice._likeness(v_name, name)) as score
          from sluice._encodings() e cross join unnest(e.names) name
          group by e.encoding order by 2 desc, 1 limit 4) near));
  end if;
  return v_known;
end
$$;

comment on function sluice._encoding(text, jsonb) is
  'The encoding that a source''s setting names, as the loader calls it; an unknown one is refused, with those near it.';

-- A name without what is written in this way or that: UTF-8, utf8.
create or replace function sluice._bare_name(p_name text)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select regexp_replace(lower(p_name), '[^a-z0-9]', '', 'g')
$$;

-- How much two names have in common: their number before all, else their beginning.
create or replace function sluice._likeness(p_name text, p_other text)
returns integer
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(max(n), 0) + case when substring(p_name from '[0-9]+$') = substring(p_other from '[0-9]+$')
    then 10 else 0 end
  from generate_series(1, length(p_name)) n where left(p_name, n) = left(p_other, n)
$$;

-- The encodings of the standard for browsers, with the names that they have elsewhere, too.
create or replace function sluice._encodings()
returns table (encoding text, names text[])
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('utf-8', '{utf8,unicode,ascii,usascii}'::text[]),
    ('utf-16le', '{utf16le,utf16,ucs2}'), ('utf-16be', '{utf16be}'),
    ('windows-1252', '{windows1252,cp1252,win1252,ansi,latin1,iso88591,l1}'),
    ('windows-1250', '{windows1250,cp1250,win1250}'), ('windows-1251', '{windows1251,cp1251,win1251,win}'),
    ('windows-1253', '{windows1253,cp1253,win1253}'),
    ('windows-1254', '{windows1254,cp1254,win1254,latin5,iso88599}'),
    ('windows-1255', '{windows1255,cp1255,win1255}'), ('windows-1256', '{windows1256,cp1256,win1256}'),
    ('windows-1257', '{windows1257,cp1257,win1257}'), ('windows-1258', '{windows1258,cp1258,win1258}'),
    ('windows-874', '{windows874,cp874,win874,tis620,iso885911}'),
    ('iso-8859-2', '{iso88592,latin2}'), ('iso-8859-3', '{iso88593,latin3}'), ('iso-8859-4', '{iso88594,latin4}'),
    ('iso-8859-5', '{iso88595}'), ('iso-8859-6', '{iso88596}'), ('iso-8859-7', '{iso88597}'),
    ('iso-8859-8', '{iso88598}'), ('iso-8859-10', '{iso885910,latin6}'), ('iso-8859-13', '{iso885913,latin7}'),
    ('iso-8859-14', '{iso885914,latin8}'), ('iso-8859-15', '{iso885915,latin9}'),
    ('iso-8859-16', '{iso885916,latin10}'),
    ('koi8-r', '{koi8r,koi8}'), ('koi8-u', '{koi8u}'), ('ibm866', '{ibm866,cp866,alt}'),
    ('macintosh', '{macintosh,macroman,mac}'), ('x-mac-cyrillic', '{xmaccyrillic,maccyrillic}'),
    ('gbk', '{gbk,gb2312,cp936,euccn}'), ('gb18030', '{gb18030}'), ('big5', '{big5,cp950}'),
    ('euc-jp', '{eucjp}'), ('shift_jis', '{shiftjis,sjis,cp932,windows31j,mskanji}'),
    ('euc-kr', '{euckr,cp949,uhc,ksc5601}')
$$;
