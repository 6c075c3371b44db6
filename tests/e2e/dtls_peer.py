#!/usr/bin/env python3
"""An independent symmetric peer over datagrams: the rules of symtls-protocol(7), DATAGRAMS, once more, on OpenSSL, with none of symtls's code.

It reads lines from stdin, and meets the peers side by side, on 127.0.0.1. Every line that it prints begins with NAME.

    NAME call PORT | listen | meet   [OPTION...]      who listens or meets prints its port first; who is met has the same one on 127.0.0.2

It prints "hears" and each datagram, then what came out as a line of JSON; it ends when the other end does, and says "end: " and how.
Python's ssl knows no DTLS, but the library under it does; it is called by hand, and has its datagrams in memory.
"""
import argparse
import ctypes
import json
import select
import socket
import sys
import threading
import time

try:
    from extension import INT, POINTER, add_extension, openssl
    openssl.DTLS_method, openssl.DTLS_set_timer_cb
except (ImportError, AttributeError) as missing:
    print(f"none: {missing}", flush=True)
    sys.exit(1)

from hellos import ALERT, CHANGE_CIPHER_SPEC, CLIENT_HELLO, HANDSHAKE, SERVER_HELLO, VERIFY, read_preference

PATIENCE = 60
HELLO_MAX = 16384

# ---- OpenSSL ----

LONG = ctypes.c_long
for name, result, *arguments in (
        ("DTLS_method", POINTER), ("SSL_CTX_new", POINTER, POINTER), ("SSL_CTX_free", None, POINTER),
        ("SSL_new", POINTER, POINTER), ("SSL_free", None, POINTER), ("SSL_set_bio", None, POINTER, POINTER, POINTER),
        ("SSL_set_connect_state", None, POINTER), ("SSL_set_accept_state", None, POINTER), ("SSL_do_handshake", INT, POINTER),
        ("SSL_read", INT, POINTER, POINTER, INT), ("SSL_write", INT, POINTER, POINTER, INT), ("SSL_shutdown", INT, POINTER),
        ("SSL_get_error", INT, POINTER, INT), ("SSL_ctrl", LONG, POINTER, INT, LONG, POINTER),
        ("SSL_CTX_set_options", ctypes.c_uint64, POINTER, ctypes.c_uint64), ("SSL_get_version", ctypes.c_char_p, POINTER),
        ("SSL_CTX_use_certificate_chain_file", INT, POINTER, ctypes.c_char_p),
        ("SSL_CTX_use_PrivateKey_file", INT, POINTER, ctypes.c_char_p, INT),
        ("SSL_CTX_load_verify_locations", INT, POINTER, ctypes.c_char_p, ctypes.c_char_p),
        ("SSL_CTX_set_verify", None, POINTER, INT, POINTER),
        ("SSL_CTX_set_cookie_generate_cb", None, POINTER, POINTER), ("SSL_CTX_set_cookie_verify_cb", None, POINTER, POINTER),
        ("DTLS_set_timer_cb", None, POINTER, POINTER), ("BIO_s_mem", POINTER), ("BIO_new", POINTER, POINTER),
        ("BIO_read", INT, POINTER, POINTER, INT), ("BIO_write", INT, POINTER, ctypes.c_char_p, INT),
        ("ERR_get_error", ctypes.c_ulong), ("ERR_reason_error_string", ctypes.c_char_p, ctypes.c_ulong), ("ERR_clear_error", None)):
    function = getattr(openssl, name)
    function.restype, function.argtypes = result, arguments
WANT_READ, ZERO_RETURN = 2, 6
NO_QUERY_MTU, COOKIE_EXCHANGE = 1 << 12, 1 << 13
SET_MTU, GET_TIMEOUT, HANDLE_TIMEOUT = 17, 73, 74
IN_HELLO = 0x2 | 0x80  # SSL_EXT_DTLS_ONLY, SSL_EXT_CLIENT_HELLO

