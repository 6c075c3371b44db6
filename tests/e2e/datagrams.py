#!/usr/bin/env python3
"""Peers and middlemen over datagrams that do what they should not. For the tests: reads lines from stdin, and does them side by side.

    NAME say WHAT call PORT | listen             a peer that says something that is not, or not quite, DTLS
    NAME relay HOW [PORT]                        stand between two ends: PORT is the listener's, without it both ends begin
    NAME inject WHAT                             the relay says it to both ends, each time from where the other one is
    NAME bombard PORT                            all that gets no answer, and hellos that do, to a listener
    NAME cookies PORT                            hellos with cookies of other people, wrong ones, and the right one
    NAME flood PORT [COUNT]                      hellos from as many addresses; without COUNT until there is another line
    NAME end                                     say and relay print what they were told

Every line that it prints begins with NAME. Who listens says "port" first.
No answer is waited for by time: a listener works in order, so that a hello that has its answer says that all before it had theirs.
"""
import random
import select
import socket
import sys

import hellos
from hellos import ALERT, CHANGE_CIPHER_SPEC, CLIENT_HELLO, DATA, HANDSHAKE, SERVER_HELLO, VERIFY, extension, preference, vector

PATIENCE = 60
LARGEST = 65507  # what UDP over IPv4 can carry

# ---- Bytes ----


def record(body, kind=HANDSHAKE, epoch=0, sequence=0, version=b"\xfe\xfd"):
    return bytes([kind]) + version + epoch.to_bytes(2, "big") + sequence.to_bytes(6, "big") + vector(2, body)


def fragment(kind, body, start=0, end=None, number=0):
    part = body[start:end]
    return bytes([kind]) + len(body).to_bytes(3, "big") + number.to_bytes(2, "big") + start.to_bytes(3, "big") + vector(3, part)


# What a server of any taste can go on with: ECDSA on P-256.
USUAL = (extension(10, b"\0\2\0\x17"), extension(11, b"\1\0"), extension(13, b"\0\4\4\3\5\3"), extension(23, b""),
         extension(0xff01, b"\0"))


def hello_body(*extensions, cookie=b""):
    return (b"\xfe\xfd" + bytes(range(32)) + vector(1, bytes(32)) + vector(1, cookie) + vector(2, b"\xc0\x2b\xc0\x23") +
            vector(1, b"\0") + (vector(2, b"".join(extensions)) if extensions else b""))


def hello(*extensions, cookie=b"", number=0, **options):
    return record(fragment(CLIENT_HELLO, hello_body(*extensions, cookie=cookie), number=number), **options)


def verify(cookie, number=0):
    return record(fragment(VERIFY, b"\xfe\xff" + vector(1, cookie), number=number), sequence=number)


def server_hello(*extensions, number=0, **options):
    body = b"\xfe\xfd" + bytes(range(32, 64)) + b"\0" + b"\xc0\x2b" + b"\0" + vector(2, b"".join(extensions))
    return record(fragment(SERVER_HELLO, body, number=number), **options)


def alert(number, level=2, **options):
    return record(bytes([level, number]), ALERT, **options)


def noise(seed, length):
    return random.Random(seed).randbytes(length)


GOOD = hello(*USUAL, preference(b"mmm"))
PLAIN = hello(*USUAL)
# The length fields of GOOD: (name, offset, width). Of the OUTSIDE ones no hello comes out, the others are inside of it.
AT = 13 + 12 + 2 + 32 + 1 + 32
LENGTHS = (("record", 11, 2), ("message", 14, 3), ("offset", 19, 3), ("fragment", 22, 3), ("session_id", AT - 33, 1), ("cookie", AT, 1),
           ("cipher_suites", AT + 1, 2), ("compression", AT + 7, 1), ("extensions", AT + 9, 2), ("extension", AT + 13, 2),
           ("preference", len(GOOD) - 5, 2))
# Records that nobody sends in the clear, or that are none.
ODD = {"data": record(b"hello", DATA), "no-data": record(b"", DATA), "ccs": record(b"\1", CHANGE_CIPHER_SPEC), "warning": alert(90, level=1),
       "short-alert": record(b"\2", ALERT), "empty-alert": record(b"", ALERT), "type-255": record(b"x", 255), "type-0": record(b"x", 0),
       "heartbeat": record(b"x", 24)}
