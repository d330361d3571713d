"""What the comparison asks of each peer."""

from dataclasses import dataclass
from pathlib import Path

from harness.server import Database

# What everybody loads into.
TABLE = "bench.orders"


@dataclass
class Series:
    """One peer's database and private folder, from its empty table on."""

    database: Database
    folder: Path


class Peer:
    """A way to load orders. Each is one file in `loaders/`."""

    # On the command line, and in the tables.
    name: str
    # Which of the files it reads: ndjson or csv.
    form = "ndjson"
    # False: it can only fill an empty table.
    is_upsert = True
    # The database that its own are copies of: with the engine of sluice, or the plain table.
    template = "plain"
    # How to find the line of its output that tells why it failed.
    complaint = "ERROR"

    def install(self, workshop):
        """Gets what it needs, into the workshop's folder."""

    def version(self):
        """Exactly what is compared, with its versions."""
        raise NotImplementedError

    def prepare(self, series):
        """What a user does once before the first load. Not measured."""

    def command(self, series, path):
        """The command that loads a file."""
        raise NotImplementedError

    def set_aside(self, series):
        """How many bad records it has kept for its user, each with a reason."""
        return 0
