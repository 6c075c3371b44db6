"""An end of its own on Python's ssl, with TLS in memory: it can end its direction and go on reading. Its stdin and stdout are the data.

    memory.py "we call"|"they call" VERSION PORT      (from symtls's view: "we call" has this one listen)
"""
import select, socket, ssl, sys
side, version, port = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if side == "we call" else ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_REQUIRED if side == "we call" else ssl.CERT_NONE
context.minimum_version = context.maximum_version = ssl.TLSVersion["TLSv" + version.replace(".", "_")]
context.load_cert_chain("both.pem")
context.load_verify_locations("ours.pem")
if side == "we call":
    context.num_tickets = 0
    listener = socket.create_server(("127.0.0.1", 0))
    sock = listener.accept()[0]
else:
    sock = socket.create_connection(("127.0.0.1", int(port)))
inbox, outbox = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(inbox, outbox, server_side=side == "we call")
def step(do, *arguments):
    while True:
        try:
            return do(*arguments)
        except ssl.SSLWantReadError:
            sock.sendall(outbox.read())
            data = sock.recv(65536)
            inbox.write(data) if data else inbox.write_eof()
        finally:
            sock.sendall(outbox.read())
step(tls.do_handshake)
ours = theirs = True
def read():
    global theirs
    while theirs:
        try:
            data = tls.read(65536)
        except ssl.SSLWantReadError:
            break
        except ssl.SSLZeroReturnError:
            data = b""
        theirs = bool(data)
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
read() # what came along with the last of the handshake
while ours or theirs:
    for ready in select.select(([sys.stdin] if ours else []) + ([sock] if theirs else []), [], [])[0]:
        if ready is sock:
            data = sock.recv(65536)
            inbox.write(data) if data else inbox.write_eof()
            read()
        else:
            line = sys.stdin.readline()
            if line:
                step(tls.write, line.encode())
            else:
                ours = False
                try:
                    tls.unwrap()
                except ssl.SSLWantReadError:
                    pass
                sock.sendall(outbox.read())
