#!/usr/bin/env python3
"""capture.py tcp|udp PORT FILE [CALLER [SEGMENT [RECORD]]] - what passes between a caller and 127.0.0.1:PORT, as a capture that Wireshark reads.

Prints the port to call. Passes one connection (or the datagrams of one caller) on, until both have ended, or its standard input
has. A FILE that is there gets longer. SEGMENT: bytes in a TCP segment of FILE (1400). RECORD: the records that a direction begins with, as far as
they are handshake messages in the clear, are cut anew, into ones of so many bytes, for the listener and the caller as well. No privileges are needed: the headers of IP, TCP and UDP in FILE are made up. The caller is 192.0.2.2 port
CALLER (50000), the listener 192.0.2.1 port 4433.
"""
import select
import socket
import struct
import sys
import time

def number(argument, usual):
    return int(sys.argv[argument]) if len(sys.argv) > argument else usual


CALLER, LISTENER = ("192.0.2.2", number(4, 50000)), ("192.0.2.1", 4433)
IN_A_SEGMENT, IN_A_RECORD = number(5, 1400), number(6, 0)


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data[: len(data) // 2 * 2]))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Capture:
    """Link type 101: each packet begins with its IP header."""

    def __init__(self, path, protocol):
        self.file = open(path, "ab")
        if self.file.tell() == 0:
            self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
        self.protocol = protocol
        self.next = {CALLER: 1000, LISTENER: 5000}  # TCP's sequence numbers

    def packet(self, source, target, payload):
        addresses = socket.inet_aton(source[0]) + socket.inet_aton(target[0])
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0x4000, 64, self.protocol, 0) + addresses
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        now = time.time()
        self.file.write(struct.pack("<IIII", int(now), int(now % 1 * 1000000), len(head + payload), len(head + payload)))
        self.file.write(head + payload)

    def segment(self, source, target, flags, data=b""):
        self.packet(source, target, struct.pack("!HHIIBBHHH", source[1], target[1], self.next[source],
                                                self.next[target] if flags & 0x10 else 0, 0x50, flags, 65535, 0, 0) + data)
        self.next[source] += len(data) + (1 if flags & 3 else 0)

    def begin(self):
        self.segment(CALLER, LISTENER, 0x02)
        self.segment(LISTENER, CALLER, 0x12)
        self.segment(CALLER, LISTENER, 0x10)

    def data(self, source, target, data):
        if self.protocol == socket.IPPROTO_UDP:
            self.packet(source, target, struct.pack("!HHHH", source[1], target[1], 8 + len(data), 0) + data)
            return
        for at in range(0, len(data), IN_A_SEGMENT):
            self.segment(source, target, 0x18, data[at:at + IN_A_SEGMENT])


class Cutter:
    """Handshake records at the beginning of a stream, joined and cut anew; from the first other record on it is as it was."""

    def __init__(self):
        self.waiting, self.through = b"", IN_A_RECORD == 0

    def cut(self, data):
        self.waiting += data
        messages, out = b"", b""
        while not self.through and len(self.waiting) >= 5:
            length = 5 + int.from_bytes(self.waiting[3:5], "big")
            if self.waiting[0] != 22:
                self.through = True
            elif len(self.waiting) < length:
                break
            else:
                messages += self.waiting[5:length]
                self.waiting = self.waiting[length:]
        for at in range(0, len(messages), IN_A_RECORD or 1):
            piece = messages[at:at + IN_A_RECORD]
            out += b"\x16\x03\x03" + struct.pack("!H", len(piece)) + piece
        if self.through:
            out, self.waiting = out + self.waiting, b""
        return out


def pass_stream(capture, caller, listener):
    ends = {caller: (CALLER, LISTENER, listener), listener: (LISTENER, CALLER, caller)}
    cutters = {caller: Cutter(), listener: Cutter()}
    capture.begin()
    while ends:
        for sock in select.select(list(ends), [], [])[0]:
            source, target, other = ends[sock]
            try:
                data = sock.recv(65536)
            except OSError:
                data = b""
            if data:
                data = cutters[sock].cut(data)
                capture.data(source, target, data)
                other.sendall(data)
                continue
            capture.segment(source, target, 0x11)
            del ends[sock]
            try:
                other.shutdown(socket.SHUT_WR)
            except OSError:
                pass


def pass_datagrams(capture, front, back, listener):
    caller = None
    while True:
        for sock in select.select([front, back, sys.stdin], [], [])[0]:
            if sock is sys.stdin:
                return
            data, source = sock.recvfrom(65536)
            if sock is front:
                caller = source
                capture.data(CALLER, LISTENER, data)
                back.sendto(data, listener)
            else:
                capture.data(LISTENER, CALLER, data)
                front.sendto(data, caller)


def main():
    kind, listener, path = sys.argv[1], ("127.0.0.1", int(sys.argv[2])), sys.argv[3]
    if kind == "udp":
        front, back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        front.bind(("127.0.0.1", 0))
        print(front.getsockname()[1], flush=True)
        capture = Capture(path, socket.IPPROTO_UDP)
        pass_datagrams(capture, front, back, listener)
    else:
        door = socket.create_server(("127.0.0.1", 0))
        print(door.getsockname()[1], flush=True)
        capture = Capture(path, socket.IPPROTO_TCP)
        pass_stream(capture, door.accept()[0], socket.create_connection(listener))
    capture.file.close()


main()
