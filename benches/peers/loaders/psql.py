"""What psql does by hand, with nothing to install."""

from pathlib import Path

from harness.peer import TABLE, Peer
from harness.process import Command

SCRIPTS = Path(__file__).parent.parent / "scripts"


class Psql(Peer):
    """A script for psql that reads the file as its standard input."""

    def __init__(self, name, form, script, is_upsert=True):
        self.name = name
        self.form = form
        self.script = script
        self.is_upsert = is_upsert

    def command(self, series, path):
        psql = series.database.server.psql(series.database, *self.script)
        return Command(psql.argv, stdin=path)

    def version(self):
        return "psql of the server"


def copy():
    """Typed CSV straight into the table. No upsert, so it is the limit, not a way to do the work."""
    script = ["-c", f"\\copy {TABLE} from pstdin with (format csv, header)"]
    return Psql("copy", "csv", script, is_upsert=False)


def merge_csv():
    """Staging and MERGE."""
    return Psql("merge-csv", "csv", ["-f", SCRIPTS / "merge_csv.sql"])


def merge_ndjson():
    """Staging, parsing and MERGE."""
    return Psql("merge-ndjson", "ndjson", ["-f", SCRIPTS / "merge_ndjson.sql"])
