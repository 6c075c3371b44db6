#!/usr/bin/env python3
"""lossy.py - a bad network for datagrams: N pairs of ends, between which datagrams get lost, doubled, late and out of order.

    lossy.py N [loss=PERCENT] [double=PERCENT] [late=PERCENT] [mtu=BYTES] [seed=NUMBER]

prints a line for each pair, four addresses of this host that nobody else uses: A, as whom A sees B, B, as whom B sees A. The
port is always 4433; an end may also speak from any other, and the last one that was seen gets the answers.
Runs until its standard input ends, then says how many datagrams it passed on, how many it lost, and the size of the largest.
A late datagram waits until three more have gone the same way, or 30 ms have passed.
mtu: larger datagrams vanish, as in a tunnel whose errors nobody hears.
"""
import os
import random
import select
import socket
import sys
import time

PORT = 4433


def bound(address):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, PORT))
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
    passed = lost = largest = 0
    ways = {}
    network = "127.%d.%d" % (64 + os.urandom(1)[0] % 64, os.urandom(1)[0])
    for i in range(count):
        a, b, here, there = ("%s.%d" % (network, 4 * i + n) for n in (1, 2, 3, 4))
        at = [bound(here), bound(there)]
        to_b, to_a = Way(at[0], at[1], (b, PORT)), Way(at[1], at[0], (a, PORT))
        to_b.back, to_a.back = to_a, to_b
        ways[at[0]], ways[at[1]] = to_b, to_a
        print(a, here, b, there)
    sys.stdout.flush()

    while True:
        soonest = min((late[1] for way in ways.values() for late in way.waiting), default=None)
        timeout = None if soonest is None else max(0, soonest - time.monotonic())
        ready, _, _ = select.select([*ways, sys.stdin], [], [], timeout)
        now = time.monotonic()
        for sock in ready:
            if sock is sys.stdin:
                if not sys.stdin.readline():
                    print(passed, lost, largest)
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
                largest = max(largest, len(data))
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
