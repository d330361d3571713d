"""A loader as one writes it with psycopg and orjson: parse here, COPY to staging, MERGE what differs.

Usage: load_psycopg.py DATABASE_URL FILE
"""

import re
import sys

import orjson
import psycopg

COLUMNS = "order_id customer_id amount status currency qty email note created_at updated_at".split()
BLOCK_BYTES = 1 << 20

STAGING = "create temp table staged (like bench.orders) on commit drop"
MERGE = f"""merge into bench.orders t using staged s on t.order_id = s.order_id
  when matched and (t.*) is distinct from (s.*) then update set
    {", ".join(f"{name} = s.{name}" for name in COLUMNS[1:])}
  when not matched then insert values ({", ".join(f"s.{name}" for name in COLUMNS)})"""

ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
NEEDS_ESCAPE = re.compile(r"[\\\n\r]")


def row(record):
    """A record as a line of COPY's text format."""
    values = [record.get(name) for name in COLUMNS]
    line = "\t".join(map(str, values))
    # Most records need none of this, and looking at a whole line is cheap.
    if None in values or NEEDS_ESCAPE.search(line) or line.count("\t") >= len(COLUMNS):
        line = "\t".join(map(escaped, values))
    return line + "\n"


def escaped(value):
    """One value, whatever is in it."""
    return "\\N" if value is None else str(value).translate(ESCAPES)


def main():
    url, path = sys.argv[1:]
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(STAGING)
        with open(path, "rb") as lines, cursor.copy("copy staged from stdin") as copy:
            while block := lines.readlines(BLOCK_BYTES):
                copy.write("".join(map(row, map(orjson.loads, block))))
        cursor.execute("analyze staged")
        cursor.execute(MERGE)


main()
