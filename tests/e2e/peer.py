#!/usr/bin/env python3
"""An independent symmetric peer: symtls-protocol(7) once more, on OpenSSL, with none of symtls's code.

It reads lines from stdin, and meets one peer after the other, on 127.0.0.1; when listening it prints its port first.

    call PORT | listen   [OPTION...]

It prints what came out as a line of JSON, then what it hears, then the handshake messages that came after the handshake; it ends when
the other end does, and says "end: " and how. Python's ssl cannot send an
extension of its own, but the library under it can: SSL_CTX_add_custom_ext() is called by hand.
"""
import argparse
import ctypes
import json
import socket
import ssl
import sys

from extension import add_extension, openssl
from hellos import CLIENT_HELLO, HANDSHAKE, read_preference, read_vector

PATIENCE = 60

# ---- OpenSSL, below Python's ssl ----

HEAD = object.__basicsize__
POINTER = ctypes.sizeof(ctypes.c_void_p)
kept = []  # what OpenSSL has pointers to
got = []  # the names of handshake messages


# SSL_EXT_TLS_ONLY, and the messages: SSL_EXT_CLIENT_HELLO, and those of a server that may bear extensions.
IN_HELLO, IN_ANSWER = 0x1 | 0x80, 0x1 | 0x80 | 0x100 | 0x400


def ctx_pointer(context):
    return ctypes.c_void_p.from_address(id(context) + HEAD)  # PySSLContext: the head, SSL_CTX *ctx


def set_groups(context, groups):
    set_groups_list = 92  # SSL_CTRL_SET_GROUPS_LIST
    if openssl.SSL_CTX_ctrl(ctx_pointer(context), set_groups_list, ctypes.c_long(0), ctypes.c_char_p(groups.encode())) != 1:
        sys.exit("peer.py: OpenSSL does not take the groups")


def ssl_pointer(tls):
    return ctypes.c_void_p.from_address(id(tls._sslobj) + HEAD + POINTER)  # PySSLSocket: the head, a pointer, SSL *ssl


# ---- Bytes ----

def record(body, version=0x0303):
    return bytes([HANDSHAKE]) + version.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body


def records(message, size):
    """A handshake message in records of `size` bytes."""
    return b"".join(record(message[i:i + size]) for i in range(0, len(message), size))


class Stream:
    """What comes from a socket: all of it, and its first handshake message."""

    def __init__(self, sock):
        self.sock, self.data = sock, b""

    def need(self, length):
        while len(self.data) < length:
            more = self.sock.recv(65536)
            if not more:
                raise EOFError("the connection ended in the first message")
            self.data += more

    def first_message(self):
        """The message, and what is behind it in the stream, as records."""
        message, at = b"", 0
        while len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4], "big"):
            self.need(at + 5)
            if self.data[at] != HANDSHAKE:
                raise ValueError("no handshake: " + self.data[:80].hex())
            length = int.from_bytes(self.data[at + 3:at + 5], "big")
            self.need(at + 5 + length)
            message += self.data[at + 5:at + 5 + length]
            at += 5 + length
        size = 4 + int.from_bytes(message[1:4], "big")
        rest = self.data[at:]
        if len(message) > size:
            rest = record(message[size:]) + rest
        return message[:size], rest


# ---- TLS in memory ----

class Tls:
    def __init__(self, context, server):
        self.inbox, self.outbox = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.inbox, self.outbox, server_side=server)

    def hello(self):
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outbox.read()[5:]  # it is one record

    def do(self, sock, step, *arguments):
        """A step of OpenSSL's, with the socket's help."""
        while True:
            try:
                result = step(*arguments)
                sock.sendall(self.outbox.read())
                return result
            except ssl.SSLWantReadError:
                sock.sendall(self.outbox.read())
                more = sock.recv(65536)
                if more:
                    self.inbox.write(more)
                else:
                    self.inbox.write_eof()
            except ssl.SSLError:
                sock.sendall(self.outbox.read())  # an alert
                raise

    def key_update(self, sock, wanted=False):
        openssl.SSL_key_update(ssl_pointer(self.object), 1 if wanted else 0)
        self.do(sock, self.object.do_handshake)

    def close_only(self, sock):
        """Our close_notify, whatever the peer has said or will say."""
        try:
            self.object.unwrap()
        except ssl.SSLWantReadError:
            pass
        sock.sendall(self.outbox.read())

    def hello_request(self, sock):
        openssl.SSL_renegotiate(ssl_pointer(self.object))
        self.do(sock, self.object.do_handshake)


def note(_tls, direction, _version, content, kind, data):
    """The messages that we got, for tell_messages()."""
    if direction == "read" and content.name == "HANDSHAKE":
        got.append(kind.name.lower() + (f" {data[-1]}" if kind.name == "KEY_UPDATE" else ""))