GenerateCookie = ctypes.CFUNCTYPE(INT, POINTER, ctypes.POINTER(ctypes.c_ubyte), ctypes.POINTER(ctypes.c_uint))
VerifyCookie = ctypes.CFUNCTYPE(INT, POINTER, ctypes.POINTER(ctypes.c_ubyte), ctypes.c_uint)
Timer = ctypes.CFUNCTYPE(ctypes.c_uint, POINTER, ctypes.c_uint)
COOKIE = b"come back with this"


@Timer
def timer(_ssl, before):
    """100 ms, then twice that."""
    return min(2 * before, 1000000) if before else 100000


@GenerateCookie
def generate_cookie(_ssl, cookie, length):
    ctypes.memmove(cookie, COOKIE, len(COOKIE))
    length[0] = len(COOKIE)
    return 1


@VerifyCookie
def verify_cookie(_ssl, cookie, length):
    return bytes(cookie[:length]) == COOKIE


class Timeval(ctypes.Structure):
    _fields_ = [("seconds", LONG), ("micros", LONG)]


class Tls:
    """One end of DTLS, in memory; datagrams go in with do(), and come out of said()."""

    def __init__(self, options, server):
        self.server, self.kept = server, None
        self.context = openssl.SSL_CTX_new(openssl.DTLS_method())
        self.must(openssl.SSL_CTX_use_certificate_chain_file(self.context, options.cert.encode()))
        self.must(openssl.SSL_CTX_use_PrivateKey_file(self.context, options.cert.encode(), 1))
        self.must(openssl.SSL_CTX_load_verify_locations(self.context, options.verify.encode(), None))
        openssl.SSL_CTX_set_verify(self.context, 3, None)  # and fail without
        openssl.SSL_CTX_set_options(self.context, NO_QUERY_MTU | (COOKIE_EXCHANGE if server and options.cookies else 0))
        openssl.SSL_CTX_set_cookie_generate_cb(self.context, generate_cookie)
        openssl.SSL_CTX_set_cookie_verify_cb(self.context, verify_cookie)
        if not server:
            self.kept = add_extension(self.context, options.preference, IN_HELLO)
        self.ssl = openssl.SSL_new(self.context)
        self.inbox, self.outbox = openssl.BIO_new(openssl.BIO_s_mem()), openssl.BIO_new(openssl.BIO_s_mem())
        openssl.SSL_set_bio(self.ssl, self.inbox, self.outbox)
        openssl.SSL_ctrl(self.ssl, SET_MTU, options.mtu, None)
        openssl.DTLS_set_timer_cb(self.ssl, timer)
        (openssl.SSL_set_accept_state if server else openssl.SSL_set_connect_state)(self.ssl)

    @staticmethod
    def must(result):
        if result != 1:
            raise ValueError("OpenSSL: " + Tls.reason())

    @staticmethod
    def reason():
        words = []
        while code := openssl.ERR_get_error():
            words.append((openssl.ERR_reason_error_string(code) or b"?").decode())
        return ", ".join(words) or "?"

    def free(self):
        openssl.SSL_free(self.ssl)
        openssl.SSL_CTX_free(self.context)

    def feed(self, datagram):
        openssl.BIO_write(self.inbox, datagram, len(datagram))

    def said(self):
        """The records that are to be sent."""
        room = ctypes.create_string_buffer(1 << 17)
        length = openssl.BIO_read(self.outbox, room, len(room))
        return [one.whole for one in records(room.raw[:max(length, 0)])]

    def done(self, result):
        """True: it went well. False: it has to go on later. None: the peer has closed."""
        if result > 0:
            return True
        error = openssl.SSL_get_error(self.ssl, result)
        if error == WANT_READ:
            return False
        if error == ZERO_RETURN:
            return None
        raise ValueError(self.reason())

    def handshake(self):
        openssl.ERR_clear_error()
        return self.done(openssl.SSL_do_handshake(self.ssl))

    def read(self):
        """Bytes, False when there are none, None when none will come."""
        room = ctypes.create_string_buffer(16384)
        openssl.ERR_clear_error()
        length = openssl.SSL_read(self.ssl, room, len(room))
        return self.done(length) and room.raw[:length]

    def write(self, data):
        self.done(openssl.SSL_write(self.ssl, ctypes.create_string_buffer(data, len(data)), len(data)))

    def timeout(self):
        """Seconds until something is due, or None."""
        left = Timeval()
        if openssl.SSL_ctrl(self.ssl, GET_TIMEOUT, 0, ctypes.addressof(left)) != 1:
            return None
        return left.seconds + left.micros / 1e6

    def time_has_come(self):
        if openssl.SSL_ctrl(self.ssl, HANDLE_TIMEOUT, 0, None) < 0:
            raise ValueError("repeated in vain")