OUTSIDE = ("record", "message", "offset", "fragment")


def lie(field, difference):
    return hellos.lie(GOOD, LENGTHS, field, difference)


def lies(fields):
    told = [lie(name, difference) for name, _, _ in LENGTHS if name in fields for difference in ("+", "-", "0", "1", "max")]
    return [one for one in told if one != GOOD]


def garbage():
    return [noise(size, size) for size in (0, 1, 2, 12, 13, 14, 24, 25, 26, 100, 548, 1232, 1500, 16384, LARGEST)] + [
        bytes(13), bytes(25), bytes(LARGEST), b"\xff" * 13, b"\xff" * 1200, b"\x16\xfe\xfd" + bytes(10)]


def other_protocols():
    over_tcp = b"\x01" + vector(3, b"\3\3" + bytes(32) + b"\0" + vector(2, b"\x13\x01") + b"\1\0")
    return [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-2.0-OpenSSH_9.2p1\r\n", b"\x16\3\1" + vector(2, over_tcp),
            b"\x80\x2e\1\3\1\0\x15\0\0\0\x10", b"\x15\3\3\0\2\2\x28", bytes.fromhex("123401000001000000000000076578616d706c65036f72670000010001")]


def pieces(body, *ranges, kind=CLIENT_HELLO, number=0):
    return [record(fragment(kind, body, start, end, number), sequence=i) for i, (start, end) in enumerate(ranges)]


