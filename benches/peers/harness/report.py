"""What is printed."""

import os
import platform
import re
from collections import Counter
from pathlib import Path
from statistics import median

from harness.loads import LABELS

SAID_WIDTH = 150


def machine(server, runs, rows, behaviour_rows):
    """Machine, server and settings, one a line."""
    model = _first(r"model name\s*: (.*)", Path("/proc/cpuinfo")) or "unknown processor"
    memory = int(_first(r"MemTotal:\s*(\d+)", Path("/proc/meminfo")) or 0) / 1024**2
    version, settings = server.about()
    return "\n".join(
        [
            f"machine   {model}, {os.cpu_count()} cores, {memory:.0f} GiB, load before {os.getloadavg()[0]:.2f}",
            f"server    PostgreSQL {version}",
            f"python    {platform.python_version()}",
            f"settings  {settings}",
            f"run       rows={rows} behaviour_rows={behaviour_rows} runs={runs}\n",
        ]
    )


def versions(peers):
    """What is compared, exactly."""
    return aligned([[peer.name, peer.version()] for peer in peers], left=2)


def loads(peers, samples, rows):
    """A table for each work, the fastest first."""
    limit = _seconds(samples.get(("copy", "first")))
    parts = []
    for work, label in LABELS.items():
        found = dict(_of(peers, samples, work))
        if found:
            own = _seconds(samples.get(("sluice", work)))
            parts.append(_work(label, found, limit, own, rows))
    return "\n".join(parts)


def _work(label, found, limit, own, rows):
    table = [
        [label, "input", "seconds", "min..max", "rows/s", "of \\copy", "of sluice", "WAL MB", "client MB",
         "client CPU s", "primary key"]
    ]  # fmt: skip
    for peer, runs in sorted(found.items(), key=lambda item: _seconds(item[1])):
        seconds = _seconds(runs)
        times = [run.seconds for run in runs]
        table.append(
            [
                peer.name,
                peer.form,
                f"{seconds:.2f}",
                f"{min(times):.2f}..{max(times):.2f}",
                f"{rows / seconds:,.0f}",
                _ratio(limit, seconds),
                _ratio(own, seconds),
                f"{median(run.wal_mb for run in runs):.1f}",
                f"{median(run.peak_mb for run in runs):.1f}",
                f"{median(run.cpu_seconds for run in runs):.1f}",
                "kept" if all(run.keeps_primary_key for run in runs) else "LOST",
            ]
        )
    return aligned(table)


def bad(peers, samples, inputs):
    """What each does with bad records."""
    good = inputs.rows - inputs.chosen
    table = [
        [f"{inputs.chosen} of {inputs.rows} bad", "exit", "good rows loaded", "exact", "bad rows loaded",
         "set aside", "types", "primary key", "seconds", "of clean"]
    ]  # fmt: skip
    notes = []
    for peer, runs in _of(peers, samples, "bad"):
        table.append(
            [
                peer.name,
                _each(run.code for run in runs),
                _each(f"{run.good_rows / good:.0%}" for run in runs),
                _each(_exact(run) for run in runs),
                _each(run.bad_rows for run in runs),
                _each(run.set_aside for run in runs),
                _each("changed" if run.changed_columns else "kept" for run in runs),
                _each("kept" if run.keeps_primary_key else "LOST" for run in runs),
                f"{median(run.seconds for run in runs):.2f}",
                f"{median(run.times for run in runs):.2f}",
            ]
        )
        notes += _notes(peer, [*(run.said for run in runs), *(_columns(run) for run in runs)])
    return aligned(table) + "".join(notes)


def killed(peers, samples):
    """What each does after its death."""
    table = [
        ["kill -9, then again", "killed at s", "server went on s", "rows left", "exit", "seconds", "of clean",
         "read again", "lost", "duplicates", "exact", "left behind"]
    ]  # fmt: skip
    notes = []
    for peer, runs in _of(peers, samples, "kill"):
        table.append(
            [
                peer.name,
                f"{median(run.killed_at for run in runs):.2f}",
                f"{median(run.outlived for run in runs):.1f}",
                _each(run.rows_left for run in runs),
                _each(run.code for run in runs),
                f"{median(run.seconds for run in runs):.2f}",
                f"{median(run.times for run in runs):.2f}",
                _each(f"{run.read_again:.0%}" for run in runs),
                _each(run.lost for run in runs),
                _each(run.duplicates for run in runs),
                _each(_yes(run.is_exact) for run in runs),
                _each(len(run.leftovers) for run in runs),
            ]
        )
        left = (f"left behind: {', '.join(run.leftovers)}" if run.leftovers else "" for run in runs)
        notes += _notes(peer, [*(run.said for run in runs), *left])
    return aligned(table) + "".join(notes)


def aligned(table, left=1):
    """Columns of equal width; the first ones to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*table)]
    lines = []
    for row in table:
        cells = [
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths))
        ]
        lines.append("  ".join(cells).rstrip() + "\n")
    return "".join(lines)


def _of(peers, samples, work):
    return [(peer, samples[peer.name, work]) for peer in peers if (peer.name, work) in samples]


def _notes(peer, texts):
    """Each text once, without what tells nothing but where this is."""
    short = (re.sub(r"^psql:\S+ ", "", text)[:SAID_WIDTH] for text in texts)
    return [f"  {peer.name}: {text}\n" for text in dict.fromkeys(short) if text]


def _columns(run):
    return f"columns changed: {', '.join(run.changed_columns)}" if run.changed_columns else ""


def _each(values):
    """One value if all runs agree, else each with its count."""
    counts = Counter(str(value) for value in values)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{value} ({count}x)" for value, count in sorted(counts.items()))


def _seconds(runs):
    return median(run.seconds for run in runs) if runs else None


def _ratio(whole, part):
    return "-" if whole is None else f"{whole / part:.2f}"


def _exact(run):
    return _yes(run.is_exact) if run.good_rows + run.bad_rows else "empty"


def _yes(is_so):
    return "yes" if is_so else "NO"


def _first(pattern, path):
    found = re.search(pattern, path.read_text()) if path.exists() else None
    return found and found[1]
