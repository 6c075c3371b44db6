#!/usr/bin/env python3
# flights.py plain|listen|insist|both SYMTLS: how many flights have to cross before each end may send, the caller and the other one.
"""Two ends, and a relay between them that is slower than they are, however slow they are: what an end says is handed on only
when both wait for something. Whatever they have said by then is one flight, and crosses the other's. So it is the flights that
are counted, and no time is measured. Two of them are a round trip."""
import os
import select
import socket
import subprocess
import sys
import tempfile

PATIENCE = 5000  # looks: then something hangs


def unread(sock):
    """Bytes that the end's kernel has, and the end has not read yet."""
    here, there = (f"0100007F:{port:04X}" for port in (sock.getsockname()[1], sock.getpeername()[1]))
    with open("/proc/net/tcp", encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if words[1] == there and words[2] == here:
                return int(words[4].split(":")[1], 16)
    return 0


class End:
    def __init__(self, folder, symtls, name):
        self.symtls = symtls
        self.report = os.path.join(folder, name + ".report")
        self.env = {**os.environ, "HOME": folder, "XDG_CONFIG_HOME": f"{folder}/{name}", "XDG_DATA_HOME": f"{folder}/{name}"}
        self.pin = subprocess.run([symtls, "--show-identity"], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  check=True, text=True).stdout.split()[0]
        self.sock = self.process = self.flights = None

    def start(self, *arguments):
        self.process = subprocess.Popen([self.symtls, "--report", self.report, *map(str, arguments)], env=self.env,
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def told(self):
        try:
            with open(self.report, encoding="utf-8") as report:
                return report.read()
        except FileNotFoundError:
            return ""

    def is_still(self):
        """It sleeps, and has nothing to read: how much it has done until then. None: it does something."""
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        if fields[0] == "Z":
            return "gone"
        return (fields[11], fields[12]) if fields[0] == "S" and unread(self.sock) == 0 else None

    def said(self):
        try:
            return self.sock.recv(1 << 20, socket.MSG_DONTWAIT)
        except (BlockingIOError, ConnectionResetError):
            return b""

    def hears(self, words):
        try:
            self.sock.sendall(words)
        except OSError:
            pass


def until(what):
    for _ in range(PATIENCE):
        if what():
            return
        select.select([], [], [], 0.003)
    sys.exit("one of the ends hangs")


def until_still(ends):
    looks = [None]

    def twice_the_same():
        looks.append([end.is_still() for end in ends])
        return None not in looks[-1] and looks[-1] == looks[-2]

    until(twice_the_same)


def count(caller, other):
    flights = 0
    while True:
        until_still([caller, other])
        for end in (caller, other):
            if end.flights is None and '"event":"handshake"' in end.told():
                end.flights = flights
        said = caller.said(), other.said()
        if not any(said):
            return
        other.hears(said[0])
        caller.hears(said[1])
        flights += 1


def serve(end, *arguments):
    """Somebody for this end to call."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        end.start(*arguments, "127.0.0.1", listener.getsockname()[1])
        end.sock = listener.accept()[0]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def connect(way, caller, other):
    if way == "both":  # each finds the other where it calls
        serve(other, "--pin", caller.pin, "-b", "-p", free_port())
        serve(caller, "--pin", other.pin, "-b", "-p", free_port())
        return
    options = ["--symmetric", "never"] if way == "plain" else []
    other.start("--pin", caller.pin, *options, "-l", "127.0.0.1", 0)
    until(lambda: '"event":"listening"' in other.told())
    other.sock = socket.create_connection(("127.0.0.1", int(other.told().split('"local":"', 1)[1].split('"', 1)[0].rsplit(":", 1)[1])))
    serve(caller, "--pin", other.pin, *(["--role", "server"] if way == "insist" else options))


def main():
    way, symtls = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        caller, other = (End(folder, os.path.realpath(symtls), name) for name in ("bob", "alice"))
        try:
            connect(way, caller, other)
            for end in (caller, other):
                end.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            count(caller, other)
            if None in (caller.flights, other.flights):
                sys.exit("they have not come together")
            print(caller.flights, other.flights)
        finally:
            for end in (caller, other):
                if end.process:
                    end.process.kill()
                    end.process.communicate()
                if end.sock:
                    end.sock.close()


main()
