"""The programs that symtls is tried with: how each is started, and what cannot work with it, and why.

Other TLS libraries than OpenSSL and GnuTLS are here as far as Debian has programs for them: NSS, Botan, and what busybox has. mbedTLS
comes without its own, of wolfSSL's there are but the sources (libwolfssl-dev), which need headers that are not packaged, and s2n is not
there.
"""
import os
import threading

from ends import KEY, free_port

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.join(HERE, "..", "..", "tests", "e2e")
VERSIONS = ("1.3", "1.2")
SIDES = ("we call", "they call")
CREDENTIALS = ("certificate", "PSK", "raw key")
ASPECTS = ("talk", "we end", "they end")
LOCK = threading.Lock()


class Case:
    """One session."""

    def __init__(self, peer, side, version, credential, aspect):
        self.peer, self.side, self.version, self.credential, self.aspect = peer, side, version, credential, aspect
        self.cert, self.psk, self.raw = (credential == name for name in CREDENTIALS)
        self.file = "-".join((peer.name, side, version, credential, aspect)).replace(" ", "_").replace("/", "_")


class Peer:
    """A program, or a way to use it.

    `kind` says what it does with data: "talks" (its stdin and stdout are the other end), "echoes", or "web" (HTTP)."""
    kind = {"we call": "talks", "they call": "talks"}
    shows_certificate = True  # when it calls
    symmetric = False
    cannot = ()  # (reason, what it is about: any of side, version, credential and aspect)

    def reason(self, case):
        """Why this cannot work; None: it has to."""
        about = {case.side, case.version, case.credential, case.aspect}
        for reason, *what in self.cannot:
            if set(what) <= about:
                return reason
        if self.kind[case.side] == "echoes" and case.aspect == "they end":
            return "it has nothing to say of its own, and ends when we do"
        return None

    def command(self, work, case, port):
        raise NotImplementedError


NO_PSK = "it has no option for a pre-shared key"
NO_RAW = "it has no bare public keys (RFC 7250)"


class OpenSSL(Peer):
    name, program = "openssl s_server, s_client", "openssl"
    cannot = (
        ("OpenSSL has bare public keys from 3.2 on", "raw key"),
        ("s_server ends when it hears our close_notify", "we call", "we end"),
        ("s_server leaves when its input ends, and reads no more", "we call", "they end"),
        ("s_client ends when it hears our close_notify", "they call", "we end"),
        ("s_client leaves when its input ends, and reads no more", "they call", "they end"),
    )

    def command(self, work, case, port):
        version = "-tls" + case.version.replace(".", "_")
        if case.side == "we call":
            shown = ("-nocert", "-psk", KEY, "-psk_identity", "us") if case.psk else ("-cert", "both.pem", "-Verify", "1", "-CAfile", "ours.pem")
            return "openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", version, *shown
        if case.psk:
            cipher = ("-cipher", "ECDHE-PSK-CHACHA20-POLY1305") if case.version == "1.2" else ()
            return "openssl", "s_client", "-connect", f"127.0.0.1:{port}", version, *cipher, "-psk", KEY, "-psk_identity", "them"
        return "openssl", "s_client", "-connect", f"127.0.0.1:{port}", version, "-cert", "both.pem"


class GnuTLS(Peer):
    name, program = "gnutls-serv, gnutls-cli", "gnutls-cli"
    kind = {"we call": "echoes", "they call": "talks"}
    cannot = (
        ("gnutls-cli leaves when it hears our close_notify", "they call", "we end"),
        ("gnutls-cli 3.7.9 crashes when it tells its user of TLS 1.2 with a pre-shared key, also with its own server", "they call", "PSK", "1.2"),
        ("gnutls-serv echoes no more once it has heard our close_notify", "we call", "we end"),
    )

    def command(self, work, case, port):
        credentials = "-CTYPE-ALL:+CTYPE-RAWPK" if case.raw else "+ECDHE-PSK:+DHE-PSK" if case.psk else ""
        priority = f"NORMAL:-VERS-ALL:+VERS-TLS{case.version}" + (":" + credentials if credentials else "")
        if case.psk:
            shown = ("--pskpasswd", "gnutls.psk") if case.side == "we call" else ("--pskusername", "them", "--pskkey", KEY)
        elif case.raw:
            shown = ("--rawpkfile", "public.pem", "--rawpkkeyfile", "key.pem")
        else:
            shown = ("--x509certfile", "cert.pem", "--x509keyfile", "key.pem")
        if case.side == "we call":
            return "gnutls-serv", "--echo", "-p", "0", "--priority", priority, *shown
        return "gnutls-cli", "--insecure", "--priority", priority, *shown, "-p", str(port), "127.0.0.1"