# ---- Bytes ----


class Record:
    def __init__(self, whole):
        self.whole, self.kind, self.epoch, self.body = whole, whole[0], int.from_bytes(whole[3:5], "big"), whole[13:]
        self.message = self.body[0] if self.kind == HANDSHAKE and self.epoch == 0 and self.body else None


def records(datagram):
    while len(datagram) >= 13:
        end = 13 + int.from_bytes(datagram[11:13], "big")
        if end > len(datagram):
            return
        yield Record(datagram[:end])
        datagram = datagram[end:]


def words(datagram):
    """What is in it; the kinds that --lose knows."""
    for one in records(datagram):
        if one.message is not None:
            yield {CLIENT_HELLO: "hello", SERVER_HELLO: "server-hello", VERIFY: "verify"}.get(one.message, "certificate")
        elif one.kind == CHANGE_CIPHER_SPEC or one.kind == HANDSHAKE:
            yield "finished"
        elif one.kind == ALERT:
            yield "close" if one.epoch else f"alert {one.body[1]}"
        else:
            yield "data"


def preference(hello):
    """Of the body of a ClientHello."""
    return read_preference(hello, 2 + 32, 1, 1, 2, 1)  # session_id, cookie, cipher_suites, compression_methods


class Assembly:
    """Rule 2."""

    def __init__(self):
        self.header, self.parts, self.sequence = None, {}, 0

    def add(self, one):
        """The body of the hello when it is complete with this record."""
        body = one.body
        while len(body) >= 12:
            header, at, length = body[0:6], int.from_bytes(body[6:9], "big"), int.from_bytes(body[9:12], "big")
            size = int.from_bytes(header[1:4], "big")
            if size > HELLO_MAX or at + length > size or 12 + length > len(body):
                return None
            if header != self.header:
                self.header, self.parts = header, {}
            self.sequence = one.whole[5:11]
            self.parts.update(enumerate(body[12:12 + length], at))
            body = body[12 + length:]
            if len(self.parts) == size:
                return bytes(self.parts[i] for i in range(size))
        return None

    def as_record(self, hello):
        body = self.header + bytes(3) + len(hello).to_bytes(3, "big") + hello
        return b"\x16\xfe\xfd\0\0" + self.sequence + len(body).to_bytes(2, "big") + body


# ---- The protocol ----


