#!/usr/bin/env python3
"""Peers and middlemen that do what they should not. For the tests; every one prints its port first, if it listens.

    hostile.py say WHAT call PORT | listen  [--end fin|rst|hold] [--slowly]   say something that is not, or not quite, TLS
    hostile.py relay PORT [...]                                               stand between two ends (0: that both call us)
    hostile.py reflect [PORT]                                                 send everything back
    hostile.py tls WHAT call PORT | listen  [an option of peer.py...]         finish a handshake, and then misbehave

say prints at the end what it was told: "hello", "alert 40", ...; the others say that it is the end. Without an argument, such lines are read from
stdin, and done one by one.
"""
import argparse
import select
import socket
import struct
import sys

import hellos
from hellos import extension, preference, vector

PATIENCE = 60

# ---- Bytes ----


def record(body, kind=22):
    return bytes([kind, 3, 3]) + vector(2, body)


def message(kind, body):
    return bytes([kind]) + vector(3, body)


def client_hello(*extensions, suites=b"\x13\x01\xc0\x2b"):
    body = (b"\x03\x03" + bytes(range(32)) + vector(1, bytes(32)) + vector(2, suites) + vector(1, b"\0") +
            vector(2, b"".join(extensions)))
    return message(1, body)


def server_hello(suite, *extensions, nonce=bytes(range(32, 64)), session=b""):
    body = b"\x03\x03" + nonce + vector(1, session) + suite + b"\0" + vector(2, b"".join(extensions))
    return message(2, body)


GOOD = client_hello(extension(23, b""), preference(b"mmm"))
PLAIN = client_hello(extension(23, b""))
# The length fields of GOOD in its record: (name, offset, width).
LENGTHS = (("record", 3, 2), ("message", 6, 3), ("session_id", 43, 1), ("cipher_suites", 76, 2), ("compression", 82, 1),
           ("extensions", 84, 2), ("extension", 88, 2), ("preference", 92, 2))
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")  # RFC 8446 section 4.1.3


def noise(seed, length):
    import random
    return random.Random(seed).randbytes(length)


def lie(field, difference):
    return hellos.lie(record(GOOD), LENGTHS, field, difference)


