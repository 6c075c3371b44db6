"""There and back of a small write through an idle channel."""
import os
import select
import time
from statistics import median, quantiles

from contenders import OURS, PLAIN, Socat
from processes import Failed, free_port, until_open
from transfers import middle, turns

SIZE = 64


class Times:
    def __init__(self, seconds):
        cuts = quantiles(seconds, n=100)
        self.half = 1e6 * median(seconds)
        self.most = 1e6 * cuts[98]


def read_all(fd, count):
    got = 0
    while got < count:
        if not select.select([fd], [], [], 30)[0]:
            raise Failed("nothing comes back")
        piece = os.read(fd, count - got)
        if not piece:
            raise Failed("the channel has ended")
        got += len(piece)


def ping(bench, contender, count):
    """Into one end, out of the other, and back by the same way; this process is the one that answers, too."""
    port = free_port()
    pipes = [os.pipe() for _ in range(4)]
    (near_in, near_write), (near_read, near_out), (far_in, far_write), (far_read, far_out) = pipes
    processes = []
    message = bytes(range(SIZE))
    try:
        processes += contender.listen(bench.place, port, True, stdin=far_in, stdout=far_out)
        until_open(port, processes[0])
        processes += contender.call(bench.place, port, True, stdin=near_in, stdout=near_out)
        seconds = []
        for number in range(count + 100):
            since = time.perf_counter()
            os.write(near_write, message)
            read_all(far_read, SIZE)
            os.write(far_write, message)
            read_all(near_read, SIZE)
            if number >= 100:
                seconds.append(time.perf_counter() - since)
    finally:
        for process in processes:
            process.kill()
        for one, other in pipes:
            os.close(one)
            os.close(other)
    return Times(seconds)


def ping_pong(bench):
    contenders = bench.present([OURS, Socat("socat OPENSSL"), PLAIN])
    count = 200 * bench.runs
    results = turns(bench, contenders, lambda contender: ping(bench, contender, count))
    rows = [(contender.name, f"{middle(its, 'half'):.0f}", f"{middle(its, 'most'):.0f}") for contender, its in results.items()]
    bench.table(f"There and back of {SIZE} bytes through an idle channel, microseconds", ("who", "median", "99 of 100 are below"), rows)
    for contender in contenders:
        if contender.name == "socat OPENSSL":
            bench.reach(f"there and back of {SIZE} bytes, as a part of {contender.name}'s", middle(results[OURS], "half") /
                        middle(results[contender], "half"), 1, at_most=True)