class Peer:
    def __init__(self, options):
        self.options, self.target, self.connected = options, None, False
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        port = self.sock.getsockname()[1]
        if options.task == "call":
            self.target = ("127.0.0.1", options.port)
        elif options.task == "meet":
            self.target = ("127.0.0.2", port)
        if options.task != "call":
            self.say("port", port)
        self.client, self.server, self.theirs = Tls(options, False), None, None
        self.hello, self.hello_number, self.told_hello = [], 0, False
        self.assembly, self.open, self.ended = Assembly(), False, False
        self.counts = {"verified": 0, "struck": 0, "lost": 0, "asked": 0, "bare_flights": 0}
        self.before = []  # what was in the last datagram of the peer's
        self.deadline = time.monotonic() + PATIENCE
        self.losses = dict(self.loss(text) for text in options.lose)

    @staticmethod
    def loss(text):
        where, kind, *count = text.split(":")
        return (where, kind), int(count[0]) if count else 1

    def say(self, *what):
        print(self.options.name, *what, flush=True)

    # ---- Datagrams ----

    def is_lost(self, where, datagram):
        for kind in words(datagram):
            if self.losses.get((where, kind), 0) > 0:
                self.losses[where, kind] -= 1
                self.counts["lost"] += 1
                return True
        return False

    def send(self, parts):
        """Records, together as far as they fit."""
        datagram = b""
        for part in parts + [None]:
            if datagram and (part is None or self.options.apart or len(datagram) + len(part) > self.options.mtu):
                self.counts["asked"] += "verify" in words(datagram)
                if not self.is_lost("out", datagram):
                    try:
                        self.sock.sendto(datagram, self.target)
                    except ConnectionRefusedError:
                        pass  # rule 11
                datagram = b""
            datagram += part or b""

    def receive(self, timeout):
        """A datagram of the peer's, or None."""
        if time.monotonic() > self.deadline:
            raise ValueError("time ran out")
        if not select.select([self.sock], [], [], PATIENCE if timeout is None else timeout)[0]:
            return None
        try:
            data, source = self.sock.recvfrom(65536)
        except ConnectionRefusedError:
            if self.ended:
                raise EOFError
            return None  # rule 11
        if self.target is None:
            self.target = source
        self.look(list(words(data)))
        return data if source == self.target and not self.is_lost("in", data) else None

    def look(self, said):
        """Does a server say its hello ahead of every flight (rule 5)?"""
        for i, word in enumerate(said):
            if word in ("server-hello", "finished") and self.server is None and not self.open:
                self.counts["bare_flights"] += "hello" not in (said[:i] or self.before)
                break
        self.before = said

    # ---- Our hello ----

    def begin(self):
        self.client.handshake()
        self.hello = self.client.said()
        self.hello_number = len(self.hello)

    def say_hello(self):
        """Once more, under numbers that were not used yet."""
        parts = []
        for one in self.hello:
            parts.append(one[:5] + self.hello_number.to_bytes(6, "big") + one[11:])
            self.hello_number += 1
        return parts

    def flush(self, tls):
        """What it has said; a server-elect's hello goes ahead of it (rule 5)."""
        parts = tls.said()
        if parts and tls is self.server and not self.open and not self.options.mute:
            parts = parts + self.say_hello() if self.options.late else self.say_hello() + parts
        self.send(parts)

    # ---- Who is who ----

    def settle(self):
        """Rules 1 to 4, and 6. Returns our end of DTLS."""
        said = self.options.hello == "now"
        self.begin()
        if said:
            self.send(self.hello)
        while True:
            datagram = self.receive(self.client.timeout() if said else None)
            if said and self.client.timeout() == 0:
                self.client.time_has_come()
                self.hello_again(self.client.said())
            for one in records(datagram or b""):
                if one.kind == ALERT and one.epoch == 0:
                    raise ValueError(f"alert {one.body[1]}")
                if one.message == VERIFY and said:
                    self.client.feed(one.whole)
                    self.client.handshake()
                    self.hello_again(self.client.said())
                    self.counts["verified"] += 1
                elif one.message == SERVER_HELLO and said:
                    if self.options.allow:
                        self.client.feed(datagram)
                        return self.client
                    # with --symmetric require it does not count: by rule 5 the next try brings both
                elif one.message == CLIENT_HELLO:
                    hello = self.assembly.add(one)
                    if hello:
                        return self.decide(hello, said, datagram)

    def hello_again(self, parts):
        if parts:
            self.hello = parts
            self.hello_number = int.from_bytes(parts[-1][5:11], "big") + 1
            self.send(parts)

    def decide(self, hello, said, datagram):
        self.theirs = preference(hello)
        if self.theirs is None:
            raise ValueError("the peer is not symmetric")
        if not said:
            self.send(self.hello)
        if self.options.preference == self.theirs:
            self.send(self.say_hello() + [b"\x15\xfe\xfd\0\0" + (99).to_bytes(6, "big") + b"\0\2\2\x28"])
            raise ValueError("equal values")
        if self.options.preference < self.theirs:  # bytes compare as the protocol does
            self.counts["struck"] += 1
            rest = [one.whole for one in records(datagram) if one.message != CLIENT_HELLO]
            if rest:
                self.client.feed(b"".join(rest))
            return self.client
        self.server = Tls(self.options, True)
        self.server.feed(self.assembly.as_record(hello))
        return self.server

    def take(self, tls, datagram):
        """Rules 7 and 8; once the handshake is over, what comes in the clear is nobody's."""
        for one in records(datagram):
            if self.open and one.epoch == 0:
                continue
            if tls is self.client and one.message == CLIENT_HELLO:
                self.counts["struck"] += 1
                if self.theirs is None:
                    hello = self.assembly.add(one)
                    self.theirs = hello and preference(hello)
                continue
            tls.feed(one.whole)
            yield

    # ---- The session ----

    def shake_hands(self, tls):
        done = self.step(tls)
        while not done:
            datagram = self.receive(tls.timeout())
            if tls.timeout() == 0:
                tls.time_has_come()
                self.flush(tls)
            for _ in self.take(tls, datagram or b""):
                done = self.step(tls) or done
        self.open = True

    def step(self, tls):
        try:
            return tls.handshake()
        finally:
            self.flush(tls)  # an alert, too

    def converse(self, tls):
        options = self.options
        if options.say:
            self.put(tls, options.say.encode() + b"\n")
        closed = None
        if options.close_first:
            openssl.SSL_shutdown(tls.ssl)
            self.flush(tls)
        while closed is None:
            data = True
            while data:
                data = tls.read()
                if data:
                    self.say("hears", data.decode("ascii").rstrip("\n"))
                self.flush(tls)
            if data is None:
                break
            datagram = self.receive(tls.timeout())
            if tls.timeout() == 0:
                tls.time_has_come()
                self.flush(tls)
            for _ in self.take(tls, datagram or b""):
                data = tls.read()
                if data:
                    self.say("hears", data.decode("ascii").rstrip("\n"))
                self.flush(tls)
                if data is None:
                    closed = True
        openssl.SSL_shutdown(tls.ssl)
        self.flush(tls)

    def put(self, tls, data):
        tls.write(data)
        self.flush(tls)

    def meet(self):
        tls = self.settle()
        self.shake_hands(tls)
        self.converse(tls)
        self.say(json.dumps({"role": "server" if tls.server else "client", "version": openssl.SSL_get_version(tls.ssl).decode(),
                             "theirs": (self.theirs or b"").decode(), **self.counts}))

    def free(self):
        for tls in self.client, self.server:
            if tls:
                tls.free()
        self.sock.close()


