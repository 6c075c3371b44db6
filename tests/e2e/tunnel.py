"""tunnel.py - many connections through a tunnel at once, with random sizes and random aborts.

tunnel.py serve            a service that sends back what it gets; prints its port, ends with its stdin
tunnel.py soak PORT COUNT SEED   so many connections at once through a tunnel to it; prints "good aborted wrong"
"""
import asyncio
import hashlib
import random
import socket
import struct
import sys


async def answer(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
        await reader.read()
    except OSError:
        pass
    writer.close()


async def serve():
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    sys.stdout.flush()
    server.close()


async def send(writer, data, abort_at):
    writer.write(data[:abort_at])
    await writer.drain()
    if abort_at < len(data):
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()
    else:
        writer.write_eof()


async def one(port, number, seed):
    dice = random.Random(seed * 1000003 + number)
    data = dice.randbytes(dice.choice((0, 1, 1000, 16384, 16385, 100000, dice.randrange(300000))))
    aborts = data and dice.random() < 0.2
    abort_at = dice.randrange(len(data)) if aborts else len(data)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sending = asyncio.create_task(send(writer, data, abort_at))
    got = hashlib.sha256()
    length = 0
    try:
        while part := await reader.read(65536):
            got.update(part)
            length += len(part)
        await sending
    except OSError:
        return "aborted" if aborts else "wrong"
    finally:
        writer.close()
    if aborts:
        return "aborted"
    return "good" if got.digest() == hashlib.sha256(data).digest() else "wrong"


async def soak(port, count, seed):
    results = await asyncio.gather(*(one(port, number, seed) for number in range(count)))
    print(*(results.count(result) for result in ("good", "aborted", "wrong")))


if sys.argv[1] == "serve":
    asyncio.run(serve())
else:
    asyncio.run(soak(*map(int, sys.argv[2:5])))
