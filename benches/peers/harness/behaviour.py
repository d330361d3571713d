"""What a peer does when something goes wrong: bad records, and its own death."""

import math
import re
from dataclasses import dataclass

from harness.bench import Failed
from harness.loads import has_primary_key
from harness.peer import TABLE

# At which part of the time of a clean load the loader is killed.
KILL_AT = 0.6
# One that was faster than that has ended before; then the next one is killed earlier.
KILL_TRIES = 5

COLUMNS = f"""select attname || ' ' || format_type(atttypid, atttypmod) from pg_attribute
  where attrelid = '{TABLE}'::regclass and attnum > 0 and not attisdropped"""


@dataclass
class Clean:
    """A load of good records, to compare with."""

    seconds: float
    read_mb: float
    objects: set
    columns: set


@dataclass
class Bad:
    """What came of a file with bad records."""

    code: int
    seconds: float
    # Compared with a clean load.
    times: float
    good_rows: int
    # Whether the table holds the good records exactly, and nothing else.
    is_exact: bool
    bad_rows: int
    set_aside: int
    # Columns that are there only after a clean load, and only after this one.
    changed_columns: list
    keeps_primary_key: bool
    said: str


@dataclass
class Killed:
    """What came of a load that was killed, and of the same command again."""

    killed_at: float
    # How long the server went on without it.
    outlived: float
    rows_left: int
    code: int
    seconds: float
    # Compared with a clean load.
    times: float
    # Bytes read by the second process, compared with a clean load.
    read_again: float
    lost: int
    duplicates: int
    is_exact: bool
    # Tables that a clean load does not leave.
    leftovers: list
    said: str


def clean(bench, peer, inputs):
    """A load of good records. The first of two only warms the caches of the machine."""
    for _ in range(2):
        series = bench.fresh(peer)
        finished = bench.load_good(peer, series, inputs, "plain", "plain").finished
        database = series.database
        told = Clean(finished.seconds, finished.read_mb, set(database.objects()), _columns(database))
        bench.over(series)
    return told


def bad(bench, peer, inputs, usual):
    """Loads a file in which one record in a hundred is bad."""
    series = bench.fresh(peer)
    finished = bench.load(peer, series, inputs.path("bad", peer.form)).finished
    database = series.database
    database.wait_until_left()
    is_bad = f"coalesce({inputs.is_chosen}, true)"
    good_rows, bad_rows = _counts(
        database, f"count(*) filter (where not {is_bad}), count(*) filter (where {is_bad})"
    )
    told = Bad(
        code=finished.code,
        seconds=finished.seconds,
        times=finished.seconds / usual.seconds,
        good_rows=good_rows,
        is_exact=inputs.differs(database, TABLE, "bad") is None,
        bad_rows=bad_rows,
        set_aside=peer.set_aside(series),
        changed_columns=sorted(usual.columns ^ _columns(database)),
        keeps_primary_key=has_primary_key(database),
        said=_complaint(peer, finished),
    )
    bench.over(series)
    return told


def killed(bench, peer, inputs, usual):
    """Kills a load with SIGKILL, then gives the same command again, as cron would."""
    series, killed_at = _kill(bench, peer, inputs, usual)
    database = series.database
    outlived = database.wait_until_left()
    [rows_left] = _counts(database, "count(*)")
    finished = bench.load(peer, series, inputs.path("plain", peer.form)).finished
    rows, keys = _counts(database, "count(*), count(distinct order_id)")
    told = Killed(
        killed_at=killed_at,
        outlived=outlived,
        rows_left=rows_left,
        code=finished.code,
        seconds=finished.seconds,
        times=finished.seconds / usual.seconds,
        read_again=finished.read_mb / usual.read_mb if usual.read_mb else math.nan,
        lost=inputs.rows - keys,
        duplicates=rows - keys,
        is_exact=inputs.differs(database, TABLE, "plain") is None,
        leftovers=sorted(set(database.objects()) - usual.objects),
        said=_complaint(peer, finished),
    )
    bench.over(series)
    return told


def _kill(bench, peer, inputs, usual):
    """A series whose first load was killed, and when."""
    at = usual.seconds * KILL_AT
    for _ in range(KILL_TRIES):
        series = bench.fresh(peer)
        path = inputs.path("plain", peer.form)
        if bench.load(peer, series, path, kill_after=at).finished.was_killed:
            return series, at
        bench.over(series)
        at *= 0.8
    raise Failed(f"{peer.name}: ended {KILL_TRIES} times before it could be killed")


def _counts(database, what):
    return [int(count) for count in database.query(f"select {what} from {TABLE}").split("|")]


def _columns(database):
    return set(database.query(COLUMNS).splitlines())


def _complaint(peer, finished):
    """The line of its output that tells why it stopped; empty if it did not."""
    if finished.code == 0:
        return ""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", finished.output)
    lines = [line.strip() for line in plain.splitlines() if line.strip()] or ["(nothing)"]
    telling = [line for line in lines if re.search(peer.complaint, line)]
    return (telling or lines)[-1]