class Ncat(Peer):
    name, program = "ncat --ssl", "ncat"
    cannot = ((NO_PSK, "PSK"), (NO_RAW, "raw key"),
              ("ncat ends without close_notify, so that what it says last counts as cut short (exit status 9)", "we end"),
              ("ncat leaves when its input ends, and reads no more", "they end"))

    def command(self, work, case, port):
        shown = ("--ssl", "--ssl-cert", "cert.pem", "--ssl-key", "key.pem")
        return ("ncat", *shown, "-l", "127.0.0.1", "0") if case.side == "we call" else ("ncat", *shown, "127.0.0.1", str(port))


class Socat(Peer):
    name, program = "socat OPENSSL", "socat"
    cannot = ((NO_PSK, "PSK"), (NO_RAW, "raw key"))

    def command(self, work, case, port):
        if case.side == "we call":
            return "socat", "-t", "10", "OPENSSL-LISTEN:0,bind=127.0.0.1,cert=both.pem,cafile=ours.pem", "-"
        return "socat", "-t", "10", "-", f"OPENSSL:127.0.0.1:{port},verify=0,cert=both.pem"


class Stunnel(Peer):
    name, program = "stunnel", "stunnel"
    cannot = ((NO_RAW, "raw key"),)

    def command(self, work, case, port):
        version = "TLSv" + case.version
        settings = ["foreground=yes", "pid=", f"sslVersion={version}"]
        if case.psk:
            settings += ["ciphers=PSK", "PSKsecrets=stunnel.psk", *(["PSKidentity=them"] if case.side == "they call" else [])]
        else:
            settings += ["cert=both.pem"]
        if case.side == "we call":
            settings += ["debug=info", "[x]", "accept=127.0.0.1:0", "exec=/bin/cat", "execArgs=cat"]
            if case.psk:
                work.write(case.file + ".psk", f"us:{KEY}\n")
                settings = [line.replace("stunnel.psk", case.file + ".psk") for line in settings]
        else:
            settings += ["client=yes", f"connect=127.0.0.1:{port}"]
        return "stunnel", work.write(case.file + ".conf", "\n".join(settings) + "\n")

    kind = {"we call": "echoes", "they call": "talks"}


class Python(Peer):
    name, program = "python3 ssl (OpenSSL)", "python3"
    cannot = (("Python has pre-shared keys from 3.13 on", "PSK"), (NO_RAW, "raw key"))

    def command(self, work, case, port):
        return "python3", "-u", "-E", os.path.join(HERE, "memory.py"), case.side, case.version, str(port)


class Curl(Peer):
    name, program = "curl", "curl"
    kind = {"we call": "", "they call": "web"}
    cannot = (("curl is a client only", "we call"), (NO_PSK, "PSK"), (NO_RAW, "raw key"),
              ("HTTP has its own ends: curl asks, we answer", "we end"), ("HTTP has its own ends: curl asks, we answer", "they end"))

    def command(self, work, case, port):
        return ("curl", "-sS", "--noproxy", "*", "--http1.0", "--insecure", f"--tlsv{case.version}", "--tls-max", case.version, "--cert", "both.pem",
                f"https://127.0.0.1:{port}/a_line_from_them")


