"""Transfers: one way, both ways, in datagrams. A run of one contender is a Transfer; runs of all take turns."""
import os
import signal
import time
from statistics import median

from contenders import OURS, PLAIN, SOCAT, TLS, Socat, Symtls, SymtlsSctp
from limits import Cipher
from processes import Failed, free_port, until_open

GIB = 1 << 30


class Transfer:
    """What one run came to: seconds on the wall, CPU seconds of either end, peak memory if that was watched."""

    def __init__(self, wall, sender, receiver, sender_kib=0, receiver_kib=0):
        self.wall = wall
        self.sender = sender.cpu
        self.receiver = receiver.cpu
        self.sender_kib = sender_kib
        self.receiver_kib = receiver_kib


def finish(contender, processes, watch):
    """Until the caller has ended, and the listener as far as it does by itself."""
    for process in processes["call"]:
        while watch and not process.has_ended():
            watch()
            time.sleep(0.003)
        process.end()
    for process in processes["listen"]:
        if contender.goes_on:
            process.kill(signal.SIGTERM)
        process.end()


def total(processes):
    cost = processes[0].cost
    for process in processes[1:]:
        cost = cost + process.cost
    return cost


def transfer(bench, contender, path, two_way=False, output=os.devnull, memory=False):
    """Send the file once, or from both ends at once."""
    port = free_port(contender.kind)
    processes = {"listen": [], "call": []}
    peaks = {"listen": 0, "call": 0}

    def watch():
        for end, its in processes.items():
            peaks[end] = max(peaks[end], sum(process.peak_kib() for process in its))

    with open(path, "rb") as up, open(path, "rb") as down, open(output, "wb") as out, open(os.devnull, "wb") as void:
        try:
            processes["listen"] = contender.listen(bench.place, port, two_way, stdout=out, **({"stdin": down} if two_way else {}))
            until_open(port, processes["listen"][-1], contender.kind)
            since = time.monotonic()
            processes["call"] = contender.call(bench.place, port, two_way, stdin=up, stdout=void)
            finish(contender, processes, watch if memory else None)
            wall = time.monotonic() - since
        finally:
            for process in processes["listen"] + processes["call"]:
                process.kill()
    return Transfer(wall, total(processes["call"]), total(processes["listen"]), peaks["call"], peaks["listen"])


def proven(bench, contenders):
    """Those that are there, and that bring a small file over whole."""
    able = []
    for contender in bench.present(contenders):
        output = os.path.join(bench.place.folder, "proof")
        try:
            transfer(bench, contender, bench.small_file(), output=output)
        except Failed as failure:
            bench.note(f"{contender.name} is left out: {failure}")
            continue
        came, sent = os.path.getsize(output), os.path.getsize(bench.small_file())
        if came != sent and not contender.goes_on:
            bench.note(f"{contender.name} brought over {came} of {sent} bytes{'' if contender.careless else ', and is left out'}")
        if came == sent or contender.goes_on or contender.careless:
            able.append(contender)
    return able


def turns(bench, contenders, run, count=None):
    """A B C A B C...: what else the machine does hits all of them alike. Each one's results."""
    results = {contender: [] for contender in contenders}
    for turn in range(count or bench.runs):
        for contender in contenders:
            bench.progress(f"{turn + 1}/{count or bench.runs} {contender.name}")
            results[contender].append(run(contender))
    return results


def middle(results, key):
    return median(getattr(result, key) for result in results)


# ---- Rows ----


def one_way(bench):
    contenders = proven(bench, [*TLS, PLAIN])
    cipher = Cipher(bench.cipher, bench.place.folder)
    can_seal = cipher.is_there()
    results = turns(bench, [*contenders, *([cipher] if can_seal else [])], lambda who: who.seal(0.05 if bench.quick else 0.4)
                    if who is cipher else transfer(bench, who, bench.big_file()))
    cipher_s = bench.size / middle(results[cipher], "rate") if can_seal else 0
    if not can_seal:
        bench.note(f"{bench.cipher} alone was not measured: that takes a compiler, pkg-config and GnuTLS's header")
    gib = bench.size / GIB
    wall = {contender: middle(results[contender], "wall") for contender in contenders}
    rows = []
    for contender in contenders:
        its = results[contender]
        rows.append((contender.name, f"{wall[contender]:.3f}", f"{min(r.wall for r in its):.3f}–{max(r.wall for r in its):.3f}",
                     f"{gib / wall[contender]:.2f}", f"{wall[contender] / wall[OURS]:.2f}", f"{middle(its, 'sender') / gib:.3f}",
                     f"{middle(its, 'receiver') / gib:.3f}"))
    rows.append((cipher.name, f"{cipher_s:.3f}", "", f"{gib / cipher_s if cipher_s else 0:.2f}", "", "", ""))
    bench.table(f"One way: a file of {bench.size_words()} to /dev/null over loopback",
                ("who", "wall, s", "least–most", "GiB/s", "times symtls", "sender's CPU, s/GiB", "receiver's CPU, s/GiB"), rows)
    bench.plot("one-way", "GiB/s, one way", [(row[0], float(row[3])) for row in rows])
    bench.plot("cpu", "CPU seconds for each GiB, both ends",
               [(row[0], float(row[5]) + float(row[6])) for row in rows if row[5]])
    for other, wanted in ((SOCAT, 1.6), ("ncat --ssl", 2.5), ("gnutls-cli, openssl s_server", 2.5)):
        other = next((c for c in contenders if other in (c, c.name)), None)
        if other:
            bench.reach(f"one way, {other.name} takes so many times as long", wall[other] / wall[OURS], wanted)
    if PLAIN in contenders and cipher_s:
        bench.reach("one way, of the speed that plain TCP and the cipher set together", (wall[PLAIN] + cipher_s) / wall[OURS], 0.85)
    if SOCAT in contenders:
        for end in ("sender", "receiver"):
            bench.reach(f"CPU of the {end}, as a part of {SOCAT.name}'s",
                        middle(results[OURS], end) / middle(results[SOCAT], end), 0.65, at_most=True)
    bench.one_way_wall = wall[OURS]


