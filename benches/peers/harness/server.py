"""A private PostgreSQL server in a temporary folder, gone afterwards however the comparison ends."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from harness.process import Command, checked

# The same as in benches/load/cluster.rs.
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB"}

# Ends the server and removes the folder once its standard input closes, which happens even if
# the comparison is killed. Ctrl-C reaches it too, and is ignored.
WATCHDOG = r"""trap '' INT TERM HUP
read _
for clusters in "$0/server" "$(cat "$0/server/elsewhere" 2>/dev/null)"; do
  for lock in "$clusters"/pg*/data/postmaster.pid; do
    pid=$(head -1 "$lock" 2>/dev/null) && kill -QUIT "$pid" && while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  done
  case $clusters in /var/tmp/sluice-*) rm -rf "$clusters";; esac
done
rm -rf "$0"
"""

# Tables, views and sequences that are no one's but the user's.
OBJECTS = """select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'S') and n.nspname !~ '^(pg_|information_schema)' order by 1"""


@dataclass(frozen=True)
class Database:
    """One database of the server."""

    server: "Server"
    name: str

    @property
    def url(self):
        """For libpq and what understands its URLs."""
        return self.server.url(self.name)

    def query(self, sql):
        """What psql prints for a query: columns by |, rows by line."""
        return checked(self.server.psql(self, "-c", sql)).rstrip("\n")

    def objects(self):
        """The relations in it, by name."""
        return self.query(OBJECTS).splitlines()

    def wait_until_left(self):
        """Waits until no session of a client is left in it; how long that took, in seconds."""
        sessions = (
            f"select count(*) from pg_stat_activity where datname = '{self.name}'"
            " and backend_type <> 'autovacuum worker'"
        )
        started = time.monotonic()
        while self.server.maintenance.query(sessions) != "0":
            time.sleep(0.05)
        return time.monotonic() - started


class Server:
    """The embedded server of `sluice db`, with the benchmark's settings."""

    def __init__(self, sluice):
        self.sluice = sluice
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-peers-"))
        # Programs that drop root's rights must still be able to pass through.
        self.folder.chmod(0o755)
        self._watchdog = subprocess.Popen(
            ["sh", "-c", WATCHDOG, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self):
        self._db("start")
        self._url = self._db("url").strip().splitlines()[-1]
        self._psql = _psql_of(self._url)
        self.maintenance = Database(self, "postgres")
        for name, value in SETTINGS.items():
            self.maintenance.query(f"alter system set {name} = '{value}'")
        self._db("stop")
        self._db("start")

    def _db(self, what):
        env = {"SLUICE_HOME": self.folder / "server"}
        if "PG_BIN" in os.environ:
            env["PG_BIN"] = os.environ["PG_BIN"]
        return checked(Command([self.sluice, "db", what], env, self.folder))

    @property
    def socket(self):
        """The folder of its socket, the only way to it."""
        return parse_qs(urlsplit(self._url).query)["host"][0]

    def url(self, database):
        """libpq's URL of a database."""
        return f"postgresql://postgres@/{database}?host={self.socket}"

    def psql(self, database, *args):
        """psql on a database, which stops at the first error."""
        quiet = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        return Command([self._psql, *quiet, "-d", database.url, *args], cwd=self.folder)

    def create(self, name, template):
        """Makes a database anew, as a copy of another."""
        self.maintenance.query(f"drop database if exists {name} with (force)")
        self.maintenance.query(f"create database {name} template {template}")
        return Database(self, name)

    def wal_mb(self):
        """How much write-ahead log there has been so far."""
        return int(self.maintenance.query("select pg_current_wal_lsn() - '0/0'")) / 1e6

    def about(self):
        """Its version, and the settings that matter."""
        names = "shared_buffers max_wal_size fsync synchronous_commit full_page_writes wal_level".split()
        settings = [f"{name}={self.maintenance.query(f'show {name}')}" for name in sorted(names)]
        return self.maintenance.query("show server_version"), " ".join(settings)

    def stop(self):
        """Ends the server and removes the folder."""
        self._watchdog.stdin.close()
        self._watchdog.wait()


def _psql_of(url):
    """The psql beside the server's programs, so that client and server are of one version."""
    major = re.search(r"/pg(\d+)/", url)
    folders = [os.environ.get("PG_BIN"), major and f"/usr/lib/postgresql/{major[1]}/bin"]
    for folder in filter(None, folders):
        psql = Path(folder) / "psql"
        if psql.exists():
            return psql
    return shutil.which("psql") or "psql"
