"""dlt."""

from pathlib import Path

from harness.peer import Peer
from harness.process import Command

SCRIPT = Path(__file__).parent.parent / "scripts" / "load_dlt.py"

SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    # Several files are copied into staging side by side, one is not.
    "DATA_WRITER__FILE_MAX_ITEMS": "250000",
}


class Dlt(Peer):
    """`scripts/load_dlt.py` in an environment of its own."""

    name = "dlt"
    complaint = "exception: "

    def install(self, workshop):
        self._python = workshop.venv("dlt")
        self._packages = workshop.packages("dlt")

    def version(self):
        return self._packages

    def command(self, series, path):
        server = series.database.server
        # dlt insists on a host and a password; libpq then takes the host of the query.
        url = f"postgresql://postgres:none@localhost/{series.database.name}?host={server.socket}"
        argv = [self._python, "-I", SCRIPT, url, path, series.folder / "pipelines"]
        return Command(argv, SETTINGS)
