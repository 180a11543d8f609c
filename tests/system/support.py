"""A stand-in for systemd: a notification socket, passed sockets, and daemons that think they are services."""
import array
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BILLD, BUILD = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
PROJECT = pathlib.Path(__file__).resolve().parents[2]


def main():
    unittest.main(argv=sys.argv[:1], verbosity=2)


def wait_until(condition, what, limit=60):
    until = time.monotonic() + limit
    while time.monotonic() < until:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f"not within {limit} s: {what}")


class NotifySocket:
    """What a service tells its manager, and the descriptors that it leaves with it."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.messages, self.stored = [], {}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                data, ancillary, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(64))
            except OSError:
                return
            descriptors = array.array("i")
            for level, kind, content in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    descriptors.frombytes(content)
            fields = dict(line.split("=", 1) for line in data.decode().splitlines())
            if "FDSTORE" in fields:
                for descriptor in descriptors:
                    self.stored[fields["FDNAME"]] = descriptor
            self.messages.append((time.monotonic(), fields))

    def values(self, name):
        return [fields[name] for _, fields in list(self.messages) if name in fields]

    def wait_for(self, name, value, limit=60):
        return wait_until(lambda: value in self.values(name), f"{name}={value}; told: {self.messages[-5:]}", limit)

    def close(self):
        self._socket.close()


class Service:
    """`billd serve` as a service: with a notification socket, perhaps a watchdog, and sockets by name."""

    def __init__(self, folder, settings=""):
        self.folder = pathlib.Path(folder)
        self.configuration = self.folder / "billd.toml"
        self.configuration.write_text(settings)
        self.notify = NotifySocket(self.folder)
        self.process = None

    def start(self, sockets=None, watchdog_seconds=None):
        self.notify.messages.clear()
        environment = dict(os.environ, NOTIFY_SOCKET=self.notify.path)
        for name in ("LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "WATCHDOG_USEC", "WATCHDOG_PID"):
            environment.pop(name, None)
        if watchdog_seconds:
            environment["WATCHDOG_USEC"] = str(int(watchdog_seconds * 1_000_000))
        command = [str(BILLD), "serve", "--dev", "--config", str(self.configuration), "--state-dir",
                   str(self.folder / "state")]
        passed = list((sockets or {}).items())
        if passed:
            environment["LISTEN_FDS"] = str(len(passed))
            environment["LISTEN_FDNAMES"] = ":".join(name for name, _ in passed)
        # A shell moves the sockets to where a service finds them, and knows the process' number before it is billd.
        moves = " ".join(f"{3 + i}<&{100 + i} {100 + i}<&-" for i in range(len(passed)))
        script = f'export LISTEN_PID=$$; exec "$@" {moves}' if passed else 'exec "$@"'

        def place():
            for i, (_, descriptor) in enumerate(passed):
                os.dup2(descriptor, 100 + i, inheritable=True)

        self.process = subprocess.Popen(
            ["bash", "-c", script, "billd", *command], env=environment, preexec_fn=place, close_fds=False,
            stdout=open(self.folder / "output", "ab"), stderr=subprocess.STDOUT)

    def log(self):
        return (self.folder / "output").read_text()

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.notify.close()


class InFolder(unittest.TestCase):
    """A test with a folder of its own, which is gone afterwards."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="billd-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def service(self, settings=""):
        service = Service(self.folder, settings)
        self.addCleanup(service.end)
        return service


def listening_socket():
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", 0))
    made.listen(1024)
    return made
