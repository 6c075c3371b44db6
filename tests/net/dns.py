"""A name server for tests: zone example. is signed (ECDSA P-256, RFC 4034 and 6605), and all others are not.

    dns.py ADDRESS ANCHOR TLSA      listen on ADDRESS:53; write the key of example. to the file ANCHOR; TLSA is "3 1 1 HEX"

Each query makes a line on stdout. What comes of _PORT._PROTOCOL.NAME depends on NAME:
    good.example      the record, signed              bogus.example     the same, with a signature that is wrong
    stripped.example  the same, without a signature   alias.example     a CNAME to that of good.example, signed
    silent.org        no answer                       none.org          no such name
    broken.org        SERVFAIL                        any other         the record, not signed
"""
import base64
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time

CNAME, RRSIG, DNSKEY, TLSA = 5, 46, 48, 52
TTL = 60
folder = tempfile.mkdtemp()
key_file = os.path.join(folder, "key")


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key_file)
dnskey = struct.pack("!HBB", 257, 3, 13) + openssl("ec", "-in", key_file, "-pubout", "-outform", "DER")[-64:]
total = sum(byte << 8 if i % 2 == 0 else byte for i, byte in enumerate(dnskey))
key_tag = (total + (total >> 16)) & 0xffff


def wire(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def record(name, kind, data):
    return wire(name) + struct.pack("!HHIH", kind, 1, TTL, len(data)) + data


def raw(signature):
    """The two numbers of a DER ECDSA-Sig-Value, 32 bytes each."""
    numbers, at = b"", 2
    for _ in range(2):
        length = signature[at + 1]
        numbers += int.from_bytes(signature[at + 2:at + 2 + length], "big").to_bytes(32, "big")
        at += 2 + length
    return numbers


def signed(name, kind, data, spoil=False):
    now = int(time.time())
    head = struct.pack("!HBBIIIH", kind, 13, len(name.strip(".").split(".")), TTL, now + 3600, now - 3600, key_tag) + wire("example")
    signature = bytearray(raw(openssl("dgst", "-sha256", "-sign", key_file, data=head + record(name, kind, data))))
    if spoil:
        signature[9] ^= 1
    return [record(name, kind, data), record(name, RRSIG, head + bytes(signature))]


def answer(name, kind, tlsa):
    """The response code and the records; None: say nothing."""
    host = ".".join(name.split(".")[2:]) if name.startswith("_") else name
    if kind == DNSKEY and name == "example":
        return 0, signed(name, DNSKEY, dnskey)
    if host == "silent.org":
        return None
    if host == "broken.org":
        return 2, []
    if kind != TLSA or host == "none.org":
        return 3, []
    if host == "alias.example":
        target = name.replace("alias.example", "good.example")
        return 0, signed(name, CNAME, wire(target)) + signed(target, TLSA, tlsa)
    if host in ("good.example", "bogus.example"):
        return 0, signed(name, TLSA, tlsa, host == "bogus.example")
    return 0, [record(name, TLSA, tlsa)]


def respond(query, tlsa):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
        at += 1 + query[at]
    kind = struct.unpack("!H", query[at + 1:at + 3])[0]
    print(".".join(labels), kind, flush=True)
    found = answer(".".join(labels), kind, tlsa)
    if found is None:
        return None
    code, records = found
    opt = b"\0" + struct.pack("!HHIH", 41, 4096, 0x8000, 0)
    return (query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(records), 0, 1) + query[12:at + 5] + b"".join(records) + opt)


def main():
    address, anchor, text = sys.argv[1:]
    numbers = text.split()
    tlsa = bytes(int(number) for number in numbers[:3]) + bytes.fromhex(numbers[3])
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    with open(anchor, "w") as file:
        file.write("example. IN DNSKEY 257 3 13 %s\n" % base64.b64encode(dnskey[4:]).decode())
    print("ready", flush=True)
    while True:
        query, peer = server.recvfrom(4096)
        response = respond(query, tlsa)
        if response:
            server.sendto(response, peer)


main()
