"""What cannot be beaten: the cipher alone, measured in the TLS library itself."""
import os
import shlex
import subprocess

SOURCE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "cipher.c")


def cipher_rates(name, seconds, count, folder):
    """Bytes per second of sealing records on one core, so many times; none where that cannot be compiled."""
    program = os.path.join(folder, "cipher")
    try:
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "gnutls"], check=True, capture_output=True, text=True).stdout
        subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-O2", "-o", program, SOURCE, *shlex.split(flags)], check=True,
                       capture_output=True)
        return [float(subprocess.run([program, name, str(seconds)], check=True, capture_output=True, text=True).stdout)
                for _ in range(count)]
    except (OSError, subprocess.CalledProcessError):
        return []
