create or replace function sluice.program_source(
  program text, protocol text, arguments text[] default null, stream text default null,
  config text default null, catalog text default null, discover boolean default true, sync_mode text default null,
  env text[] default null, silence integer default null, complete boolean default null,
  encoding text default null, records text default null, delimiter text default null, quote text default null,
  escape text default null, comment text default null, skip_lines integer default null,
  max_record_lines integer default null, header boolean default true, columns text[] default null,
  null_string text default null, max_record_bytes bigint default null, require text[] default null,
  cursor text default null, start text default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('source', jsonb_build_object(
    'kind', 'program', 'program', program, 'protocol', protocol, 'arguments', to_jsonb(arguments), 'stream', stream,
    'config', config, 'catalog', catalog, 'discover', nullif(discover, true), 'sync_mode', sync_mode,
    'env', to_jsonb(env), 'silence', silence, 'complete', complete,
    'encoding', encoding, 'records', records, 'delimiter', delimiter, 'quote', quote, 'escape', escape,
    'comment', comment, 'skip_lines', skip_lines, 'max_record_lines', max_record_lines,
    'header', nullif(header, true), 'columns', to_jsonb(columns), 'null_string', null_string,
    'max_record_bytes', max_record_bytes, 'require', to_jsonb(require),
    'cursor', cursor, 'start', start))
$$;

comment on function sluice.program_source is
$$Records that a program prints, started by the loader.
program: its name, without a path; the host says which programs there are, and where (SLUICE_ALLOW_PROGRAMS).
protocol: singer (a tap), airbyte (a connector), or the format of all that it prints: ndjson, json, csv, tsv.
arguments: before those of the protocol.
stream: for singer and airbyte, the one that is read; each stream is a pipeline of its own, and pipelines that differ
  in nothing else can share one run of the program (sluice run --together, run_order).
config, catalog: paths of files on the host, which has to give them (SLUICE_ALLOW_FILES). Without a catalog the program
  is asked for its own; discover => false starts a tap without any.
sync_mode: for airbyte, incremental or full_refresh; incremental by default, where the connector knows what is new.
env: environment variables of the host that it gets (SLUICE_ALLOW_ENV); of the rest of the environment only PATH, HOME,
  language and time zone.
silence: seconds that it may print nothing (default 3600).
complete: whether each run gives all that there is, so that missing => 'delete' can tell what is gone; true by default
  but for singer (where ACTIVATE_VERSION says so) and for what is incremental.
cursor: for programs that print records, a JSON pointer to the value by which the next run goes on: that of the last
  record of a run that came to its end stands for {cursor} in the arguments. start: what stands there until then.
encoding, records, header, columns, delimiter, quote, escape, comment, skip_lines, null_string, max_record_lines,
  max_record_bytes, require: as in file_source.
Example: sluice.program_source(program => 'tap-shop', protocol => 'singer', stream => 'orders',
  config => '/etc/taps/shop.json')$$;

create or replace function sluice._program_settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{program source}'::text[], 'program', true, 'file name', null::numrange,
      'the name of a program, without a path'),
    ('{program source}', 'protocol', true, 'one of singer, airbyte, ndjson, json, csv, tsv', null,
      'one of singer, airbyte, ndjson, json, csv, tsv'),
    ('{program source}', 'arguments', false, 'strings', null, 'its arguments, each an element: ''{--since,2026}'''),
    ('{program source}', 'stream', false, 'text', null, 'the name of a stream'),
    ('{program source}', 'config', false, 'text', null, 'the path of a file on the host'),
    ('{program source}', 'catalog', false, 'text', null, 'the path of a file on the host'),
    ('{program source}', 'discover', false, 'boolean', null, null),
    ('{program source}', 'sync_mode', false, 'one of incremental, full_refresh', null, null),
    ('{program source}', 'env', false, 'names', null, 'names of environment variables: ''{SHOP_TOKEN}'''),
    ('{program source}', 'silence', false, 'integer', '[1,86400]', 'seconds, 1 to 86400'),
    ('{program source}', 'complete', false, 'boolean', null, null),
    ('{program source}', 'cursor', false, 'pointer', null,
      'a JSON pointer to the value by which the next run goes on, such as /updated_at'),
    ('{program source}', 'start', false, 'text', null, 'what stands for {cursor} in the first run')
$$;

comment on function sluice._program_settings() is
  'The settings of a program source, but for what says how records stand in its output.';

create or replace function sluice._program_conflicts()
returns table (parts text[], path jsonpath, message text, hint text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{program source}'::text[],
      '$ ? ((@.protocol == "singer" || @.protocol == "airbyte") && !exists(@.stream))'::jsonpath,
      'stream is missing', 'stream => the one that this pipeline reads; each stream takes a pipeline of its own'),
    ('{program source}', '$ ? (!(@.protocol == "singer" || @.protocol == "airbyte")).keyvalue() ? (@.key == "stream"
        || @.key == "config" || @.key == "catalog" || @.key == "discover")',
      '%s is for the protocols singer and airbyte', 'leave it out, or give it among the arguments'),
    ('{program source}', '$ ? (@.protocol != "airbyte").keyvalue() ? (@.key == "sync_mode")',
      '%s is for the protocol airbyte', 'leave it out'),
    ('{program source}', '$ ? (@.protocol != "json").keyvalue() ? (@.key == "records")',
      '%s is for the protocol json', 'leave it out'),
    ('{program source}', '$ ? (@.protocol == "singer" || @.protocol == "airbyte").keyvalue() ? (@.key == "encoding")',
      '%s is not for messages, which are UTF-8', 'leave it out'),
    ('{program source}', '$ ? (!(@.protocol == "csv" || @.protocol == "tsv")).keyvalue() ? (@.key == "delimiter"
        || @.key == "quote" || @.key == "header" || @.key == "columns" || @.key == "null_string" || @.key == "escape"
        || @.key == "comment" || @.key == "skip_lines" || @.key == "max_record_lines" || @.key == "require")',
      '%s is for the protocols csv and tsv', 'leave it out'),
    ('{program source}', '$ ? (@.protocol == "singer" || @.protocol == "airbyte").keyvalue() ? (@.key == "cursor"
        || @.key == "start")',
      '%s is for programs that print records and nothing else', 'taps and connectors keep a state; leave it out'),
    ('{program source}', '$ ? (!exists(@.cursor)).arguments[*] ? (@ like_regex "[{]cursor[}]")',
      'the argument "%s" has {cursor} in it, and there is no cursor',
      'cursor => ''/updated_at'', where in a record it stands, and start => what the first run is given'),
    ('{program source}', '$ ? (!exists(@.cursor)).start', 'start "%s" is for a cursor, and there is none',
      'cursor => ''/updated_at'', where in a record it stands'),
    ('{program source}', '$ ? (!exists(@.arguments[*] ? (@ like_regex "[{]cursor[}]"))).cursor',
      'cursor "%s" is given to nobody', 'arguments => array[''--since'', ''{cursor}'']'),
    ('{program source}', '$ ? (!exists(@.start)).cursor', 'cursor "%s" has no start',
      'start => what stands for {cursor} in the first run, such as ''1970-01-01'''),
    ('{program source}', '$ ? (@.complete == true).cursor', 'cursor "%s" contradicts complete => true',
      'what is new is not all that there is: leave one of them out')
$$;
