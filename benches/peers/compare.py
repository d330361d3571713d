#!/usr/bin/env python3
"""Runs sluice and others side by side: the same orders, one private server. See README.md."""

import argparse
import signal
import sys
from collections import defaultdict
from pathlib import Path

from harness import behaviour, loads, report
from harness.bench import Bench, Failed
from harness.inputs import REPOSITORY, Inputs
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


def compare(args, server, chosen, sluice):
    """Runs everything in rounds, and prints the tables."""
    bench = Bench(server, sluice)
    print(report.machine(server, args.runs, args.rows))
    print(report.versions(chosen))
    samples = defaultdict(list)
    if set(args.work) & set(loads.WORKS):
        inputs = Inputs(server.folder / "orders", args.rows)
        for peer in _turns(args, chosen, "loads"):
            for work, load in loads.measure(bench, peer, inputs, args.work):
                samples[peer.name, work].append(load)
        print(report.loads(chosen, samples, args.rows))
    if {"bad", "kill"} & set(args.work):
        inputs = Inputs(server.folder / "few-orders", args.behaviour_rows)
        for peer in _turns(args, chosen, "behaviour"):
            usual = behaviour.clean(bench, peer, inputs)
            if "bad" in args.work:
                samples[peer.name, "bad"].append(behaviour.bad(bench, peer, inputs, usual))
            if "kill" in args.work:
                samples[peer.name, "kill"].append(behaviour.killed(bench, peer, inputs, usual))
        if "bad" in args.work:
            print(report.bad(chosen, samples, inputs))
        if "kill" in args.work:
            print(report.killed(chosen, samples))


def _turns(args, chosen, what):
    """The peers in turn, so that a slow minute of the machine hits all of them."""
    for number in range(1, args.runs + 1):
        for peer in chosen:
            print(f"{what}: round {number} of {args.runs}: {peer.name}", file=sys.stderr, flush=True)
            yield peer


def main():
    args = arguments()
    # Ends like Ctrl-C: what was started is ended, the folder removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    binary = args.sluice or REPOSITORY / "target" / "release" / "sluice"
    everybody = peers(binary)
    chosen = [peer for peer in everybody if peer.name in args.only]
    workshop = Workshop(args.folder)
    for peer in chosen:
        peer.install(workshop)
    server = Server(binary)
    try:
        compare(args, server, chosen, next(peer for peer in everybody if peer.name == "sluice"))
    finally:
        server.stop()


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
