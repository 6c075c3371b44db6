"""many.py SYMTLS COUNT - COUNT sessions held open by one listener: do they all work, the private memory of each, and how long
an early and a late one take to be there. Ends with 1 if one does not work, or has more than 1 MB."""
import json
import os
import subprocess
import sys
import tempfile
import time

symtls, count = sys.argv[1], int(sys.argv[2])
folder = tempfile.TemporaryDirectory()
home = folder.name
env = dict(os.environ, XDG_CONFIG_HOME=home + "/c", XDG_DATA_HOME=home + "/d")
pin = subprocess.run([symtls, "--show-identity"], env=env, capture_output=True, text=True).stdout.split()[0]
common = ["--pin", pin, "--allow-self", "-q"]
open(home + "/report", "w").close()
server = subprocess.Popen([symtls, "-k", "-m", str(count), "-l", "-e", "cat", *common, "--report", home + "/report", "127.0.0.1", "0"], env=env)
events = open(home + "/report")


def event(name):
    while True:
        line = events.readline()
        if not line.endswith("\n"):
            time.sleep(0.005)
            continue
        found = json.loads(line)
        if found["event"] == name:
            return found


def private(pid):
    with open("/proc/%d/smaps_rollup" % pid) as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private"))


def echoes(client, word):
    client.stdin.write(word)
    client.stdin.flush()
    return client.stdout.readline() == word


def median(values):
    return sorted(values)[len(values) // 2]


port = event("listening")["local"].rsplit(":", 1)[1]
clients, took = [], []
for _ in range(count):
    began = time.monotonic()
    client = subprocess.Popen([symtls, *common, "127.0.0.1", port], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert echoes(client, b"hello\n")
    took.append(1000 * (time.monotonic() - began))
    clients.append(client)
with open("/proc/%d/task/%d/children" % (server.pid, server.pid)) as file:
    sizes = sorted(private(int(pid)) for pid in file.read().split())
working = sum(echoes(client, b"again\n") for client in clients)
for client in clients:
    client.stdin.close()
for client in clients:
    client.wait()
server.terminate()
server.wait()
print("%d sessions, of which %d work; private memory: at most %d KB each" % (len(sizes), working, sizes[-1]))
print("to be there: numbers 5 to 15 %.0f ms, the last eleven %.0f ms" % (median(took[5:16]), median(took[-11:])))
sys.exit(working != count or sizes[-1] > 1024)
