-- What a source may be told, said once. A setting is one row beside the constructor that takes it:
--
--   parts        what has it: 'file source', 'cursor paging', 'bearer auth', 'since'; one setting may serve several
--   name         as the constructor's argument has it, and as it is kept in sluice.pipelines.source
--   is_required
--   shape        what a value looks like: a word of the list in sluice._fits, or "one of a, b, c"
--   range        of numbers
--   sentence     what it is, in the words of the error for a wrong value; the shape's own words without
--
-- To add one: that row, an argument of the constructor with its line in the comment, and the golden interface.
-- What settings ask of each other are the rows of sluice._conflicts(). A new kind of source is a constructor with
-- its rows, and a line below; if it reads files or objects, one in sluice._source_units, too.
create or replace function sluice._settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select * from sluice._file_settings()
  union all select * from sluice._object_settings()
  union all select * from sluice._http_settings()
  union all select * from sluice._database_settings()
  union all select * from sluice._program_settings()
  union all select * from sluice._record_settings()
  union all select * from sluice._paging_settings()
  union all select * from sluice._auth_settings()
  union all select * from sluice._since_settings()
  union all select * from sluice._delivery_settings()
  union all select * from sluice._parcel_settings()
  union all select * from sluice._table_delivery_settings()
$$;

comment on function sluice._settings() is
$$The settings of sources and deliveries, and of their parts. The loader reads what passed here and has no opinion of
its own.$$;

-- How records stand in the content: what sources of files, objects and answers share.
create or replace function sluice._record_settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{file source,object source}'::text[], 'format', false, 'one of auto, ndjson, json, csv, tsv, parquet',
      null::numrange, null),
    ('{http source}', 'format', false, 'one of json, ndjson, csv, tsv', null, null),
    ('{file source,object source}', 'compression', false, 'one of auto, none, gzip, zstd, bzip2, xz', null, null),
    ('{file source,object source,http source,program source}', 'encoding', false, 'encoding', null, null),
    ('{file source,object source,program source}', 'records', false, 'member', null,
      'a JSON pointer to the array of records, such as /data'),
    ('{file source,object source,http source,program source}', 'delimiter', false, 'character', null,
      'one ASCII character, no line break'),
    ('{file source,object source,http source,program source}', 'quote', false, 'character or nothing', null,
      'one ASCII character, no line break, or the empty string for no quoting'),
    ('{file source,object source,program source}', 'escape', false, 'character', null,
      'one ASCII character, no line break'),
    ('{file source,object source,program source}', 'comment', false, 'character', null,
      'one ASCII character, no line break'),
    ('{file source,object source,program source}', 'skip_lines', false, 'integer', '[0,1000000]',
      'lines, 0 to 1000000'),
    ('{file source,object source,program source}', 'max_record_lines', false, 'integer', '[1,1000000000]', 'lines'),
    ('{file source,object source,http source,program source}', 'header', false, 'boolean', null, null),
    ('{file source,object source,http source,program source}', 'columns', false, 'names', null,
      'names of the fields, in order'),
    ('{file source,object source,http source,program source}', 'require', false, 'names', null,
      'names that a header must have'),
    ('{file source,object source,http source,program source}', 'null_string', false, 'string', null,
      'the text that stands for null'),
    ('{file source,object source,http source,program source}', 'max_record_bytes', false, 'integer', '[1,268435455]',
      'bytes, 1 to 268435455 (what jsonb can hold)')
$$;

-- What they ask of each other, and what picks files of a folder.
create or replace function sluice._record_conflicts()
returns table (parts text[], path jsonpath, message text, hint text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{file source,object source,http source,program source}'::text[],
      '$ ? (@.header == false && !exists(@.columns))'::jsonpath,
      'header => false leaves the fields without names', 'name them: columns => ''{id,name}'''),
    ('{file source,object source,http source,program source}',
      '$ ? (@.delimiter == @.quote || (@.delimiter == "\"" && !exists(@.quote))
        || (!exists(@.delimiter) && @.quote == "," && !(@.format == "tsv"))
        || (!exists(@.delimiter) && @.quote == "\t" && !(@.format == "csv")))',
      'delimiter and quote are the same', 'quote => '''' for fields without quotes; the defaults are , and "'),
    ('{file source,object source}', '$ ? (@.format == "parquet").keyvalue() ? (@.key == "compression"
        || @.key == "encoding" || @.key == "records" || @.key == "delimiter" || @.key == "quote" || @.key == "escape"
        || @.key == "comment" || @.key == "header" || @.key == "null_string" || @.key == "skip_lines"
        || @.key == "max_record_lines")',
      '%s is not for the format parquet', 'leave it out'),
    ('{file source,object source,http source,program source}',
      '$ ? (@.header == false || (exists(@.columns) && !(@.format == "parquet"))) ? (exists(@.require)).require',
      'require looks at a header, and this source takes its names from elsewhere',
      'leave one out: require, or columns and header => false'),
    ('{file source,object source}', '$ ? (@.format == "json" || @.format == "ndjson" || exists(@.records)).keyvalue()
        ? (@.key == "require")', '%s is for the formats csv, tsv and parquet', 'leave it out'),
    ('{file source}', '$ ? (exists(@.pattern) || exists(@.subfolders)).path ? (@ == "-" || @ like_regex "[*?]")',
      'pattern and subfolders pick files of a folder, and path is "%s"',
      'path => the folder, or leave pattern and subfolders out'),
    ('{file source,object source}', '$ ? (@.subfolders == false).pattern ? (@ like_regex "/")',
      'pattern "%s" leads into subfolders, and subfolders is false', 'leave one of them out'),
    ('{file source}', '$ ? (@.format == "parquet").path ? (@ == "-")',
      'Parquet cannot be read from standard input', 'name a file, a folder or a glob: it is read from its end')
$$;

-- The member by which a source, a delivery or a part of one says of what kind it is; empty where there is one kind,
-- null for a shape that has no settings of its own.
create or replace function sluice._tag_of(p_shape text)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_shape in ('source', 'delivery') then 'kind'
    when p_shape = 'paging' then 'model'
    when p_shape in ('auth', 'signature') then 'scheme'
    when p_shape in ('since', 'connection', 'parcel') then '' end
$$;