def make_context(options, server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = options.tls
    context._msg_callback = note
    context.load_cert_chain(options.cert)
    if options.groups:
        set_groups(context, options.groups)
    if server:
        context.num_tickets = options.tickets
    if options.verify:
        context.load_verify_locations(options.verify)
        context.verify_mode = ssl.CERT_REQUIRED
    if not server and options.preference:
        kept.append(add_extension(ctx_pointer(context), options.preference, IN_HELLO))
    elif server and options.answer:
        kept.append(add_extension(ctx_pointer(context), options.preference, IN_ANSWER))
    return context


# ---- The protocol ----

def value_of(hello, implicit):
    """What a ClientHello counts with: its role_preference, or with --implicit, where it has none, the end of its random. Or None."""
    value = read_preference(hello, 4 + 2 + 32, 1, 2, 1)  # session_id, cipher_suites, compression_methods
    if value is None and implicit:
        value = hello[4 + 2 + 4:4 + 2 + 32]  # behind what once was gmt_unix_time
    return value


def settle(sock, options):
    """Exchange hellos. Returns our Tls, ready for its handshake, and the peer's value."""
    client = Tls(make_context(options, False), False)
    hello = client.hello()
    stream = Stream(sock)
    said = options.hello == "now"
    if said:
        sock.sendall(records(hello, options.records))
    message, rest = stream.first_message()
    if message[0] != CLIENT_HELLO:
        raise ValueError("the peer is not symmetric")
    ours, theirs = value_of(hello, options.implicit), value_of(message, options.implicit)
    if theirs is None:
        raise ValueError("the peer is not symmetric")
    if ours == theirs:
        raise ValueError("both have the same value")
    if ours < theirs:  # bytes compare as the protocol does
        if not said:
            sock.sendall(records(hello, options.records))
        client.inbox.write(rest)
        return client, theirs
    server = Tls(make_context(options, True), True)
    server.inbox.write(stream.data)
    if not said:
        reply = b""
        try:
            server.object.do_handshake()
        except ssl.SSLWantReadError:
            reply = server.outbox.read()
        if options.together:  # the ServerHello goes on where our struck hello ends, in the same record
            server_hello, end = read_vector(reply, 3, 2)
            reply = reply[end:]
            sock.sendall(records(hello + server_hello, options.records) + reply)
        else:
            sock.sendall(records(hello, options.records) + reply)
    return server, theirs


def tell(tls, theirs, options):
    role = "server" if tls.object.server_side else "client"
    der = tls.object.getpeercert(True)
    if options.save and der:
        with open(options.save, "w") as file:
            file.write(ssl.DER_cert_to_PEM_cert(der))
    hellos = sum(name in ("client_hello", "server_hello") for name in got)  # two: there was a HelloRetryRequest
    shown = theirs.hex() if options.implicit else theirs.decode("ascii")
    print(json.dumps({"role": role, "version": tls.object.version(), "theirs": shown, "hellos": hellos}),
          flush=True)
    got.clear()


def converse(sock, tls, options):
    """Say our words, hear the peer's, end."""
    if options.say:
        tls.do(sock, tls.object.write, options.say.encode() + b"\n")
    while True:
        try:
            data = tls.do(sock, tls.object.read, 16384)
        except ssl.SSLZeroReturnError:
            data = b""
        if not data:
            break
        sys.stdout.write(data.decode("ascii"))
        sys.stdout.flush()
    tls.do(sock, tls.object.unwrap)
    print(json.dumps(got))


def reach(options):
    if options.task == "call":
        return socket.create_connection(("127.0.0.1", options.port), PATIENCE)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        if options.small:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        print(listener.getsockname()[1], flush=True)
        listener.settimeout(PATIENCE)
        return listener.accept()[0]


def read_options(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=["call", "listen"])
    parser.add_argument("port", nargs="?", type=int)
    parser.add_argument("--cert", required=True, help="our certificate and key")
    parser.add_argument("--verify", help="the certificate that the peer must have")
    parser.add_argument("--save", help="where the peer's certificate goes")
    parser.add_argument("--preference", type=str.encode, help="else ~~~; with --implicit none is sent")
    parser.add_argument("--implicit", action="store_true", help="a hello without a preference counts with its random")
    parser.add_argument("--tls", default=ssl.TLSVersion.TLSv1_3, type=lambda v: ssl.TLSVersion["TLSv" + v.replace(".", "_")])
    parser.add_argument("--groups", help="for keys, the best first")
    parser.add_argument("--hello", choices=["now", "wait"], help="else now if we call")
    parser.add_argument("--records", default=16384, type=int, help="the size of those that our hello is in")
    parser.add_argument("--together", action="store_true", help="hello and ServerHello in a record")
    parser.add_argument("--answer", action="store_true", help="our role_preference where none must be: in a server's answer")
    parser.add_argument("--accept", choices=["key-update", "nothing"], default="key-update")
    parser.add_argument("--tickets", default=0, type=int)
    parser.add_argument("--small", action="store_true", help="little room for what nobody reads")
    parser.add_argument("--say")
    options = parser.parse_args(arguments)
    options.hello = options.hello or ("now" if options.task == "call" else "wait")
    if not options.implicit and options.preference is None:
        options.preference = b"~~~"
    return options


def meet(options):
    got.clear()
    with reach(options) as sock:
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tls, theirs = settle(sock, options)
        tls.do(sock, tls.object.do_handshake)
        tell(tls, theirs, options)
        if options.accept == "key-update" and tls.object.server_side and tls.object.version() == "TLSv1.3":
            tls.key_update(sock)
        converse(sock, tls, options)


def main():
    """One after the other: starting Python takes longer than all the rest."""
    while line := sys.stdin.readline():
        try:
            meet(read_options(line.split()))
            print("end: well", flush=True)
        except (EOFError, OSError, ValueError) as error:  # ssl.SSLError is an OSError
            print(f"end: {error}", flush=True)


if __name__ == "__main__":
    main()
