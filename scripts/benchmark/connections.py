"""Connections without data: what it costs to come together."""
import os
import re
import signal
import subprocess
import sys
import time
from statistics import median

from contenders import OURS, GnutlsCli, Ncat, Openssl, Socat, Symtls
from processes import Failed, free_port, until_open
from transfers import middle, total, turns

FLIGHTS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "tests", "e2e", "flights.py")


START = Symtls("symtls --version, no connection")


class Connection:
    def __init__(self, wall, caller, listener):
        self.wall = wall
        self.caller = caller.cpu
        self.listener = listener.cpu if listener else 0


def once(bench, contender, listening=None):
    """Nobody has anything to say: a handshake, and the end. `listening`: (port, processes) of a listener that goes on."""
    port, listen = listening or (free_port(), [])
    call = []
    try:
        if not listening:
            listen = contender.listen(bench.place, port)
            until_open(port, listen[-1])
        since = time.monotonic()
        call = contender.call(bench.place, port)
        for process in call:
            if process.end().status:
                raise Failed(f"{contender.name} failed: {process.words()}")
        wall = time.monotonic() - since
        if not listening:
            for process in listen:
                process.end()
    finally:
        for process in call + ([] if listening else listen):
            process.kill()
    return Connection(wall, total(call), None if listening else total(listen))


def started(bench):
    """What it takes to load the libraries: nothing else is done."""
    since = time.monotonic()
    cost = bench.place.start([bench.place.symtls, "--version"]).end()
    return Connection(time.monotonic() - since, cost, None)


def connect(bench):
    contenders = bench.present([OURS, Openssl("openssl s_client"), GnutlsCli("gnutls-cli --insecure"), Ncat("ncat --ssl"),
                                Socat("socat OPENSSL")])
    results = turns(bench, contenders, lambda contender: once(bench, contender), 5 * bench.runs)
    contenders.append(START)
    results[START] = [started(bench) for _ in range(5 * bench.runs)]
    rows = []
    for contender in contenders:
        its = results[contender]
        rows.append((contender.name, f"{1000 * middle(its, 'caller'):.1f}", f"{1000 * min(r.caller for r in its):.1f}",
                     f"{1000 * middle(its, 'wall'):.1f}", f"{1000 * min(r.wall for r in its):.1f}"))
    bench.table("One connection: the calling process, from its start to its exit",
                ("who", "CPU, ms", "least", "wall, ms", "least"), rows)
    by_name = {contender.name: its for contender, its in results.items()}
    for name, key, wanted in (("openssl s_client", "caller", 0.2), ("openssl s_client", "wall", 0.5), ("gnutls-cli --insecure", "caller", 1)):
        if name in by_name:
            bench.reach(f"one connection, {'CPU' if key == 'caller' else 'wall'}, as a part of {name}'s",
                        middle(results[OURS], key) / middle(by_name[name], key), wanted, at_most=True)


# ---- A listener that goes on ----


class Served:
    """Many callers, one after the other, at one listener: CPU seconds of either end and the wall, for each handshake."""

    def __init__(self, wall, caller, listener):
        self.rate = 1 / wall
        self.caller = 1000 * caller
        self.listener = 1000 * listener
        self.both = self.caller + self.listener


def serve_many(bench, contender, count):
    port = free_port()
    listen = contender.open(bench.place, port)
    try:
        since = time.monotonic()
        calls = [once(bench, contender, (port, listen)) for _ in range(count)]
        wall = time.monotonic() - since
    finally:
        for process in listen:
            process.kill(signal.SIGTERM)
    return Served(wall / count, sum(call.caller for call in calls) / count, total(listen).cpu / count)


def can_keep_open(place):
    said = subprocess.run([place.symtls, "--help"], capture_output=True, text=True, check=False).stdout
    return "--keep-open" in said


class KeptOpen(Symtls):
    def listen(self, place, port, two_way=False, **files):
        return [place.start([place.symtls, "-q", *self.options, "-k", "--pin", place.pins["bob"], "-d", "-l", "127.0.0.1",
                             str(port)], "alice", **files)]


def handshakes(bench):
    if not can_keep_open(bench.place):
        raise Failed("this symtls has no --keep-open")
    symmetric, never = KeptOpen("symtls"), KeptOpen("symtls --symmetric never", ["--symmetric", "never"])
    count = 7 * bench.runs
    results = turns(bench, [symmetric, never], lambda contender: serve_many(bench, contender, count), 2 * bench.runs)
    rows = [(contender.name, f"{middle(its, 'rate'):.0f}", f"{middle(its, 'caller'):.2f}", f"{middle(its, 'listener'):.2f}")
            for contender, its in results.items()]
    bench.table(f"Handshakes, one after the other, a new caller each time ({count} in a run)",
                ("who", "per second", "caller's CPU, ms", "listener's CPU, ms"), rows)
    more = median(one.both - other.both for one, other in zip(results[symmetric], results[never]))
    bench.reach("CPU that a symmetric handshake costs more than a plain one, both ends together", more, 0.4, at_most=True, unit=" ms")


# ---- Round trips ----


def round_trips(bench):
    """Counted, not measured: the relay hands on what each end has said once both wait."""
    ways = (("symtls --symmetric never", "plain"), ("symtls, -l", "listen"), ("symtls -b, both", "both"))
    rows, counts = [], {}
    for name, way in ways:
        run = subprocess.run([sys.executable, "-ES", FLIGHTS, way, bench.place.symtls], capture_output=True, text=True, check=False)
        found = re.match(r"(\d+) (\d+)$", run.stdout.strip())
        if not found:
            bench.note(f"round trips of {name}: {run.stderr.strip()[-300:]}")
            continue
        counts[way] = max(map(int, found.groups()))
        rows.append((name, *(f"{int(half) / 2:g}" for half in found.groups())))
    bench.table("Round trips until an end may send", ("who", "the caller", "the listener"), rows)
    for way in ("listen", "both"):
        if way in counts and "plain" in counts:
            bench.reach(f"round trips until both may send, {way}, beyond plain TLS 1.3", (counts[way] - counts["plain"]) / 2, 0, at_most=True)
