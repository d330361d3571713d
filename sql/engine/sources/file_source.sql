create or replace function sluice.file_source(
  path text, format text default 'auto', compression text default 'auto',
  delimiter text default null, quote text default null, header boolean default true, columns text[] default null,
  null_string text default null, max_record_bytes bigint default null,
  settle_seconds integer default null, partial text default null, on_replace text default null,
  escape text default null, comment text default null,
  skip_lines integer default null, max_record_lines integer default null,
  encoding text default null, records text default null, require text[] default null,
  pattern text default null, subfolders boolean default null, after text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('source', jsonb_build_object(
    'kind', 'file', 'path', path, 'format', nullif(format, 'auto'), 'compression', nullif(compression, 'auto'),
    'delimiter', delimiter, 'quote', quote, 'header', nullif(header, true), 'columns', to_jsonb(columns),
    'null_string', null_string, 'max_record_bytes', max_record_bytes,
    'settle_seconds', settle_seconds, 'partial', partial, 'on_replace', on_replace,
    'escape', escape, 'comment', comment, 'skip_lines', skip_lines, 'max_record_lines', max_record_lines,
    'encoding', encoding, 'records', records, 'require', to_jsonb(require),
    'pattern', pattern, 'subfolders', subfolders, 'after', after))
$$;

comment on function sluice.file_source is
$$Records from files.
path: a file, a glob, a folder, or - for standard input.
pattern: a glob for the files of the folder: *.csv, or with folders, **/orders-*.csv. subfolders: true reads those below
  the folder, too; a pattern without a slash is about a file's own name then.
format: auto (by suffix), ndjson, json (an array), csv, tsv, parquet.
compression: auto (by content), none, gzip, zstd, bzip2, xz.
after: a file's name with its folder, drop/2026-01-31.csv; only files whose names come after it in byte order are read,
  and what is known of the others may be pruned.
encoding: other than UTF-8: windows-1252 (or latin1), utf-16le, shift_jis ...; a byte order mark goes before it.
records: for json, where in the document the array of records is, such as /data.
delimiter, quote, header, columns (names where there is no header), null_string (an unquoted field of exactly this
  text becomes null): for csv and tsv. columns of parquet: those to read.
require: columns without which the header of a csv or tsv file, or the schema of a parquet file, is refused.
escape: takes the meaning from the character after it, in quoted fields; a doubled quote does so anyway. comment:
  lines that begin with it are passed over. skip_lines: passes over that many lines at the beginning of each file.
max_record_lines: a quote that is not closed within that many lines (default 10000) spoils its line only.
max_record_bytes: larger records go to quarantine (default 16 MiB).
settle_seconds: a file untouched that long is taken as finished when its last line does not end (default 2).
partial: wait or quarantine, for a file that ends inside a record.
on_replace: error or reload, for a file replaced under its name.
Example: sluice.file_source(path => '/srv/drop/*.csv.gz', delimiter => ';')$$;

create or replace function sluice._file_settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{file source}'::text[], 'path', true, 'text', null::numrange,
      'a file, a glob, a folder, or - for standard input'),
    ('{file source,object source}', 'pattern', false, 'glob', null,
      'a glob for what follows the folder or the prefix, such as *.csv or **/*.ndjson.gz; [[] is a bracket that '
      'means itself'),
    ('{file source,object source}', 'subfolders', false, 'boolean', null, null),
    ('{file source,object source}', 'after', false, 'text', null,
      'the whole name of a file or object: only those after it are read'),
    ('{file source}', 'settle_seconds', false, 'integer', '[0,3600]', 'seconds, 0 to 3600'),
    ('{file source}', 'partial', false, 'one of wait, quarantine', null, null),
    ('{file source,object source}', 'on_replace', false, 'one of error, reload', null, null)
$$;

comment on function sluice._file_settings() is
  'The settings of a file source, but for what says how records stand in it.';
