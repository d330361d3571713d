"""Runs one load of one peer, in a database and a folder made for it."""

import itertools
import shutil
from dataclasses import dataclass, replace

from harness.inputs import Inputs
from harness.peer import TABLE, Series
from harness.process import Finished, run
from harness.server import Server

# The database that peers load, made anew for each series of loads.
DATABASE = "work"

# What the engine has added, taken away again; the table without its bookkeeping takes its place.
WITHOUT_ENGINE = """set client_min_messages = warning;
  drop schema sluice cascade; drop function bench.orders_v1; drop table bench.orders;
  alter table bench.copied rename to orders; alter index bench.copied_pkey rename to orders_pkey"""


class Failed(Exception):
    """A peer did not do what was to be measured."""


@dataclass
class Measured:
    """One load."""

    finished: Finished
    wal_mb: float


class Bench:
    """The server, with the databases that all others are copies of."""

    def __init__(self, server: Server, sluice):
        self.server = server
        self._numbers = itertools.count(1)
        engine = server.create("sluice_orders", "template0")
        sluice.define(engine)
        server.create("plain_orders", engine.name).query(WITHOUT_ENGINE)

    def fresh(self, peer):
        """An empty table and an empty folder."""
        database = self.server.create(DATABASE, f"{peer.template}_orders")
        folder = self.server.folder / f"series-{next(self._numbers)}"
        folder.mkdir()
        return Series(database, folder)

    def over(self, series):
        """Removes the folder; the next series replaces the database."""
        shutil.rmtree(series.folder)

    def load(self, peer, series, path, kill_after=None):
        """Runs a peer once, after a checkpoint, so that each has one behind it alike."""
        command = peer.command(series, path)
        # Homes are for settings and caches of the user's own.
        env = {**command.env, "HOME": series.folder}
        command = replace(command, env=env, cwd=series.folder)
        self.server.maintenance.query("checkpoint")
        before = self.server.wal_mb()
        finished = run(command, kill_after)
        return Measured(finished, self.server.wal_mb() - before)

    def load_good(self, peer, series, inputs: Inputs, variant, leaves):
        """A load that has to succeed, and to leave exactly what is expected."""
        measured = self.load(peer, series, inputs.path(variant, peer.form))
        finished = measured.finished
        if finished.code != 0:
            raise Failed(f"{peer.name}: exit code {finished.code}\n{finished.output}")
        differs = inputs.differs(series.database, TABLE, leaves)
        if differs:
            raise Failed(f"{peer.name}: exit code 0, but {differs}\n{finished.output}")
        return measured
