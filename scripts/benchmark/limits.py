"""What cannot be beaten: the cipher alone, measured in the TLS library itself."""
import os
import shlex
import subprocess

SOURCE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "cipher.c")


class Sealing:
    """`rate`: bytes per second, on one core."""

    def __init__(self, rate):
        self.rate = rate


class Cipher:
    """It takes its turns with the contenders."""

    def __init__(self, cipher, folder):
        self.name = f"{cipher} alone, in GnuTLS"
        self.cipher = cipher
        self.program = os.path.join(folder, "cipher")

    def is_there(self):
        """False where it cannot be compiled."""
        try:
            flags = subprocess.run(["pkg-config", "--cflags", "--libs", "gnutls"], check=True, capture_output=True, text=True).stdout
            subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-O2", "-o", self.program, SOURCE, *shlex.split(flags)], check=True,
                           capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return False
        return True

    def seal(self, seconds):
        run = subprocess.run([self.program, self.cipher, str(seconds)], check=True, capture_output=True, text=True)
        return Sealing(float(run.stdout))