def both_ways(bench):
    contenders = bench.present([OURS, SOCAT])
    # In turns these too: what the machine does besides changes from minute to minute.
    pairs = turns(bench, contenders, lambda contender: [transfer(bench, contender, bench.big_file(), two_way=two_way)
                                                        for two_way in (False, True)])
    one = {contender: [pair[0] for pair in its] for contender, its in pairs.items()}
    both = {contender: [pair[1] for pair in its] for contender, its in pairs.items()}
    rows = []
    for contender in contenders:
        part = 2 * middle(one[contender], "wall") / middle(both[contender], "wall")
        rows.append((contender.name, f"{middle(one[contender], 'wall'):.3f}", f"{middle(both[contender], 'wall'):.3f}", f"{part:.2f}"))
        if contender is OURS:
            bench.reach("both ways at once, summed, as a part of one way", part, 0.9)
    bench.table(f"Both ways at once: {bench.size_words()} from each end", ("who", "one way, s", "both ways, s", "summed rate, of one way's"), rows)


def memory(bench):
    contenders = proven(bench, TLS)
    results = turns(bench, contenders, lambda contender: transfer(bench, contender, bench.big_file(), memory=True), min(bench.runs, 3))
    rows = [(contender.name, f"{middle(results[contender], 'sender_kib') / 1024:.1f}",
             f"{middle(results[contender], 'receiver_kib') / 1024:.1f}") for contender in contenders]
    bench.table("Peak memory (VmHWM) during that, MiB", ("who", "sender", "receiver"), rows)
    openssl = next((c for c in contenders if c.name.startswith("openssl")), None)
    if openssl:
        limit = middle(results[openssl], "sender_kib")
        for end in ("sender", "receiver"):
            bench.reach(f"peak memory of the {end}, as a part of openssl s_client's", middle(results[OURS], end + "_kib") / limit,
                        1, at_most=True)


class Datagrams:
    def __init__(self, wall, came, sender, receiver):
        self.rate = came / wall / GIB
        self.came = came
        self.sender = sender.cpu
        self.receiver = receiver.cpu


def datagrams_once(bench, contender, path):
    """As far as it comes: what is lost is not sent again. Bytes that came out, until the sender has ended."""
    output = os.path.join(bench.place.folder, "datagrams")
    port = free_port(contender.kind)
    with open(path, "rb") as source, open(output, "wb") as out:
        listen = contender.listen(bench.place, port, stdout=out)
        call = []
        try:
            until_open(port, listen[-1], contender.kind)
            since = time.monotonic()
            call = contender.call(bench.place, port, stdin=source)
            for process in call:
                if process.end().status:
                    raise Failed(f"{contender.name} failed: {process.words()}")
            wall = time.monotonic() - since
            if contender.goes_on:
                time.sleep(0.2)  # it does not always hear of the end
            else:
                for process in listen:
                    process.end()
        finally:
            for process in listen + call:
                process.kill(signal.SIGTERM)
    return Datagrams(wall, os.path.getsize(output), total(call), total(listen))


def datagrams(bench):
    contenders = bench.present([Symtls("symtls -u", ["-u"]), Socat("socat OPENSSL-DTLS -b 1200", "OPENSSL-DTLS", 1200), SymtlsSctp()])
    path = bench.middle_file()
    results = turns(bench, contenders, lambda contender: datagrams_once(bench, contender, path))
    sent = os.path.getsize(path)
    rows = [(contender.name, f"{1024 * middle(its, 'rate'):.0f}", f"{100 * (1 - middle(its, 'came') / sent):.1f} %",
             f"{middle(its, 'sender') / sent * GIB:.2f}", f"{middle(its, 'receiver') / sent * GIB:.2f}") for contender, its in results.items()]
    bench.table(f"Other transports, one way, {sent >> 20} MiB (nobody sends DTLS again)",
                ("who", "MiB/s that arrive", "lost", "sender's CPU, s/GiB", "receiver's CPU, s/GiB"), rows)
