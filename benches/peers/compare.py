#!/usr/bin/env python3
"""Runs sluice and others side by side: the same orders, one private server. See README.md."""

import argparse
import signal
import sys
from collections import defaultdict
from pathlib import Path

from harness import behaviour, loads, report
from harness.bench import Bench, Failed
from harness.inputs import REPOSITORY, Inputs, build_inputs
from harness.server import Server
from harness.workshop import Workshop
from loaders import psql
from loaders.dlt import Dlt
from loaders.faucet import Faucet
from loaders.psycopg import Psycopg
from loaders.sling import Sling
from loaders.sluice import Sluice

WORKS = [*loads.WORKS, "bad", "kill"]


def peers(sluice):
    """Everybody, in the order in which they take turns."""
    return [
        psql.copy(),
        Sluice("ndjson", sluice),
        Sluice("csv", sluice),
        Sluice("ndjson", sluice, "orders_rows"),
        Sluice("csv", sluice, "orders_rows"),
        psql.merge_ndjson(),
        psql.merge_csv(),
        Psycopg(),
        Dlt(),
        Sling("ndjson"),
        Sling("csv"),
        Faucet(),
    ]


def arguments():
    """The command line."""
    names = [peer.name for peer in peers(None)]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=_rows, default=1_000_000, help="orders in a file, for speed")
    parser.add_argument(
        "--behaviour-rows", type=_rows, default=100_000, help="orders in a file, for bad and kill"
    )
    parser.add_argument("--runs", type=int, default=3, help="rounds; medians are shown")
    parser.add_argument("--only", type=_some_of(names), default=names, help=", ".join(names))
    parser.add_argument("--work", type=_some_of(WORKS), default=WORKS, help=", ".join(WORKS))
    parser.add_argument("--sluice", type=Path, help="default: target/release/sluice")
    parser.add_argument(
        "--folder", type=Path, default=REPOSITORY / "target" / "peers", help="where peers are installed"
    )
    return parser.parse_args()


def _rows(text):
    rows = int(text)
    if rows < 1000:
        raise argparse.ArgumentTypeError("1000 at least")
    return rows


def _some_of(known):
    def parse(text):
        unknown = [word for word in text.split(",") if word not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(known)}")
        return text.split(",")

    return parse


class Comparison:
    """Everybody in rounds, so that a slow minute of the machine hits all of them."""

    def __init__(self, args, bench, chosen):
        self.args = args
        self.bench = bench
        self.chosen = chosen
        self.samples = defaultdict(list)
        self.failures = {}

    def run(self):
        """Measures, and prints the tables."""
        server, args = self.bench.server, self.args
        print(report.machine(server, args.runs, args.rows, args.behaviour_rows))
        print(report.versions(self.chosen))
        if set(args.work) & set(loads.WORKS):
            inputs = Inputs(server.folder / "orders", args.rows)
            self._rounds("speed", self._load, inputs)
            print(report.loads(self.chosen, self.samples, inputs.rows))
        if set(args.work) & {"bad", "kill"}:
            inputs = Inputs(server.folder / "few-orders", args.behaviour_rows)
            self._rounds("behaviour", self._misbehave, inputs)
            if "bad" in args.work:
                print(report.bad(self.chosen, self.samples, inputs))
            if "kill" in args.work:
                print(report.killed(self.chosen, self.samples))
        for name, failure in self.failures.items():
            print(f"{name} did not do the work: {failure}")

    def _rounds(self, what, step, inputs):
        for number in range(1, self.args.runs + 1):
            for peer in self.chosen:
                if peer.name not in self.failures:
                    say(f"{what}: round {number} of {self.args.runs}: {peer.name}")
                    self._try(step, peer, inputs)

    def _try(self, step, peer, inputs):
        """One that fails does not take the others' figures with it."""
        try:
            step(peer, inputs)
        except Failed as failure:
            say(f"failed: {failure}")
            self.failures[peer.name] = failure

    def _load(self, peer, inputs):
        for work, load in loads.measure(self.bench, peer, inputs, self.args.work):
            self.samples[peer.name, work].append(load)

    def _misbehave(self, peer, inputs):
        usual = behaviour.clean(self.bench, peer, inputs)
        for work, happens in {"bad": behaviour.bad, "kill": behaviour.killed}.items():
            if work in self.args.work:
                self.samples[peer.name, work].append(happens(self.bench, peer, inputs, usual))


def say(text):
    """Progress, apart from the tables."""
    print(text, file=sys.stderr, flush=True)


def main():
    args = arguments()
    # Ends like Ctrl-C: what was started is ended, the folder removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.stdout.reconfigure(line_buffering=True)
    binary = (args.sluice or REPOSITORY / "target" / "release" / "sluice").resolve()
    everybody = peers(binary)
    chosen = [peer for peer in everybody if peer.name in args.only]
    build_inputs()
    workshop = Workshop(args.folder.resolve())
    for peer in chosen:
        peer.install(workshop)
    server = Server(binary)
    try:
        engine = next(peer for peer in everybody if peer.template == "sluice")
        comparison = Comparison(args, Bench(server, engine), chosen)
        comparison.run()
    finally:
        server.stop()
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
