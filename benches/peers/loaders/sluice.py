"""The project itself, with its default settings."""

from harness.inputs import REPOSITORY
from harness.peer import Peer
from harness.process import Command, checked

DEFINITION = REPOSITORY / "benches" / "load" / "orders.sql"


class Sluice(Peer):
    """`sluice run`."""

    template = "sluice"
    complaint = "error"

    def __init__(self, form, binary, pipeline="orders"):
        self.name = "sluice" + ("-csv" if form == "csv" else "") + pipeline.removeprefix("orders").replace("_", "-")
        self.form = form
        self.binary = binary
        self.pipeline = pipeline

    def version(self):
        return checked(Command([self.binary, "--version"])).strip()

    def command(self, series, path):
        return self._sluice(series.database, "run", self.pipeline, "--path", path)

    def set_aside(self, series):
        return int(series.database.query("select count(*) from sluice.quarantine"))

    def define(self, database):
        """Installs the engine, the table and the pipeline."""
        checked(self._sluice(database, "migrate"))
        checked(self._sluice(database, "apply", DEFINITION))

    def _sluice(self, database, *args):
        return Command([self.binary, *args], {"DATABASE_URL": database.url, "SLUICE_ALLOW_FILES": "*"})