def in_parts():
    """Of a hello, never all: the middle does not come, and what does come lies, overlaps, or contradicts."""
    body, size = GOOD[25:27] + noise(9, 32) + GOOD[59:], len(GOOD) - 25  # no other is like this one
    good = pieces(body, (0, 30), (20, 50), (0, 30), (80, size), (70, size), (size, size), (0, 0))
    other = pieces(bytes(size), (0, 30), (10, 50), (80, size))
    longer = pieces(body + bytes(1), (0, 30), (80, size))
    beyond = [record(bytes([CLIENT_HELLO]) + size.to_bytes(3, "big") + bytes(2) + start.to_bytes(3, "big") + vector(3, bytes(length)))
              for start, length in ((size, 1), (size - 1, 2), (0, size + 1), (0xffffff, 1), (1, size))]
    huge = [record(bytes([CLIENT_HELLO]) + total.to_bytes(3, "big") + bytes(2) + start.to_bytes(3, "big") + vector(3, bytes(9)))
            for total in (16000, 16001, 65535, 0xffffff) for start in (0, total // 2, total - 9)]
    return good + other + longer + good[::-1] + beyond + huge


def unreadable():
    """No hello comes out of any of these, nor of all of them."""
    return (garbage() + other_protocols() + [GOOD[:length] for length in range(len(GOOD))] + lies(OUTSIDE) + in_parts() +
            [hello(*USUAL, preference(b"mmm"), epoch=epoch) for epoch in (1, 2, 65535)] +
            [server_hello(epoch=1), alert(40, epoch=1), alert(40, epoch=65535), b"\x16\3\3" + GOOD[3:], record(b"")] + list(ODD.values()))


def forged(sealed):
    """What anybody can make who sees the datagrams: for an end whose handshake is over. `sealed`: of epoch 1."""
    if not sealed:
        return ([GOOD, PLAIN, hello(*USUAL, preference(b"mmm"), number=1), hello(*USUAL, cookie=bytes(16)), server_hello(*USUAL),
                 server_hello(number=7), verify(bytes(16)), verify(bytes(255), 3)] +
                [alert(number, level, sequence=99) for number in (0, 10, 20, 40, 48, 90, 100) for level in (1, 2)] +
                [record(fragment(kind, noise(kind, 40), number=number), sequence=50 + kind)
                 for kind in (0, 4, 11, 12, 13, 14, 15, 16, 20, 24, 255) for number in (0, 4, 60000)] +
                [record(b"\1", CHANGE_CIPHER_SPEC, sequence=77), record(b"in the clear\n", DATA), record(noise(1, 60), 24)] + unreadable())
    return [record(noise(kind + epoch, size), kind, epoch, sequence)
            for epoch in (1, 2, 3, 65535) for kind in (20, 21, 22, 23, 24, 25, 255) for size in (0, 1, 2, 26, 60, 1000)
            for sequence in (0, 5, 2 ** 20, 2 ** 47, 2 ** 48 - 1)]


# ---- Reading ----


def records(datagram):
    """(kind, epoch, body, whole) of each."""
    while len(datagram) >= 13:
        end = 13 + int.from_bytes(datagram[11:13], "big")
        yield datagram[0], int.from_bytes(datagram[3:5], "big"), datagram[13:end], datagram[:end]
        datagram = datagram[end:]


def words(datagram):
    """What it says, in words."""
    said = []
    for kind, epoch, body, _ in records(datagram):
        if epoch:
            said.append("sealed")
        elif kind == ALERT and len(body) == 2:
            said.append(f"alert {body[1]}")
        elif kind == HANDSHAKE and body:
            said.append({CLIENT_HELLO: "hello", SERVER_HELLO: "server-hello", VERIFY: "verify"}.get(body[0], "handshake"))
        else:
            said.append(f"record {kind}")
    return said


def cookie_of(datagram):
    return datagram[28:28 + datagram[27]] if words(datagram) == ["verify"] else None


# ---- Sockets ----


def bound(address="127.0.0.1", port=0):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind((address, port))
    sock.settimeout(PATIENCE)
    return sock


def send(sock, data, where):
    try:
        sock.sendto(data, where)
    except ConnectionRefusedError:
        sock.sendto(data, where)  # that was of an earlier one


def unread(where):
    """Bytes that the kernel keeps for this address."""
    wanted = "%08X:%04X" % (int.from_bytes(socket.inet_aton(where[0]), sys.byteorder), where[1])
    with open("/proc/net/udp") as file:
        return sum(int(line.split()[4].split(":")[1], 16) for line in file if line.split()[1] == wanted)


def send_all(sock, datagrams, where):
    """Without one being lost for want of room."""
    for i, one in enumerate(datagrams):
        send(sock, one, where)
        while (i % 16 == 0 or len(one) > 9999 or i == len(datagrams) - 1) and unread(where):
            select.select([], [], [], 0.001)  # there is no event for it


def waiting(sock):
    """All that has come."""
    sock.setblocking(False)
    try:
        while True:
            try:
                yield sock.recvfrom(65536)
            except ConnectionRefusedError:
                pass
    except BlockingIOError:
        pass
    finally:
        sock.settimeout(PATIENCE)


# ---- A listener, and strangers ----


class Door:
    """A listener, to be asked."""

    def __init__(self, port):
        self.where, self.probe, self.larger = ("127.0.0.1", port), bound(), 0

    def ask(self, sock, *questions):
        """The words of the answers; one that is larger than the question is counted."""
        said = []
        for question in questions:
            send(sock, question, self.where)
            send(self.probe, PLAIN, self.where)
            self.probe.recv(65536)
            answers = [answer for answer, _ in waiting(sock)]
            self.larger += sum(map(len, answers)) > len(question)
            said += [word for answer in answers for word in words(answer)]
        return said


def bombard(name, port):
    door, sock = Door(port), bound()
    tables = {"garbage": garbage(), "other protocols": other_protocols(), "a hello that is cut": [GOOD[:n] for n in range(len(GOOD))],
              "lengths that lie": lies([field for field, _, _ in LENGTHS]), "a hello in parts": in_parts(),
              "the whole hello in two parts": pieces(GOOD[25:], (0, 60), (60, None)),
              "other epochs": [hello(*USUAL, epoch=epoch) for epoch in (1, 2, 255, 65535)],
              "not a hello": list(ODD.values()) + [server_hello(), verify(bytes(16)), alert(40), alert(0), alert(48)],
              "behind something": [record(b"\1", CHANGE_CIPHER_SPEC) + GOOD, alert(0) + GOOD, b"\0" + GOOD]}
    for what, questions in tables.items():
        print(name, f"{what}:", *sorted(set(door.ask(sock, *questions))) or ["nothing"], flush=True)
    tables = {"symmetric": [GOOD], "plain": [PLAIN], "bare": [hello()], "sixteen times": [GOOD] * 16, "late": [hello(*USUAL, sequence=2 ** 48 - 1)],
              "with something behind it": [GOOD + noise(1, 500), GOOD + GOOD], "large": [hello(*USUAL, extension(21, bytes(16000)))], "its first part": pieces(GOOD[25:], (0, 80)),
              "of another version": [hello(version=b"\xfe\xff"), hello(version=b"\xfe\0")], "a later message": [hello(*USUAL, number=9)]}
    for what, questions in tables.items():
        print(name, f"{what}:", *door.ask(sock, *questions), flush=True)
    print(name, "larger than the question:", door.larger, flush=True)


def cookies(name, port):
    """The listener's cookie is for one address and port. In the end it gets that, and then an alert."""
    door, mine = Door(port), bound()
    send(mine, GOOD, door.where)
    cookie = cookie_of(mine.recv(65536))
    changed = bytes([cookie[0] ^ 1]) + cookie[1:]

    def come_back(what, sock, *tries):
        print(name, f"{what}:", *door.ask(sock, *(hello(*USUAL, preference(b"mmm"), cookie=one, number=1) for one in tries)), flush=True)

    come_back("from another port", bound(), cookie)
    try:
        come_back("from another address", bound("127.0.0.2", mine.getsockname()[1]), cookie)
    except OSError:  # somebody has that port there
        come_back("from another address", bound("127.0.0.2"), cookie)
    come_back("guessed", mine, bytes(16), noise(1, 16), noise(2, 32), noise(3, 255), b"\0")
    come_back("not quite", mine, changed, cookie[:-1], cookie + b"\0", cookie * 2, cookie[:1])
    print(name, "larger than the question:", door.larger, flush=True)
    send(mine, hello(*USUAL, preference(b"mmm"), cookie=cookie, number=1, sequence=1), door.where)
    answer = words(mine.recv(65536))
    print(name, "the right one:", *answer[:2], flush=True)
    send(mine, alert(40, sequence=2), door.where)


def flood(name, port, count):
    """Each from another address and port. A hundred at a time, then the last one's answer: the listener gets all of them."""
    chance, done, larger, answered = random.Random(1), 0, 0, 0
    while count is None or done < count:
        if count is None and select.select([sys.stdin], [], [], 0)[0]:
            break
        socks = [bound(f"127.{chance.randrange(1, 255)}.{chance.randrange(256)}.{chance.randrange(1, 255)}") for _ in range(100)]
        for sock in socks:
            send(sock, GOOD if chance.random() < 0.5 else PLAIN, ("127.0.0.1", port))
        if count is not None:
            socks[-1].recv(65536, socket.MSG_PEEK)
        else:
            select.select([socks[-1], sys.stdin], [], [], 0.5)  # it serves somebody, in the end
        for sock in socks:
            for answer, _ in waiting(sock):
                answered += 1
                larger += len(answer) > len(PLAIN)
            sock.close()
        if done == 0:
            print(name, "begun", flush=True)
        done += 100
    print(name, f"{answered} of {done} answered, {larger} too large", flush=True)


# ---- say ----


def to_say(what, heard):
    """Datagrams, in answer to the hello or whatever else was heard."""
    name, _, detail = what.partition(":")
    if name == "nothing":
        return []
    if name == "text":
        return [detail.encode().decode("unicode_escape").encode("latin-1")]
    if name == "hex":
        return [bytes.fromhex(detail)]
    if name == "noise":
        return [noise(int(detail), int(detail))]
    if name == "garbage":
        return garbage() + other_protocols()
    if name == "cut":
        return [GOOD[:length] for length in range(len(GOOD))]
    if name == "lie":
        return [lie(*detail.split(":"))]
    if name == "parts":
        return in_parts()
    if name == "epoch":
        return [make(epoch=int(detail)) for make in (lambda **o: hello(*USUAL, preference(b"mmm"), **o), server_hello, lambda **o: alert(40, **o))]
    if name == "alert":
        return [alert(*map(int, detail.split(":")))]
    if name == "preference":  # values, in hex
        return [hello(*USUAL, *(preference(bytes.fromhex(value)) for value in detail.split(",")))]
    if name == "hello":
        return [{"symmetric": GOOD, "plain": PLAIN, "bare": hello()}[detail]]
    if name == "server":
        return [server_hello(*USUAL[3:], preference(b"mmm"))]
    if name == "verify":
        return [verify(bytes.fromhex(detail))]
    if name == "verify-lie":  # the cookie is not as long as it says
        return [record(fragment(VERIFY, b"\xfe\xff\x20" + bytes(3))), record(fragment(VERIFY, b"\xfe\xff")), record(fragment(VERIFY, b""))]
    if name == "verify-for-ever":
        return [verify(noise(len(heard), 20))]
    if name == "reflect":
        return [heard[-1]]
    sys.exit(f"datagrams.py: what is {what}?")


class Talker:
    """Says WHAT: as a caller when the listener has asked for the cookie, and as a listener whenever it hears a hello."""

    def __init__(self, name, what, task, where):
        self.name, self.what, self.task, self.heard = name, what, task, []
        self.sock = bound()
        self.sockets = [self.sock]
        if task == "call":
            self.target = ("127.0.0.1", int(where))
            send(self.sock, PLAIN, self.target)
        else:
            print(name, "port", self.sock.getsockname()[1], flush=True)

    def hear(self, sock, data, source):
        self.heard.append(data)
        if self.task == "call" and cookie_of(data) is not None:
            self.come_back(cookie_of(data))
        elif self.task != "call" and ("hello" in words(data) or self.what in ("reflect", "verify-for-ever")):
            for one in to_say(self.what, self.heard):
                send(sock, one, source)

    def come_back(self, cookie):
        """The hello that we want to say, with the cookie; anything else goes behind one."""
        datagrams = to_say(self.what, self.heard)
        if self.what.split(":")[0] in ("hello", "preference"):
            body = datagrams[0][25:]
            at = AT - 25
            body = body[:at] + vector(1, cookie) + body[at + 1:]
            datagrams = [record(fragment(CLIENT_HELLO, body, number=1), sequence=1)]
        else:
            datagrams.insert(0, hello(*USUAL, preference(b"mmm"), cookie=cookie, number=1, sequence=1))
        for one in datagrams:
            send(self.sock, one, self.target)

    def end(self):
        self.heard += [data for data, _ in waiting(self.sock)]
        told = []
        for data in self.heard:
            told += [word for word in words(data) if word not in told]
        print(self.name, "told", *told or ["nothing"], f"({len(self.heard)})" if len(self.heard) > 200 else "", flush=True)


# ---- relay ----


class Relay:
    """front: whom the one end speaks to; back: whom the other does.

    HOW: plain; bombs: ahead of the first datagram to an end, all that is unreadable; odd, heartbeat: ahead of each, what nobody sends;
    epochs: ahead of each, records of other epochs; strangers: the same and more, from other addresses and ports; elsewhere: from other
    addresses; fragments: hellos in pieces that contradict, double and overlap."""

    def __init__(self, name, how, port):
        self.name, self.how, self.listener = name, how, port is not None
        self.front, self.back = self.sockets = [bound(), bound()]
        self.ends = {self.front: None, self.back: ("127.0.0.1", port) if port else None}
        self.passed = {self.front: [], self.back: []}  # to the end that is there
        self.strangers = [bound("127.0.0.9")] + ([bound()] if how == "strangers" else [])
        print(name, "port", *(sock.getsockname()[1] for sock in self.sockets), flush=True)

    def other(self, sock):
        return self.back if sock is self.front else self.front

    def hear(self, sock, data, source):
        self.ends[sock] = source
        there = self.other(sock)
        end = self.ends[there]
        if end is None:
            return
        for one in self.ahead(there):
            send(there, one, end)
        if self.how in ("strangers", "elsewhere"):
            for stranger in self.strangers:
                for one in [data, alert(40), alert(0), server_hello(), verify(bytes(16)), noise(1, 100), b"", GOOD, PLAIN]:
                    send(stranger, one, end)
                list(waiting(stranger))
        self.passed[there].append(data)
        whole = self.how != "fragments" or (there is self.back and self.listener)  # that one wants a hello to be whole
        for one in [data] if whole else self.in_pieces(data):
            send(there, one, end)

    def ahead(self, there):
        if self.how == "bombs" and not self.passed[there]:
            return [one for one in unreadable() if one not in ODD.values()]
        if self.how in ("odd", "heartbeat"):
            return [one for name, one in ODD.items() if (name == "heartbeat") == (self.how == "heartbeat")]
        if self.how == "epochs":
            return [record(noise(epoch + kind, 50), kind, epoch, sequence) for epoch in (1, 2, 65535) for kind in (20, 21, 22, 23, 24)
                    for sequence in (0, 3, 2 ** 40)]
        return []

    @staticmethod
    def in_pieces(data):
        """A hello: first what contradicts it, then all of it, backwards, doubled, overlapping, with nothing in between."""
        if words(data)[:1] != ["hello"]:
            return [data]
        first = next(records(data))[3]
        rest, body, number = data[len(first):], first[25:], int.from_bytes(first[17:19], "big")
        size = len(body)
        wrong = pieces(bytes(size), (0, 40), (30, 60), number=number) + pieces(body + bytes(9), (0, 50), number=number)
        right = pieces(body, *((start, min(start + 50, size)) for start in range(0, size, 30)), (size, size), (7, 7), number=number)
        together = right[0] + right[1]
        return wrong + right[::-1][:2] + right[::-1] + [together] + ([rest] if rest else [])

    def inject(self, what):
        count = 0
        for sock, end in self.ends.items():
            mine = [one for datagram in self.passed[sock] for *_, one in records(datagram)]
            sealed = [one for one in mine if one[3:5] != b"\0\0"]
            bad = {"clear": lambda: forged(False), "sealed": lambda: forged(True), "replay": lambda: mine + self.passed[sock],
                   "reflection": lambda: self.passed[self.other(sock)],
                   "changed": lambda: [change(one) for one in sealed for change in (
                       lambda r: r[:-1] + bytes([r[-1] ^ 1]), lambda r: r[:10] + bytes([r[10] ^ 0x40]) + r[11:],
                       lambda r: r[:3] + b"\0\2" + r[5:], lambda r: r[:-1], lambda r: bytes([r[0] ^ 2]) + r[1:], lambda r: r + r)]}[what]()
            send_all(sock, bad, end)
            count += len(bad)
        print(self.name, "injected", count, flush=True)

    def end(self):
        print(self.name, "passed", *(len(self.passed[sock]) for sock in self.sockets), flush=True)


# ---- The command line ----


def do(line, peers):
    name, task, *rest = line.split()
    if task == "say":
        peers[name] = Talker(name, rest[0], rest[1], rest[2] if len(rest) > 2 else None)
    elif task == "relay":
        peers[name] = Relay(name, rest[0], int(rest[1]) if len(rest) > 1 else None)
    elif task == "inject":
        peers[name].inject(rest[0])
    elif task == "end":
        peers.pop(name).end()
    elif task == "bombard":
        bombard(name, int(rest[0]))
    elif task == "cookies":
        cookies(name, int(rest[0]))
    elif task == "flood":
        flood(name, int(rest[0]), int(rest[1]) if len(rest) > 1 else None)
    else:
        sys.exit(f"datagrams.py: what is {task}?")


def main():
    peers = {}
    while True:
        owners = {sock: peer for peer in peers.values() for sock in peer.sockets}
        ready = select.select([*owners, sys.stdin.buffer], [], [])[0]
        for sock in ready:
            if sock in owners:
                try:
                    owners[sock].hear(sock, *sock.recvfrom(65536))
                except ConnectionRefusedError:
                    pass  # whoever it was has gone
        if sys.stdin.buffer in ready:
            line = sys.stdin.buffer.raw.readline().decode()  # nothing is left in a buffer that select() does not see
            if not line:
                break
            do(line, peers)


if __name__ == "__main__":
    main()
