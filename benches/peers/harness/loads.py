"""Loads of good records, for speed: into an empty table, the same again, and 1 % changed."""

from dataclasses import dataclass

from harness.peer import TABLE

# Each with the file that is loaded and the file whose orders the table then holds, in the order
# in which they happen.
WORKS = {
    "first": ("plain", "plain"),
    "again": ("again", "plain"),
    "changed": ("changed", "changed"),
}
LABELS = {"first": "first load", "again": "the same again", "changed": "1 % changed"}


@dataclass
class Load:
    """What one load took."""

    seconds: float
    wal_mb: float
    peak_mb: float
    cpu_seconds: float
    keeps_primary_key: bool


def measure(bench, peer, inputs, wanted):
    """Yields the loads that are wanted and that the peer can do, each with its name."""
    able = list(WORKS) if peer.is_upsert else ["first"]
    left = [work for work in able if work in wanted]
    if not left:
        return
    series = bench.fresh(peer)
    # Those before the last one are needed, wanted or not.
    for work in able[: able.index(left[-1]) + 1]:
        measured = bench.load_good(peer, series, inputs, *WORKS[work])
        finished = measured.finished
        if work in wanted:
            yield (
                work,
                Load(
                    seconds=finished.seconds,
                    wal_mb=measured.wal_mb,
                    peak_mb=finished.peak_mb,
                    cpu_seconds=finished.cpu_seconds,
                    keeps_primary_key=has_primary_key(series.database),
                ),
            )
        # What autovacuum would do some time, so that it does not do it just now.
        series.database.query(f"vacuum (analyze) {TABLE}")
    bench.over(series)


def has_primary_key(database):
    """Whether the table has a primary key that is enforced."""
    return "t" == database.query(
        "select exists (select from pg_index where indisprimary and indisvalid"
        f" and indrelid = '{TABLE}'::regclass)"
    )
