"""The ends of a session: processes with pipes, and the keys that both ends have."""
import contextlib
import json
import os
import socket
import subprocess
import threading
import time

PATIENCE = 20  # seconds for any one thing
KEY = "4ed1da8e8cb8ff28e00c1c5ea2ba0f6afb1b2d2ecc4ed8b0fd7d43a1bc1a5d2e"


class Failed(Exception):
    """The reason is for people."""


# ---- Processes ----

class Process:
    """A program with pipes; what it prints is collected line by line."""

    def __init__(self, name, command, folder, env=None, pass_fds=()):
        self.name, self.text, self.closed = name, {"out": "", "err": ""}, {}
        self.changed = threading.Condition()
        try:
            self.process = subprocess.Popen(command, cwd=folder, env=env, pass_fds=pass_fds, start_new_session=True,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError as error:
            raise Failed(f"{command[0]}: {error.strerror}") from error
        for stream, pipe in (("out", self.process.stdout), ("err", self.process.stderr)):
            self.closed[stream] = threading.Event()
            threading.Thread(target=self.read, args=(stream, pipe), daemon=True).start()

    def read(self, stream, pipe):
        with contextlib.suppress(OSError, ValueError):
            while data := os.read(pipe.fileno(), 65536):
                with self.changed:
                    self.text[stream] += data.decode("latin-1")
                    self.changed.notify_all()
        self.closed[stream].set()
        with self.changed:
            self.changed.notify_all()

    def say(self, text):
        try:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()
        except OSError as error:
            raise Failed(f"{self.name} takes no more input") from error

    def end(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def wait_until(self, condition, what):
        """The condition holds, or it never will since the program has ended."""
        deadline = time.monotonic() + PATIENCE
        with self.changed:
            while not condition():
                over = all(event.is_set() for event in self.closed.values())
                if over or not self.changed.wait(min(0.5, max(0, deadline - time.monotonic()))):
                    if condition():
                        return
                    if over or time.monotonic() >= deadline:
                        raise Failed(f"{what}{' before it ended' if over else ''}")

    def hears(self, words, streams=("out",)):
        self.wait_until(lambda: any(words in self.text[stream] for stream in streams), f"{self.name} never had \"{words.strip()}\"")

    def ended(self):
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{self.name} hangs") from error

    def kill(self):
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, 9)
        self.end()
        self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            self.closed["out"].wait(1)
            pipe.close()

    def port(self):
        """What it listens on: not every program tells, but the kernel does."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                folder = f"/proc/{self.process.pid}/fd"
                links = (os.readlink(os.path.join(folder, fd)) for fd in os.listdir(folder))
                sockets = {link[8:-1] for link in links if link.startswith("socket:[")}
                for table in ("tcp", "tcp6"):
                    with open(f"/proc/{self.process.pid}/net/{table}", encoding="ascii") as file:
                        for row in map(str.split, file):
                            if row[3] == "0A" and row[9] in sockets:
                                return int(row[1].rsplit(":", 1)[1], 16)
            time.sleep(0.01)  # there is no event to wait for
        raise Failed(f"{self.name} does not listen: {self.last_words()}")

    def last_words(self):
        words = (self.text["err"] or self.text["out"]).strip().splitlines()
        return words[-1][:200] if words else "it says nothing"


class Us(Process):
    """symtls; its events come through a pipe of their own."""

    def __init__(self, work, arguments):
        reader, writer = os.pipe()
        env = dict(os.environ, XDG_CONFIG_HOME=work.home, XDG_DATA_HOME=work.home)
        super().__init__("symtls", [work.symtls, "-F", "none", "--report", f"fd:{writer}", *arguments], work.folder, env, (writer,))
        os.close(writer)
        self.events = os.fdopen(reader, "r", encoding="utf-8")

    def event(self, name):
        """Events come, or the end of them: a session that hangs ends by its own time-outs."""
        for line in self.events:
            event = json.loads(line)
            if event["event"] == name:
                return event
        raise Failed(f"no event {name}: {self.last_words()}")

    def kill(self):
        super().kill()
        self.events.close()


def free_port():
    """For a program that cannot ask the kernel for one. Somebody else may take it meanwhile, which is not likely."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


# ---- What all of them share ----

class Work:
    """A folder with keys and certificates, made once."""

    def __init__(self, symtls, folder):
        self.symtls, self.folder, self.home = symtls, folder, os.path.join(folder, "home")
        env = dict(os.environ, XDG_CONFIG_HOME=self.home, XDG_DATA_HOME=self.home)
        said = subprocess.run([symtls, "-F", "none", "--show-identity"], env=env, check=True, capture_output=True, text=True).stdout
        self.our_pin = said.split()[0]
        self.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                 "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem")
        self.write("both.pem", self.read("key.pem") + self.read("cert.pem"))
        self.run("openssl", "pkey", "-in", "key.pem", "-pubout", "-out", "public.pem")
        self.write("ours.pem", "".join(self.read("home/symtls/identity.pem").partition("-----BEGIN CERTIFICATE-----")[1:]))
        self.write("us.psk", KEY + "\n")
        self.write("stunnel.psk", f"them:{KEY}\n")
        self.write("gnutls.psk", f"us:{KEY}\nthem:{KEY}\n")
        env["XDG_CONFIG_HOME"] = self.path("theirs")
        os.makedirs(self.path("theirs/symtls"))
        self.write("theirs/symtls/identity.pem", self.read("both.pem"))
        said = subprocess.run([symtls, "-F", "none", "--show-identity"], env=env, check=True, capture_output=True, text=True).stdout
        self.their_pin = said.split()[0]

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), encoding="ascii") as file:
            return file.read()

    def write(self, name, text):
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(text)
        return name

    def run(self, *command):
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
