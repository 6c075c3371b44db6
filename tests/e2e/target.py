"""A service for --to: takes one connection, behaves as it is told, and says on stdout what it saw.

    target.py ADDRESS BEHAVIOUR     ADDRESS is a UNIX socket's path, or an IP address (any port; the first line says which)

echo     sends everything back, each end of data for itself
answer   reads to the end, then says how much it was
first    says hello, and its direction is over; then it reads to the end
line     sends a line back, then reads on, and says whether an end or a reset came
reset    reads a line, and resets the connection
deaf     says so, and never reads
endless  reads to the end, and never ends; says when it is reset
proxy    prints the header of the PROXY protocol, then echo
"""
import select
import signal
import socket
import struct
import sys


def say(*words):
    print(*words, flush=True)


def read_all(connection):
    total = b""
    try:
        while piece := connection.recv(65536):
            total += piece
    except ConnectionResetError:
        say("reset")
        return total
    say("end")
    return total


def exactly(connection, length):
    data = b""
    while len(data) < length:
        data += connection.recv(length - len(data))
    return data


def proxy(connection):
    header = exactly(connection, 16)
    assert header[:12] == b"\r\n\r\n\0\r\nQUIT\n", header
    rest = exactly(connection, struct.unpack("!H", header[14:16])[0])
    family = {0x11: "TCP4", 0x21: "TCP6", 0x12: "UDP4", 0x22: "UDP6", 0x00: "UNSPEC"}[header[13]]
    size = {0x11: 4, 0x21: 16, 0x12: 4, 0x22: 16, 0x00: 0}[header[13]]
    if size:
        kind = socket.AF_INET if size == 4 else socket.AF_INET6
        ports = struct.unpack("!HH", rest[2 * size:2 * size + 4])
        say(f"{header[12]:02x}", family, socket.inet_ntop(kind, rest[:size]), ports[0],
            socket.inet_ntop(kind, rest[size:2 * size]), ports[1])
        rest = rest[2 * size + 4:]
    tell_tlvs(rest)


def tell_tlvs(rest):
    while rest:
        kind, length = struct.unpack("!BH", rest[:3])
        value, rest = rest[3:3 + length], rest[3 + length:]
        if kind == 0x20:
            say("tls", value[0], int.from_bytes(value[1:5], "big"))
            tell_tlvs(value[5:])
        else:
            say(f"{kind:02x}", value.decode())


def serve(connection, behaviour):
    if behaviour == "proxy":
        proxy(connection)
    if behaviour in ("echo", "proxy"):
        while piece := connection.recv(65536):
            connection.sendall(piece)
    elif behaviour == "answer":
        connection.sendall(b"%d bytes" % len(read_all(connection)))
    elif behaviour == "first":
        connection.sendall(b"hello")
        connection.shutdown(socket.SHUT_WR)
        say(read_all(connection).decode())
    elif behaviour == "line":
        connection.sendall(connection.recv(100))
        read_all(connection)
    elif behaviour == "reset":
        say(connection.recv(100).decode().strip())
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif behaviour == "endless":
        read_all(connection)
        waits = select.poll()
        waits.register(connection, 0)  # for an error alone
        say("reset" if waits.poll(60000) else "nothing")
    elif behaviour == "deaf":
        connection.sendall(b"deaf")
        signal.pause()

def main():
    address, behaviour = sys.argv[1:]
    if address.startswith("/"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
    else:
        listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        listener.bind((address, 0))
    listener.listen()
    say(listener.getsockname()[1] if not address.startswith("/") else address)
    connection, _ = listener.accept()
    listener.close()
    try:
        serve(connection, behaviour)
    except BrokenPipeError:
        pass
    connection.close()


main()
