#!/usr/bin/env python3
"""lossy.py - a bad network for datagrams: N pairs of ends, between which datagrams get lost, doubled, late and out of order.

    lossy.py N [loss=PERCENT] [double=PERCENT] [late=PERCENT] [mtu=BYTES] [seed=NUMBER]

prints a line for each pair, "A-PORT A-PEER B-PORT B-PEER": the one end has A-PORT as its own and sees the other as
127.0.0.1 A-PEER, and so for B. An end may also speak from any other port; the last one that was seen gets the answers.
Runs until its standard input ends, then says how many datagrams it passed on and how many it lost.
A late datagram waits until three more have gone the same way, or 30 ms have passed.
mtu: larger datagrams vanish, as in a tunnel whose errors nobody hears.
"""
import random
import select
import socket
import sys
import time


def bound():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    return sock


class Way:
    """From one socket of ours to the other: what comes in at `here` goes out at `there`."""

    def __init__(self, here, there, target):
        self.here, self.there, self.target, self.back = here, there, target, None
        self.waiting = []  # late ones: [how many still to go ahead, when at the latest, bytes]

    def send(self, data):
        try:
            self.there.sendto(data, self.back.source if self.back.source else self.target)
        except OSError:
            pass  # nobody there yet

    source = None


def main():
    count = int(sys.argv[1])
    config = {"loss": 0, "double": 0, "late": 0, "mtu": 65535, "seed": 1}
    for word in sys.argv[2:]:
        name, value = word.split("=")
        config[name] = float(value)
    chance = random.Random(config["seed"])
    passed = lost = 0
    ways, ports = {}, []
    for _ in range(count):
        # The ends' own ports are held until all are chosen, so that no two are the same.
        own = [bound(), bound()]
        at = [bound(), bound()]
        to_b = Way(at[0], at[1], own[1].getsockname())
        to_a = Way(at[1], at[0], own[0].getsockname())
        to_b.back, to_a.back = to_a, to_b
        ways[at[0]], ways[at[1]] = to_b, to_a
        ports.append(own)
        print(own[0].getsockname()[1], at[0].getsockname()[1], own[1].getsockname()[1], at[1].getsockname()[1])
    for own in ports:
        own[0].close()
        own[1].close()
    sys.stdout.flush()

    while True:
        soonest = min((late[1] for way in ways.values() for late in way.waiting), default=None)
        timeout = None if soonest is None else max(0, soonest - time.monotonic())
        ready, _, _ = select.select([*ways, sys.stdin], [], [], timeout)
        now = time.monotonic()
        for sock in ready:
            if sock is sys.stdin:
                if not sys.stdin.readline():
                    print(passed, lost)
                    return
                continue
            way = ways[sock]
            while True:
                try:
                    data, source = sock.recvfrom(65536)
                except BlockingIOError:
                    break
                except OSError:
                    continue  # port unreachable: it is not there yet
                way.source = source
                if chance.random() * 100 < config["loss"] or len(data) > config["mtu"]:
                    lost += 1
                    continue
                passed += 1
                if chance.random() * 100 < config["late"]:
                    way.waiting.append([3, now + 0.03, data])
                    continue
                way.send(data)
                if chance.random() * 100 < config["double"]:
                    way.send(data)
                for late in way.waiting:
                    late[0] -= 1
        for way in ways.values():
            for late in [late for late in way.waiting if late[0] <= 0 or late[1] <= now]:
                way.waiting.remove(late)
                way.send(late[2])


main()
