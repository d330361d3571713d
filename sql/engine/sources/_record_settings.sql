create or replace function sluice._record_settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{file source,object source}'::text[], 'format', false, 'one of auto, ndjson, json, csv, tsv', null::numrange,
      null),
    ('{http source}', 'format', false, 'one of json, ndjson, csv, tsv', null, null),
    ('{file source,object source}', 'compression', false, 'one of auto, none, gzip, zstd', null, null),
    ('{file source,object source,http source}', 'delimiter', false, 'character', null,
      'one ASCII character, no line break'),
    ('{file source,object source,http source}', 'quote', false, 'character or nothing', null,
      'one ASCII character, no line break, or the empty string for no quoting'),
    ('{file source,object source}', 'escape', false, 'character', null, 'one ASCII character, no line break'),
    ('{file source,object source}', 'comment', false, 'character', null, 'one ASCII character, no line break'),
    ('{file source,object source}', 'skip_lines', false, 'integer', '[0,1000000]', 'lines, 0 to 1000000'),
    ('{file source,object source}', 'max_record_lines', false, 'integer', '[1,1000000000]', 'lines'),
    ('{file source,object source,http source}', 'header', false, 'boolean', null, null),
    ('{file source,object source,http source}', 'columns', false, 'names', null, 'names of the fields, in order'),
    ('{file source,object source,http source}', 'null_string', false, 'string', null,
      'the text that stands for null'),
    ('{file source,object source,http source}', 'max_record_bytes', false, 'integer', '[1,268435455]',
      'bytes, 1 to 268435455 (what jsonb can hold)')
$$;

comment on function sluice._record_settings() is
  'How records stand in the content: what sources of files, objects and answers share.';
