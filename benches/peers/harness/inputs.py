"""The orders to load, written by the project's own benchmark, and what to expect of them."""

import json
import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def build_inputs():
    """Builds what writes them, and an optimised sluice with it."""
    _benchmark("--no-run")


def _benchmark(*args):
    words = ["cargo", "bench", "--quiet", "--bench", "load", *map(str, args)]
    subprocess.run(words, cwd=REPOSITORY, check=True)


class Inputs:
    """One size of input: `plain`, `changed` and `bad`, each as NDJSON and as CSV."""

    def __init__(self, folder, rows):
        self.folder = folder
        _benchmark("--", "--rows", rows, "--write-files", folder)
        expected = json.loads((folder / "expected.json").read_text())
        self.rows = expected["rows"]
        self.chosen = expected["chosen"]
        self.is_chosen = expected["is_chosen_sql"]
        self._sums = expected["sums"]
        self._sums_sql = expected["sums_sql"]
        for form in ("ndjson", "csv"):
            # Other names for the same bytes: who remembers files by name is to read them again.
            os.link(self.path("plain", form), self.path("again", form))

    def path(self, variant, form):
        """The file of a variant."""
        return self.folder / f"{variant}.{form}"

    def differs(self, database, table, variant):
        """How a table differs from what the good records of a variant make; None if not at all."""
        found = database.query(f"select {self._sums_sql} from {table}")
        if found == self._sums[variant]:
            return None
        return f"{table} has the sums {found}, expected {self._sums[variant]}"