# ---- The command line ----


def read_options(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("task", choices=["call", "listen", "meet"])
    parser.add_argument("port", nargs="?", type=int)
    parser.add_argument("--cert", required=True, help="our certificate and key")
    parser.add_argument("--verify", required=True, help="the certificate that the peer must have")
    parser.add_argument("--preference", default=b"~~~", type=str.encode)
    parser.add_argument("--hello", choices=["now", "wait"], help="else wait if we listen")
    parser.add_argument("--cookies", action="store_true", help="as a server, send a HelloVerifyRequest")
    parser.add_argument("--mtu", default=1200, type=int)
    parser.add_argument("--apart", action="store_true", help="every record is a datagram")
    parser.add_argument("--allow", action="store_true", help="take a ServerHello that comes first for what it is (rule 6)")
    parser.add_argument("--mute", action="store_true", help="as a server, do not repeat our hello")
    parser.add_argument("--late", action="store_true", help="as a server, our hello comes behind each flight, not ahead")
    parser.add_argument("--lose", action="append", default=[], metavar="in|out:KIND[:COUNT]", help="the first datagrams that have such a record")
    parser.add_argument("--close-first", action="store_true")
    parser.add_argument("--say")
    options = parser.parse_args(arguments)
    options.hello = options.hello or ("wait" if options.task == "listen" else "now")
    return options


def meet(line):
    options = read_options(line.split())
    peer = Peer(options)
    try:
        peer.meet()
        peer.say("end: well")
    except EOFError:
        peer.say("end: well")
    except (ValueError, OSError) as error:
        peer.say("end:", error)
    finally:
        peer.free()


def main():
    print("ready", flush=True)
    while line := sys.stdin.readline():
        threading.Thread(target=meet, args=[line], daemon=True).start()


if __name__ == "__main__":
    main()
