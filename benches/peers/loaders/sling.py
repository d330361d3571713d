"""Sling."""

import json
import os

from harness.peer import TABLE, Peer
from harness.process import Command, checked

# Told, so that nothing is guessed from the first rows.
COLUMNS = {
    "order_id": "bigint",
    "customer_id": "bigint",
    "amount": "decimal(12,2)",
    "status": "text",
    "currency": "text",
    "qty": "integer",
    "email": "text",
    "note": "text",
    "created_at": "timestampz",
    "updated_at": "timestampz",
}
SOURCES = {
    "ndjson": {"format": "jsonlines", "flatten": True},
    "csv": {"format": "csv", "header": True},
}


class Sling(Peer):
    """`sling run` with a replication file: incremental, by primary key."""

    complaint = "^pq: "

    def __init__(self, form):
        self.name = "sling" if form == "ndjson" else "sling-csv"
        self.form = form

    def install(self, workshop):
        given = os.environ.get("SLING_BINARY")
        self._binary = given or _binary_in(workshop.venv("sling"))

    def version(self):
        said = checked(Command([self._binary, "--version"])).split()
        return f"sling {said[-1]}"

    def command(self, series, path):
        replication = {
            "source": "LOCAL",
            "target": "TARGET",
            "streams": {
                f"file://{path}": {
                    "object": TABLE,
                    "mode": "incremental",
                    "primary_key": ["order_id"],
                    "columns": COLUMNS,
                    "source_options": SOURCES[self.form],
                }
            },
        }
        server = series.database.server
        env = {
            "SLING_HOME_DIR": series.folder,
            "SLING_DISABLE_TELEMETRY": "true",
            # Else it adds a column of its own.
            "SLING_LOADED_AT_COLUMN": "false",
            # Its URLs cannot name a socket.
            "PGHOST": server.socket,
            "TARGET": f"postgresql://postgres:none@/{series.database.name}?sslmode=disable",
        }
        config = series.folder / "replication.json"
        config.write_text(json.dumps(replication))
        return Command([self._binary, "run", "--replication", config], env)


def _binary_in(python):
    """The program that the package carries."""
    [binary] = python.parent.parent.glob("lib/python*/site-packages/sling_linux_amd64/bin/sling-*")
    binary.chmod(0o755)
    return binary
