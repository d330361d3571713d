"""Runs a program with all that it starts, and watches what they need."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

# How often the kernel is asked. Its memory figures are high-water marks of each process, so
# only the sum over several processes depends on the moment.
STEP = 0.02

# Prefixes of variables that would tell a program where to connect, or how to behave.
FOREIGN = ("PG", "DATABASE_URL", "SLUICE", "SLING", "DLT", "FAUCET", "PYTHON", "RUST")


@dataclass
class Command:
    """What is to be run, and where."""

    argv: list
    env: dict = field(default_factory=dict)
    cwd: Path | None = None
    stdin: Path | None = None


@dataclass
class Finished:
    """A program that has ended."""

    code: int
    output: str
    seconds: float
    peak_mb: float
    cpu_seconds: float
    read_mb: float

    @property
    def was_killed(self):
        """Whether it was ended by SIGKILL, not by itself."""
        return self.code == -signal.SIGKILL


class _Watch:
    """The figures of a process and its descendants, from /proc."""

    def __init__(self, pid):
        self.pid = pid
        self.peak_kib = 0
        self.read_bytes = {}

    def look(self):
        """Takes the figures once."""
        resident = 0
        for pid in _tree(self.pid):
            status = _fields(f"/proc/{pid}/status")
            resident += int(status.get("VmRSS", "0 kB").split()[0])
            # A process alone may peak between two looks; the kernel remembers that.
            self.peak_kib = max(self.peak_kib, int(status.get("VmHWM", "0 kB").split()[0]))
            read = _fields(f"/proc/{pid}/io").get("rchar")
            if read:
                self.read_bytes[pid] = int(read)
        self.peak_kib = max(self.peak_kib, resident)

    def until(self, is_over):
        """Takes the figures again and again."""
        while not is_over.wait(STEP):
            self.look()


def environment(more):
    """This process's environment without what belongs to other databases and tools."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {**kept, "RUST_BACKTRACE": "0", **{name: str(value) for name, value in more.items()}}


def run(command, kill_after=None):
    """Runs a command to its end, or kills it and its descendants after some seconds."""
    with tempfile.TemporaryFile() as output, open(command.stdin or os.devnull, "rb") as given:
        started = time.monotonic()
        child = subprocess.Popen(
            [str(word) for word in command.argv],
            env=environment(command.env),
            cwd=command.cwd,
            stdin=given,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        watch = _Watch(child.pid)
        is_over = threading.Event()
        watcher = threading.Thread(target=watch.until, args=(is_over,))
        watcher.start()
        try:
            code, usage = _wait(child, started, kill_after)
            seconds = time.monotonic() - started
        finally:
            is_over.set()
            watcher.join()
            kill_group(child.pid)
        output.seek(0)
        said = output.read().decode(errors="replace")
    return Finished(
        code=code,
        output=said,
        seconds=seconds,
        peak_mb=watch.peak_kib / 1024,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        read_mb=sum(watch.read_bytes.values()) / 1e6,
    )


def checked(command):
    """Runs a command that has to succeed, and returns what it said."""
    finished = run(command)
    if finished.code != 0:
        words = " ".join(str(word) for word in command.argv)
        raise RuntimeError(f"exit code {finished.code}: {words}\n{finished.output}")
    return finished.output


def kill_group(pid):
    """Kills what is left of the process group that a command was started in."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _wait(child, started, kill_after):
    """Waits for the child, and reaps it with its figures."""
    timer = None
    if kill_after is not None:
        left = max(0.0, started + kill_after - time.monotonic())
        timer = threading.Timer(left, kill_group, (child.pid,))
        timer.start()
    try:
        _, status, usage = os.wait4(child.pid, 0)
    except BaseException:
        kill_group(child.pid)
        os.wait4(child.pid, 0)
        raise
    finally:
        if timer:
            timer.cancel()
            timer.join()
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage


def _tree(pid):
    """The process and its descendants."""
    found = [pid]
    for parent in found:
        found += _children(parent)
    return found


def _children(pid):
    """Those started by any of its threads, none if the process has gone."""
    try:
        threads = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(word) for thread in threads for word in thread.read_text().split()]
    except OSError:
        return []


def _fields(path):
    """The lines of a `name: value` file, none if the process has gone."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
