create or replace function sluice.since(
  param text, field text default null, header text default null, start text default null, lag interval default null,
  kind text default 'timestamp', send_in text default 'params', until_param text default null,
  format text default null, template text default null, step interval default null)
returns jsonb
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select sluice._checked('since', jsonb_build_object(
    'param', param, 'field', field, 'header', header, 'start', start,
    'lag', trim_scale(extract(epoch from lag)::numeric), 'kind', nullif(kind, 'timestamp'),
    'send_in', nullif(send_in, 'params'), 'until_param', until_param,
    'format', format, 'template', template, 'step', trim_scale(extract(epoch from step)::numeric)))
$$;

comment on function sluice.since is
$$Only what is new: each sweep asks, by the parameter param, for what changed since the newest mark of the sweep
  before.
field: a JSON pointer to the mark in a record, such as /updated_at; or header: a header of the first page, such as
  Date.
start: what the first sweep asks for (without it: everything).
lag: asks that much earlier, for what the source publishes late.
kind: timestamp, unix (seconds), unix_ms, number or text: how marks are compared. The source is expected to give
  what is equal to the mark too; where it does not, use a lag.
until_param: the parameter for an upper bound, if the API has one: backfills send it, and each request with a step.
format: how a mark is written in a request, if not as the source writes it: unix, unix_ms, date, utc, or a pattern of
  strftime (%Y-%m-%d); never later than the mark.
template: what the parameter takes, with {since} and {until} in it: 'updated_at ge {since}'. {until} is the end of the
  step or range, or now.
step: the span that one round of pages asks for at most, from start on up to now: for APIs that want both ends.
send_in: params, or body for a member (or JSON pointer) of the JSON body.$$;

create or replace function sluice._since_settings()
returns table (parts text[], name text, is_required boolean, shape text, range numrange, sentence text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('{since}'::text[], 'param', true, 'text', null::numrange,
      'the parameter that takes the mark, such as updated_since'),
    ('{since}', 'field', false, 'member', null, 'a JSON pointer into a record, such as /updated_at'),
    ('{since}', 'header', false, 'token', null, 'the name of a header of the answer, such as Date'),
    ('{since}', 'start', false, 'text', null, 'what the first sweep asks for'),
    ('{since}', 'lag', false, 'integer', '[0,3155760000]', 'an interval of whole seconds, not negative'),
    ('{since}', 'kind', false, 'one of timestamp, unix, unix_ms, number, text', null, null),
    ('{since}', 'until_param', false, 'text', null, 'the parameter that takes an upper bound, such as updated_before'),
    ('{since}', 'format', false, 'text', null, 'unix, unix_ms, date, utc, or a pattern of strftime'),
    ('{since}', 'template', false, 'text', null, 'a text with {since} in it, and perhaps {until}'),
    ('{since}', 'step', false, 'integer', '[1,3155760000]', 'an interval of whole seconds, at least one'),
    ('{since}', 'send_in', false, 'one of params, body', null, null)
$$;
