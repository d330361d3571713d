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
-- its rows, and a line below; ranges of backfills, if it knows any, are in sluice._ranged_source.
create or replace function sluice._settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select * from sluice._file_settings()
  union all select * from sluice._object_settings()
  union all select * from sluice._http_settings()
  union all select * from sluice._record_settings()
  union all select * from sluice._paging_settings()
  union all select * from sluice._auth_settings()
  union all select * from sluice._since_settings()
$$;

comment on function sluice._settings() is
  'The settings of sources and of their parts. The loader reads what passed here and has no opinion of its own.';