class Busybox(Peer):
    name, program = "busybox ssl_client", "busybox"
    kind = {"we call": "", "they call": "talks"}
    shows_certificate = False
    cannot = (("busybox is a client only", "we call"), (NO_PSK, "PSK"), (NO_RAW, "raw key"), ("its TLS is 1.2", "1.3"),
              ("ssl_client ends without close_notify, so that what it says last counts as cut short (exit status 9)", "we end"),
              ("ssl_client does not tell us when its input ends", "they end"))

    def command(self, work, case, port):
        return "bash", "-c", f"exec busybox ssl_client -s 3 3<>/dev/tcp/127.0.0.1/{port}"


class Nss(Peer):
    name, program = "NSS selfserv, tstclnt", "tstclnt"
    kind = {"we call": "web server", "they call": "talks"}
    cannot = ((NO_RAW, "raw key"), ("NSS has pre-shared keys in TLS 1.3 only", "PSK", "1.2"),
              ("selfserv 3.87 goes on with its certificate, also with NSS's own client", "PSK", "we call"),
              ("HTTP has its own ends: we ask, selfserv answers", "we call", "we end"),
              ("HTTP has its own ends: we ask, selfserv answers", "we call", "they end"),
              ("tstclnt does not end when it hears our close_notify, nor by itself", "they call", "we end"),
              ("tstclnt does not tell us when its input ends", "they call", "they end"))

    def command(self, work, case, port):
        version = f"tls{case.version}:tls{case.version}"
        if not os.path.isdir(work.path("nss")):
            with LOCK:
                if not os.path.isdir(work.path("nss")):
                    os.mkdir(work.path("nss.new"))
                    work.run("certutil", "-N", "-d", "nss.new", "--empty-password")
                    work.run("openssl", "pkcs12", "-export", "-in", "both.pem", "-name", "them", "-passout", "pass:x", "-out", "them.p12")
                    work.run("pk12util", "-i", "them.p12", "-d", "nss.new", "-W", "x", "-K", "")
                    os.rename(work.path("nss.new"), work.path("nss"))
        psk = ("-z", f"0x{KEY}:them") if case.psk else ()
        if case.side == "we call":
            return ("selfserv", "-n", "them", "-p", str(free_port()), "-d", "nss", "-V", version)
        return ("tstclnt", "-4", "-h", "127.0.0.1", "-p", str(port), "-d", "nss", "-o", "-V", version, *(psk or ("-n", "them")))


class Botan(Peer):
    name, program = "botan tls_server, tls_client", "botan"
    kind = {"we call": "echoes", "they call": "talks"}
    shows_certificate = False
    cannot = (("Botan 2 has no TLS 1.3", "1.3"), ("its program takes no pre-shared key", "PSK"), (NO_RAW, "raw key"),
              ("it may end before it has handed on what goes with our close_notify", "we end"),
              ("tls_client leaves when its input ends, and reads no more", "they call", "they end"))

    def command(self, work, case, port):
        if case.side == "we call":
            return "botan", "tls_server", "cert.pem", "key.pem", "--port=0"
        return "stdbuf", "-o0", "botan", "tls_client", "127.0.0.1", f"--port={port}", "--skip-system-cert-store"


class Independent(Peer):
    """The protocol once more, by its page alone, on OpenSSL: symmetric, unlike all the others."""
    name, program, symmetric = "peer.py (symmetric)", "python3", True
    cannot = ((NO_PSK, "PSK"), (NO_RAW, "raw key"), ("it says its line, and ends when we do", "they end"))
    implicit = ()

    def command(self, work, case, port):
        return "python3", "-E", os.path.join(TESTS, "peer.py")

    def line(self, case, port):
        task = "listen" if case.side == "we call" else f"call {port}"
        return " ".join((task, "--cert both.pem --verify ours.pem --say a_line_from_them --tls", case.version, *self.implicit)) + "\n"


class Implicit(Independent):
    name, implicit = "peer.py (implicit)", ("--implicit",)


PEERS = (OpenSSL(), GnuTLS(), Ncat(), Socat(), Stunnel(), Python(), Curl(), Busybox(), Nss(), Botan(), Independent(), Implicit())
LOCK = threading.Lock()