def server_hello_with_preference(version, session):
    """Echoes the session_id of our hello, as TLS 1.3 wants it."""
    bad = preference(b"mmm")
    share = extension(51, b"\x00\x17" + vector(2, bytes.fromhex(  # P-256's own generator
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")))
    is13 = extension(43, b"\x03\x04")
    if version == "1.2":
        return server_hello(b"\xc0\x2b", extension(0xff01, b"\0"), extension(23, b""), bad)
    if version == "1.3":
        return server_hello(b"\x13\x01", is13, share, bad, session=session)
    return server_hello(b"\x13\x01", is13, extension(51, b"\x00\x18"), bad, nonce=RETRY, session=session)


def what_to_say(what, theirs):
    """The bytes; `theirs` is the hello that we got, if we waited for one."""
    name, _, detail = what.partition(":")
    if name == "text":
        return detail.encode().decode("unicode_escape").encode("latin-1")
    if name == "hex":
        return bytes.fromhex(detail)
    if name == "random":
        return noise(int(detail), 2000)
    if name == "zeros":
        return bytes(int(detail))
    if name == "alert":
        return record(bytes([2, int(detail)]), 21)
    if name == "cut":  # a hello, up to there
        return record(GOOD)[:int(detail)]
    if name == "lie":
        return lie(*detail.split(":"))
    if name == "preference":  # values, in hex
        return record(client_hello(*(preference(bytes.fromhex(value)) for value in detail.split(","))))
    if name == "hello":
        return record({"symmetric": GOOD, "plain": PLAIN, "bare": PLAIN[:-6]}[detail])
    if name == "large":  # a hello of about so many bytes, in full records
        hello = client_hello(preference(b"mmm"), extension(21, bytes(int(detail))))
        return b"".join(record(hello[i:i + 16384]) for i in range(0, len(hello), 16384))
    if name == "endless":  # the start of a hello that says it is that large
        return record(b"\x01" + int(detail).to_bytes(3, "big") + bytes(100))
    if name == "records":  # a good hello in pieces of that size, then nothing
        return b"".join(record(GOOD[i:i + int(detail)]) for i in range(0, len(GOOD), int(detail)))
    if name == "long":  # one record
        return record(b"\x01" + bytes(int(detail) - 1))
    if name == "server":
        at = 5 + 4 + 2 + 32
        return record(server_hello_with_preference(detail, theirs[at + 1:at + 1 + theirs[at]] if theirs else b""))
    sys.exit(f"hostile.py: what is {what}?")


def told(data):
    """What we were told, in words."""
    words = []
    while len(data) >= 6:
        size = 5 + int.from_bytes(data[3:5], "big")
        if data[0] == 21 and size == 7:
            words.append(f"alert {data[6]}")
        elif data[0] == 22 and data[5] in (1, 2):
            words.append({1: "hello", 2: "server-hello"}[data[5]])
        elif data[0] == 23:
            words.append("data")
        data = data[size:]
    return " ".join(words) or "nothing"


# ---- Sockets ----


def listen(count=1):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        listener.settimeout(PATIENCE)
        calls = [prepare(listener.accept()[0]) for _ in range(count)]
        return calls[0] if count == 1 else calls


def call(port):
    return prepare(socket.create_connection(("127.0.0.1", port)))


def prepare(sock):
    sock.settimeout(PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def fin(sock):
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def read_all(sock):
    """All that comes until the end, whichever end it is."""
    data = b""
    try:
        while more := sock.recv(65536):
            data += more
    except ConnectionResetError:
        pass
    return data


def send(sock, data):
    """False: the peer does not want to hear it any more."""
    try:
        sock.sendall(data)
        return True
    except (BrokenPipeError, ConnectionResetError):
        return False


def send_slowly(sock, data):
    """A byte now and then, as long as the peer has not gone."""
    heard = b""
    for byte in data:
        if not send(sock, bytes([byte])):
            break
        if select.select([sock], [], [], 0.02)[0]:
            try:
                more = sock.recv(65536)
            except ConnectionResetError:
                break
            if not more:
                break
            heard += more
    return heard


# ---- say ----


def say(options):
    sock = listen() if options.task == "listen" else call(options.port)
    theirs = sock.recv(65536) if options.what.startswith("server:") and options.task == "listen" else b""
    data = what_to_say(options.what, theirs)
    heard = theirs
    if options.slowly:
        heard += send_slowly(sock, data)
    else:
        send(sock, data)
    if options.end == "rst":
        sys.stdin.readline()
        reset(sock)
        return
    if options.end == "fin":
        fin(sock)
    print(told(heard + read_all(sock)), flush=True)


# ---- relay ----


class Direction:
    """From one side to the other."""

    def __init__(self, name, source, target, options):
        self.name, self.source, self.target, self.options = name, source, target, options
        self.count = 0  # bytes forwarded
        self.held = b""  # the start of a record
        self.seen = 0  # how often the bytes to edit came
        self.open = True

    def mine(self, option):
        return option is not None and option[0] == self.name

    def is_cut(self):
        return self.mine(self.options.cut) and self.count >= int(self.options.cut[1])

    def forward(self):
        """What there is to read."""
        options = self.options
        try:
            data = self.source.recv(65536)
        except ConnectionResetError:
            reset(self.target)
            raise
        if not data:
            self.open = False
            fin(self.target)
            return
        if self.mine(options.edit):
            data = self.edit(data)
        if self.mine(options.flip):
            at = int(options.flip[1]) - self.count
            if 0 <= at < len(data):
                data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        if self.mine(options.cut):
            data = data[:int(options.cut[1]) - self.count]
        self.count += len(data)
        for i in range(0, len(data), 1 if options.bytes else len(data)):
            if not send(self.target, data[i:i + 1] if options.bytes else data):
                break

    def edit(self, data):
        """Whole records only, so that what is looked for is in one piece; its Nth occurrence is replaced."""
        _, nth, old, new = self.options.edit
        self.held += data
        ready = b""
        while len(self.held) >= 5 and len(self.held) >= 5 + int.from_bytes(self.held[3:5], "big"):
            size = 5 + int.from_bytes(self.held[3:5], "big")
            one, self.held = self.held[:size], self.held[size:]
            if old.encode() in one:
                self.seen += 1
                if self.seen == int(nth):
                    one = one.replace(old.encode(), new.encode())
            ready += one
        return ready


def relay(options):
    caller, listener = (listen(), call(options.port)) if options.port else listen(2)
    if options.cut:
        sys.stdin.readline()  # the listener has seen it: one that is reset before is nobody's
    both = (Direction("caller", caller, listener, options), Direction("listener", listener, caller, options))
    try:
        while any(one.open for one in both) and not any(one.is_cut() for one in both):
            ready = select.select([one.source for one in both if one.open], [], [], PATIENCE)[0]
            for one in both:
                if one.source in ready and not any(other.is_cut() for other in both):
                    one.forward()
    except ConnectionResetError:
        pass
    for sock in caller, listener:
        if options.cut and options.cut[2] == "rst":
            reset(sock)
        elif not options.cut or options.cut[2] == "fin":
            fin(sock)
    for sock in caller, listener:  # close() with unread bytes would be a reset
        if sock.fileno() >= 0:
            read_all(sock)
            sock.close()
    print(*(one.count for one in both), flush=True)


def reflect(port):
    """Send everything back."""
    sock = call(port) if port else listen()
    while more := sock.recv(65536):
        if not send(sock, more):
            break
    fin(sock)
    read_all(sock)


# ---- tls ----


def tls(options, rest):
    import peer

    rest = peer.read_options([options.task] + ([str(options.port)] if options.port else []) + rest)
    sock = peer.reach(rest)
    sock.settimeout(PATIENCE)
    end, theirs = peer.settle(sock, rest)
    end.do(sock, end.object.do_handshake)
    if rest.say:
        end.do(sock, end.object.write, rest.say.encode() + b"\n")
    result = "done"
    if options.what == "garbage":
        send(sock, noise(1, 1000))
    elif options.what == "plaintext":
        send(sock, b"\x17\x03\x03\x00\x05hello")
    elif options.what == "fin":
        fin(sock)
    elif options.what == "rst":
        sys.stdin.readline()
        reset(sock)
    elif options.what == "key-updates":
        result = flood(lambda: end.key_update(sock, True))
    elif options.what == "hello-requests":
        result = flood(lambda: end.hello_request(sock))
    elif options.what == "hello-request":
        end.hello_request(sock)
        end.do(sock, end.object.write, b"it goes on\n")
        end.close_only(sock)
    elif options.what == "close":
        end.close_only(sock)
    elif options.what != "hang":
        sys.exit(f"hostile.py: what is {options.what}?")
    if sock.fileno() >= 0:
        read_all(sock)
        sock.close()
    print(result, flush=True)


def flood(ask):
    """Ask without end, and never read an answer."""
    try:
        for _ in range(1000000):
            ask()
    except (BrokenPipeError, ConnectionResetError):
        return "thrown out"
    return "still served"


# ---- The command line ----


def do(arguments):
    parser = argparse.ArgumentParser(usage=__doc__)
    tasks = parser.add_subparsers(dest="tool", required=True)
    for name in "say", "tls":
        tool = tasks.add_parser(name)
        tool.add_argument("what")
        tool.add_argument("task", choices=["call", "listen"])
        tool.add_argument("port", nargs="?", type=int)
        if name == "say":
            tool.add_argument("--end", choices=["fin", "rst", "hold"], default="fin", help="rst: once told to")
            tool.add_argument("--slowly", action="store_true", help="50 bytes in a second")
    tool = tasks.add_parser("relay")
    tool.add_argument("port", type=int)
    tool.add_argument("--bytes", action="store_true", help="one by one")
    tool.add_argument("--cut", nargs=3, metavar=("SIDE", "COUNT", "HOW"), help="once told to begin: after so many bytes of a side end both ways (fin, rst), or forward nothing any more (hold)")
    tool.add_argument("--flip", nargs=2, metavar=("SIDE", "OFFSET"), help="change a bit there")
    tool.add_argument("--edit", nargs=4, metavar=("SIDE", "NTH", "OLD", "NEW"), help="in the Nth record that has it")
    tasks.add_parser("reflect").add_argument("port", nargs="?", type=int)
    options, rest = parser.parse_known_args(arguments)
    if options.tool == "say":
        say(options)
    elif options.tool == "relay":
        relay(options)
    elif options.tool == "reflect":
        reflect(options.port)
    else:
        tls(options, rest)


def main():
    if len(sys.argv) > 1:
        do(sys.argv[1:])
        return
    while line := sys.stdin.readline():
        try:
            do(line.split())
        except OSError as error:
            print(f"hostile.py: {error}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"hostile.py: {error}")
