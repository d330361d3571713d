-- An installation in its fifth year, of one statement a table; benches/load/age.rs runs this and then the commands of a
-- day. Variables: pipelines, batches (a file each), open (records in quarantine), folder (of the files, see age.rs), and
-- shape: "even" spreads all of it over the pipelines, "one" heaps nearly all of it on the first, p1, which leaves one
-- batch to each of the others: then statistics say that there is no pipeline but p1.

\set QUIET on
\set pace 10
set client_min_messages = warning;

create schema aged;
create function aged.rows_v1(doc jsonb) returns table (id bigint, amount numeric) language sql immutable as
  $$ select (doc->>'id')::bigint, (doc->>'amount')::numeric $$;
select format('create table aged.t%s (id bigint primary key, amount numeric check (amount >= 0))', n)
from generate_series(1, :pipelines) n \gexec
select sluice.define_pipeline(name => 'p' || n, version => 1, transform => 'aged.rows_v1', target => 'aged.t' || n,
  key => '{id}', source => sluice.file_source(path => format('%s/p%s', :'folder', n)), max_bad_ratio => 1)
from generate_series(1, :pipelines) n;

-- Batch n of all is number seq of pipeline p; runs have ten batches.
create unlogged table aged.plan as
select w.n, p.name as pipeline, p.pipeline_id, w.seq, nextval('sluice.batch_id') as batch_id,
  timestamptz '2021-01-01 00:00+00' + w.n * interval '13 minutes' as committed_at,
  format('%s/%s/%s.ndjson', :'folder', p.name, lpad(w.seq::text, 6, '0')) as object
from (
  select n, case when :'shape' = 'even' then (n - 1) % :pipelines + 1 when n < :pipelines then n + 1 else 1 end as number,
    case when :'shape' = 'even' then (n - 1) / :pipelines + 1 when n < :pipelines then 1 else n - :pipelines + 1 end as seq
  from generate_series(1, :batches) n order by n) w
join sluice.pipelines p on p.name = 'p' || w.number;
create unique index on aged.plan (pipeline_id, seq);
create unique index on aged.plan (n);

insert into sluice.runs (pipeline_id, epoch, started_at, finished_at, outcome, loader)
select pipeline_id, (seq - 1) / :pace + 1, min(committed_at), max(committed_at), 'ok', 'cron'
from aged.plan group by 1, 2 order by 3;

-- What the loader notes of a file of one line, see age.rs: {"id": 1, "amount": "1.5"}
create unlogged table aged.files as
select m.n, m.object, jsonb_build_object('object', m.object, 'is_done', true,
  'identity', jsonb_build_object('size', t.bytes, 'mtime_ns', 1767225600000000000, 'head', t.head, 'head_bytes', t.bytes),
  'position', jsonb_build_object('bytes', t.bytes, 'records', 10, 'line', 2, 'anchor', t.head, 'anchor_bytes', t.bytes,
    'format', 'ndjson', 'compression', 'none')) as state
from aged.plan m
cross join lateral (select format(E'{"id": %s, "amount": "1.5"}\n', m.n) as line) l
cross join lateral (select length(l.line) as bytes, encode(sha256(convert_to(l.line, 'UTF8')), 'hex') as head) t;
create unique index on aged.files (n);

insert into sluice.batches (batch_id, pipeline_id, batch_seq, run_id, version, cursor_before, cursor_after, objects,
  origins, started_at, committed_at, extracted, transformed, quarantined, produced, inserted, unchanged, recorded_by)
select m.batch_id, m.pipeline_id, m.seq, r.run_id, 1,
  lag(c.cursor) over (partition by m.pipeline_id order by m.seq), c.cursor, jsonb_build_array(f.state),
  jsonb_build_array(jsonb_build_object('origin', m.object, 'first_ordinal', 0, 'first_position', 1, 'last_position', 10)),
  m.committed_at, m.committed_at, 10, 10 - q.bad, q.bad, 10 - q.bad, 1, 9 - q.bad, 'loader'
from aged.plan m
join aged.files f using (n)
join sluice.runs r on r.pipeline_id = m.pipeline_id and r.epoch = (m.seq - 1) / :pace + 1
cross join lateral (select jsonb_build_object('object', m.object, 'bytes', 27, 'records', 10) as cursor) c
cross join lateral (select :open / :batches as bad) q
order by m.n;
update sluice.transforms t set first_used_at = (select min(b.committed_at) from sluice.batches b where b.pipeline_id = t.pipeline_id);
update sluice.etl_state s set batch_seq = b.batch_seq, cursor = b.cursor_after,
  epoch = (select max(r.epoch) from sluice.runs r where r.pipeline_id = s.pipeline_id)
from (select distinct on (pipeline_id) pipeline_id, batch_seq, cursor_after from sluice.batches
      order by pipeline_id, batch_seq desc) b where b.pipeline_id = s.pipeline_id;

insert into sluice.source_objects (pipeline_id, object, identity, position, is_done, last_batch_id, updated_at)
select m.pipeline_id, m.object, f.state -> 'identity', f.state -> 'position', true, m.batch_id, m.committed_at
from aged.plan m join aged.files f using (n);

-- Two errors: one leaves no key, the other does. Nobody has looked at any of them.
insert into sluice.quarantine (pipeline_id, payload_sha256, payload, origin, position, version, sqlstate, message,
  constraint_name, column_name, keys, first_seen_at, last_seen_at, first_batch_id, last_batch_id)
select m.pipeline_id, sha256(b.payload), b.payload, m.object, r % 10 + 1, 1, e.sqlstate, e.message, e.constraint_name,
  e.column_name, e.keys, m.committed_at, m.committed_at, m.batch_id, m.batch_id
from generate_series(0, :open - 1) r
join aged.plan m on m.n = r * :batches::bigint / :open + 1
cross join lateral (select format('{"id": %s, "amount": "%s", "note": "%s"}', 100000000 + r,
  case when r % 3 = 0 then '-1' else '12,50' end, repeat('x', 120))) d (doc)
cross join lateral (select convert_to(d.doc, 'UTF8')) b (payload)
cross join lateral (select (array['22P02', '23514'])[x], (array['invalid input syntax for type numeric: "12,50"',
  'new row for relation violates check constraint "amount_check"'])[x], (array[null, 'amount_check'])[x], 'amount',
  case when x = 2 then jsonb_build_array(jsonb_build_object('id', 100000000 + r)) end
  from (select case when r % 3 = 0 then 2 else 1 end) k (x)) e (sqlstate, message, constraint_name, column_name, keys)
order by r;

select format('insert into aged.t%s (id, amount, sluice_batch) select n, 1.5, batch_id from aged.plan where pipeline = %L', n,
  'p' || n) from generate_series(1, :pipelines) n \gexec
drop table aged.plan, aged.files;
vacuum analyze;
