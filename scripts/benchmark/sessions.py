"""Many sessions of one listener, held open at the same time."""
import os
import signal
import socket
import ssl
import subprocess
import time
from statistics import median

from connections import can_keep_open
from processes import Failed, free_port, until_open


def family(pid):
    """The processes that come from it, and have its name."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                    head, tail = stat.read().rsplit(")", 1)
            except OSError:
                continue
            parents[int(entry)] = (int(tail.split()[1]), head.split("(", 1)[1])
    found, grew = {pid}, True
    while grew:
        more = {child for child, (parent, _) in parents.items() if parent in found} - found
        found |= more
        grew = bool(more)
    return [child for child in found - {pid} if parents[child][1] == parents[pid][1]]


def private_kib(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
            return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
    except OSError:
        return None


def knock(bench, context, port):
    raw = socket.create_connection(("127.0.0.1", port), timeout=30)
    session = context.wrap_socket(raw)
    return session if says_back(session, b"hello\n") else None


def says_back(session, words):
    session.sendall(words)
    got = b""
    while len(got) < len(words):
        piece = session.recv(100)
        if not piece:
            return False
        got += piece
    return got == words


def held_open(bench):
    if not can_keep_open(bench.place):
        raise Failed("this symtls has no --keep-open")
    place, count = bench.place, 20 * bench.runs if bench.quick else 1000
    shown = subprocess.run([place.symtls, "--show-identity", "-i", place.both], env=place.home("carol"), capture_output=True, text=True, check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(place.certificate, place.key)
    port = free_port()
    listener = place.start([place.symtls, "-q", "-k", "-m", str(count), "--pin", shown.stdout.split()[0], "-e", "cat", "-l", "127.0.0.1", str(port)],
                           "alice")
    sessions, seconds = [], []
    try:
        until_open(port, listener)
        for _ in range(count):
            since = time.monotonic()
            sessions.append(knock(bench, context, port))
            seconds.append(time.monotonic() - since)
        working = sum(1 for number, session in enumerate(sessions) if session and says_back(session, b"%d\n" % number))
        memory = [kib for kib in map(private_kib, family(listener.pid)) if kib is not None]
    finally:
        for session in sessions:
            if session:
                session.close()
        listener.kill(signal.SIGTERM)
    early, late = median(seconds[5:25]), median(seconds[-20:])
    bench.table(f"{count} sessions of one listener, held open, each with a program (cat) behind it",
                ("that answer", "private memory of one, KiB, median", "most", "the 10th came in, ms", f"the {count}th, ms"),
                [(str(working), f"{median(memory):.0f}", f"{max(memory)}", f"{1000 * early:.1f}", f"{1000 * late:.1f}")])
    bench.reach("sessions that work", working, count)
    bench.reach("private memory of a session, MiB, the most of all", max(memory) / 1024, 1, at_most=True)
    bench.reach("time to accept the last, as a part of the 10th's (medians of 20)", late / early, 1.1, at_most=True)
