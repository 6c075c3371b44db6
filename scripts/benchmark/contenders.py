"""The programs that are compared: how each listens, and how each calls.

Each does TLS 1.3 with a certificate of ECDSA P-256, and what it would choose by itself of the rest. Ours is the only one that
checks who the peer is: the others are told to take anybody, which costs them nothing."""
import os
import shutil
import socket
import subprocess

from processes import Process, free_port, until_open

LOCAL = "127.0.0.1"


class Place:
    """A folder with keys, and the program that is measured."""

    def __init__(self, folder, symtls):
        self.folder = folder
        self.symtls = symtls
        self.certificate = os.path.join(folder, "certificate.pem")
        self.key = os.path.join(folder, "key.pem")
        self.both = os.path.join(folder, "both.pem")
        self.pins = {}
        self.never, self._held = os.pipe()  # an input that neither gives anything nor ends
        if shutil.which("openssl"):
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", f"/CN={LOCAL}", "-keyout", self.key, "-out", self.certificate],
                check=True, stderr=subprocess.DEVNULL)
            with open(os.open(self.both, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as both:
                for part in (self.key, self.certificate):
                    with open(part, encoding="ascii") as text:
                        both.write(text.read())
        for name in ("alice", "bob"):
            shown = subprocess.run([symtls, "--show-identity"], env=self.home(name), check=True, capture_output=True, text=True)
            self.pins[name] = shown.stdout.split()[0]

    def home(self, name):
        home = os.path.join(self.folder, name)
        return {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home + "/config", "XDG_DATA_HOME": home + "/data"}

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="ascii") as out:
            out.write(text)
        os.chmod(path, 0o700)
        return path

    def start(self, argv, who=None, **files):
        return Process(argv, self.folder, env=self.home(who) if who else None, **files)


class Contender:
    """One program at both ends, or two. `listen` and `call` give back what they started: the processes of that end."""

    kind = socket.SOCK_STREAM
    both_ways = False
    goes_on = False  # its listener does not end with its caller
    careless = False  # it ends before everything has arrived
    needs = ()

    def __init__(self, name):
        self.name = name

    def missing(self):
        return [program for program in self.needs if not shutil.which(program)]

    def version(self, place):
        return ""

    def listen(self, place, port, two_way=False, **files):
        raise NotImplementedError

    def call(self, place, port, two_way=False, **files):
        raise NotImplementedError

    def open(self, place, port, **files):
        processes = self.listen(place, port, **files)
        until_open(port, processes[-1], self.kind)
        return processes


class Symtls(Contender):
    """Alice listens, bob calls; each is given the other's pin."""

    both_ways = True

    def __init__(self, name="symtls", options=()):
        super().__init__(name)
        self.options = list(options)
        if "-u" in self.options or any(option.startswith("--sctp-udp") for option in self.options):
            self.kind = socket.SOCK_DGRAM

    def version(self, place):
        return subprocess.run([place.symtls, "--version"], capture_output=True, text=True, check=True).stdout.strip()

    def listen(self, place, port, two_way=False, **files):
        direction = [] if two_way else ["-d"]
        return [place.start([place.symtls, "-q", *self.options, "--pin", place.pins["bob"], *direction, "-l", LOCAL, str(port)],
                            "alice", **files)]

    def call(self, place, port, two_way=False, **files):
        return [place.start([place.symtls, "-q", *self.options, "--pin", place.pins["alice"], LOCAL, str(port)], "bob", **files)]


class SymtlsSctp(Symtls):
    """SCTP in UDP: each end has a UDP port too."""

    def __init__(self):
        super().__init__("symtls -S (SCTP in UDP)")
        self.kind = socket.SOCK_DGRAM

    def listen(self, place, port, two_way=False, **files):
        return [place.start([place.symtls, "-q", f"--sctp-udp={port}", "--pin", place.pins["bob"], "-d", "-l", LOCAL, "4433"],
                            "alice", **files)]

    def call(self, place, port, two_way=False, **files):
        own = free_port(self.kind)
        return [place.start([place.symtls, "-q", f"--sctp-udp={own}:{port}", "--pin", place.pins["alice"], LOCAL, "4433"],
                            "bob", **files)]


def openssl_version():
    return subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.split("(")[0].strip()


class OpensslServer(Contender):
    """`openssl s_server` at the listening end. It asks for the caller's certificate, as ours does."""

    needs = ("openssl",)

    def version(self, place):
        return openssl_version()

    def listen(self, place, port, two_way=False, **files):
        files.setdefault("stdin", place.never)
        return [place.start(["openssl", "s_server", "-accept", f"{LOCAL}:{port}", "-naccept", "1", "-quiet", "-verify", "1",
                             "-verify_quiet", "-cert", place.certificate, "-key", place.key], **files)]


class Openssl(OpensslServer):
    def call(self, place, port, two_way=False, **files):
        return [place.start(["openssl", "s_client", "-connect", f"{LOCAL}:{port}", "-quiet", "-no_ign_eof", "-nocommands",
                             "-verify_quiet", "-cert", place.certificate, "-key", place.key], **files)]


class GnutlsCli(OpensslServer):
    needs = ("openssl", "gnutls-cli")

    def version(self, place):
        return subprocess.run(["gnutls-cli", "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]

    def call(self, place, port, two_way=False, **files):
        return [place.start(["gnutls-cli", "--insecure", "--logfile=/dev/null", "--x509certfile", place.certificate,
                             "--x509keyfile", place.key, "-p", str(port), LOCAL], **files)]


class Ncat(Contender):
    """Whatever is told it: it leaves without having read the server's session tickets, so that its last bytes are lost."""

    careless = True
    needs = ("ncat", "openssl")

    def version(self, place):
        return subprocess.run(["ncat", "--version"], capture_output=True, text=True, check=True).stderr.split("(")[0].strip()

    def listen(self, place, port, two_way=False, **files):
        return [place.start(["ncat", "-l", "--ssl", "--ssl-cert", place.certificate, "--ssl-key", place.key, "--recv-only",
                             LOCAL, str(port)], **files)]

    def call(self, place, port, two_way=False, **files):
        return [place.start(["ncat", "--ssl", "--send-only", "--ssl-cert", place.certificate, "--ssl-key", place.key,
                             LOCAL, str(port)], **files)]


class Socat(Contender):
    both_ways = True
    needs = ("socat", "openssl")

    def __init__(self, name, address="OPENSSL", size=None, options=()):
        super().__init__(name)
        self.address = address
        self.size = ["-b", str(size)] if size else []
        self.options = list(options)
        if "DTLS" in address:
            self.kind = socket.SOCK_DGRAM
            self.goes_on = True

    def version(self, place):
        shown = subprocess.run(["socat", "-V"], capture_output=True, text=True, check=True).stdout
        return "socat " + next(line for line in shown.split("\n") if "version" in line).split()[2]

    def _listener(self, place, port):
        if self.address == "TCP":
            return f"TCP-LISTEN:{port},bind={LOCAL}"
        kind = "OPENSSL-DTLS-SERVER" if "DTLS" in self.address else "OPENSSL-LISTEN"
        return f"{kind}:{port},bind={LOCAL},cert={place.certificate},key={place.key},verify=0"

    def _caller(self, place, port):
        if self.address == "TCP":
            return f"TCP:{LOCAL}:{port}"
        kind = "OPENSSL-DTLS-CLIENT" if "DTLS" in self.address else "OPENSSL"
        return f"{kind}:{LOCAL}:{port},cert={place.certificate},key={place.key},verify=0"

    def listen(self, place, port, two_way=False, **files):
        ends = ["-t", "60", self._listener(place, port), "STDIN!!STDOUT"] if two_way else ["-u", self._listener(place, port), "STDOUT"]
        return [place.start(["socat", *self.options, *self.size, *ends], **files)]

    def call(self, place, port, two_way=False, **files):
        ends = ["-t", "60", "STDIN!!STDOUT", self._caller(place, port)] if two_way else ["-u", "STDIN", self._caller(place, port)]
        return [place.start(["socat", *self.options, *self.size, *ends], **files)]


class Stunnel(Contender):
    """The caller's end is stunnel on stdin, the listener's hands a connection to cat: its cheapest way from and to a file."""

    goes_on = True
    needs = ("stunnel", "openssl")

    def version(self, place):
        shown = subprocess.run(["stunnel", "-version"], capture_output=True, text=True, check=False).stderr
        return next((" ".join(line.split()[-5:-3]) for line in shown.split("\n") if " on " in line and "stunnel" in line), "stunnel")

    def listen(self, place, port, two_way=False, **files):
        sink = place.file("sink", "#!/bin/sh\nexec cat >/dev/null\n")
        settings = place.file("stunnel-server", f"foreground = yes\ndebug = err\npid =\n[b]\naccept = {LOCAL}:{port}\n"
                                                f"cert = {place.both}\nexec = {sink}\n")
        return [place.start(["stunnel", settings], **files)]

    def call(self, place, port, two_way=False, **files):
        settings = place.file("stunnel-client", "foreground = yes\ndebug = err\npid =\nclient = yes\n"
                                                f"cert = {place.both}\nconnect = {LOCAL}:{port}\n")
        return [place.start(["stunnel", settings], **files)]


OURS = Symtls()
SOCAT = Socat("socat OPENSSL -b 65536", size=65536)
PLAIN = Socat("plain TCP (socat -b 65536)", address="TCP", size=65536)
TLS = [OURS, Openssl("openssl s_client, s_server"), GnutlsCli("gnutls-cli, openssl s_server"), Ncat("ncat --ssl"),
       Socat("socat OPENSSL"), SOCAT, Stunnel("stunnel")]
