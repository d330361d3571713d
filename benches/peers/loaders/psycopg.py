"""A script with psycopg and orjson."""

from pathlib import Path

from harness.peer import Peer
from harness.process import Command

SCRIPT = Path(__file__).parent.parent / "scripts" / "load_psycopg.py"


class Psycopg(Peer):
    """`scripts/load_psycopg.py` in an environment of its own."""

    name = "psycopg"
    complaint = r"^psycopg\.|Error: "

    def install(self, workshop):
        self._python = workshop.venv("psycopg")
        self._packages = workshop.packages("psycopg")

    def version(self):
        return self._packages

    def command(self, series, path):
        # Isolated: the script's folder is not searched for modules.
        return Command([self._python, "-I", SCRIPT, series.database.url, path])
