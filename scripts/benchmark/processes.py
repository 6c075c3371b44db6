"""Processes that are measured: started, waited for, with what they cost."""
import os
import resource
import select
import signal
import socket
import subprocess
import time

PATIENCE_S = 120


class Failed(Exception):
    """A program did not do its part; the sentence says which, and what it said."""


class Cost:
    """Of one process or of several: CPU seconds of all of them together."""

    def __init__(self, cpu=0.0, status=0):
        self.cpu = cpu
        self.status = status

    def __add__(self, other):
        return Cost(self.cpu + other.cpu, self.status or other.status)


class Process:
    """A program with descriptors of its own; `end()` waits for it, `kill()` does not."""

    def __init__(self, argv, folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=None):
        self.argv = argv
        self.said = open(os.path.join(folder, f"said.{os.getpid()}.{id(self)}"), "w+", encoding="utf-8", errors="replace")
        os.unlink(self.said.name)
        self.process = subprocess.Popen(argv, stdin=stdin, stdout=stdout, stderr=self.said, env=env)
        self.pid = self.process.pid
        self.cost = None

    def end(self, patience_s=PATIENCE_S):
        """Its cost, children that it has waited for included."""
        if self.cost is None:
            watcher = os.pidfd_open(self.pid)
            ready, _, _ = select.select([watcher], [], [], patience_s)
            os.close(watcher)
            if not ready:
                self.kill()
                raise Failed(f"{self.argv[0]} hangs: {' '.join(self.argv)}\n{self.words()}")
            self._reap()
        return self.cost

    def kill(self, number=signal.SIGKILL):
        if self.cost is None:
            os.kill(self.pid, number)
            self._reap()
        return self.cost

    def _reap(self):
        _, status, used = os.wait4(self.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.cost = Cost(used.ru_utime + used.ru_stime, self.process.returncode)

    def has_ended(self):
        return self.cost is not None or os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def words(self):
        self.said.seek(0)
        return self.said.read()[-2000:]

    def peak_kib(self):
        """So far. (What wait4() tells begins with the memory of whoever started it.)"""
        return status_kib(self.pid, "VmHWM")


def status_kib(pid, key):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as lines:
            for line in lines:
                if line.startswith(key + ":"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_open(port, kind):
    """Somebody waits at that port. To call it would use up a listener that serves one peer only."""
    tables, state = (("tcp", "tcp6"), "0A") if kind == socket.SOCK_STREAM else (("udp", "udp6"), "07")
    for table in tables:
        with open(f"/proc/net/{table}", encoding="ascii") as lines:
            for line in lines:
                words = line.split()
                if words[3] == state and words[1].endswith(f":{port:04X}"):
                    return True
    return False


def until_open(port, process, kind=socket.SOCK_STREAM):
    deadline = time.monotonic() + PATIENCE_S
    while not is_open(port, kind):
        if process.has_ended() or time.monotonic() > deadline:
            raise Failed(f"nobody listens: {' '.join(process.argv)}\n{process.words()}")
        time.sleep(0.002)


def own_cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
