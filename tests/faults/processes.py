"""Daemons and redis-servers of a test's own, which it may kill, and how their APIs are asked."""
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

KEY = "sk_test_faults"


class Unanswered(Exception):
    """There was no answer: the request may have been carried out or not."""


running = []


def end_all():
    """Kills what was started here and still runs."""
    for process in running:
        if process.poll() is None:
            process.kill()
            process.wait()


class Daemon:
    """`billd serve --dev` with the given settings, on free ports; they change with each start."""

    def __init__(self, billd, folder, name, **settings):
        self.billd, self.folder, self.name = billd, pathlib.Path(folder), name
        self.settings = settings
        self.process = None
        self.api = self.operators = None
        self.log_path = self.folder / f"{name}.log"

    def arguments(self, command):
        assignments = {"daemon.name": self.name, **self.settings}
        options = [word for path, value in assignments.items() for word in ("--set", f"{path}={value}")]
        return [self.billd, command, "--state-dir", str(self.folder / self.name), *options]

    def listen(self):
        return "127.0.0.1:0"

    def start(self):
        self.api = self.operators = None
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.arguments("serve"), "--dev", "--listen", self.listen(), "--operators", "127.0.0.1:0"],
                stdout=subprocess.PIPE, stderr=log)
        running.append(self.process)
        threading.Thread(target=self._read_addresses, args=(self.process,), daemon=True).start()

    def _read_addresses(self, process):
        for line in process.stdout:
            found = re.search(rb"(API|Status)\s+http://([^/\s]+)", line)
            if not found or process is not self.process:
                continue
            if found[1] == b"API":
                self.api = found[2].decode()
            else:
                self.operators = found[2].decode()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.api = self.operators = None

    def stop(self, limit=60):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(limit)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def wait_until_serving(self, limit=60):
        until = time.monotonic() + limit
        while time.monotonic() < until:
            if not self.is_running():
                raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.log_end()}")
            if self.operators is not None:
                return
            time.sleep(0.005)
        raise AssertionError(f"{self.name} does not serve within {limit} s:\n{self.log_end()}")

    def log_end(self):
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-30:])

    def request(self, method, path, form=None, idempotency_key=None, limit=10):
        """Status and JSON of the answer; Unanswered without one."""
        headers = {"Authorization": f"Bearer {KEY}"}
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        return ask(self.api, method, path, body, headers, limit)

    def status(self):
        return ask(self.operators, "GET", "/status", None, {}, 10)[1]

    def get(self, path):
        status, answer = self.request("GET", path)
        assert status == 200, f"GET {path} was answered with {status}: {answer}"
        return answer

    def list(self, path):
        """All members of a list."""
        separator = "&" if "?" in path else "?"
        page = self.get(f"{path}{separator}limit=100")
        yield from page["data"]
        while page["has_more"]:
            page = self.get(f"{path}{separator}limit=100&starting_after={page['data'][-1]['id']}")
            yield from page["data"]

    def redis(self):
        """The process of the embedded redis-server; None when there is none."""
        return redis_at(self.folder / self.name / "redis" / "redis.sock")

    def verify(self):
        """What `billd verify` finds: its exit status and its report."""
        done = subprocess.run([*self.arguments("verify"), "--json"], capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout + done.stderr


def ask(address, method, path, body, headers, limit):
    if address is None:
        raise Unanswered("it does not serve")
    connection = http.client.HTTPConnection(address, timeout=limit)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise Unanswered(str(problem)) from problem
    finally:
        connection.close()


def redis_at(socket):
    """The server that listens at the Unix socket, by the title that redis-server gives itself."""
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            title = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if title.startswith(b"redis-server") and str(socket).encode() in title:
            return int(entry.name)
    return None


def end_redis(socket):
    """Ends the server that a killed daemon has left behind."""
    pid = redis_at(socket)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


def run_with_seed(run, purpose):
    """Calls run(*paths on the command line, folder, seed), whose choices BILLD_SEED repeats, and ends what it leaves
    behind. The folder stays after a failure: it is worth a look."""
    seed = int(os.environ.get("BILLD_SEED") or random.SystemRandom().randrange(2**32))
    print(f"BILLD_SEED={seed}", flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"billd-{purpose}-"))
    try:
        run(*map(os.path.abspath, sys.argv[1:]), folder, seed)
        shutil.rmtree(folder)
    except BaseException:
        print(f"BILLD_SEED={seed}; state and log are in {folder}", file=sys.stderr, flush=True)
        raise
    finally:
        end_all()
        for socket in folder.glob("*/redis/redis.sock"):
            end_redis(socket)


class Redis:
    """A redis-server for several daemons, as durable as billd demands."""

    def __init__(self, folder):
        self.socket = pathlib.Path(folder) / "shared.sock"
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--dir", str(folder), "--save", "",
             "--appendonly", "yes", "--appendfsync", "always", "--logfile", str(pathlib.Path(folder) / "redis.log")])
        until = time.monotonic() + 20
        while not self.socket.exists():
            assert time.monotonic() < until, "redis-server does not come up"
            time.sleep(0.01)

    def end(self):
        self.process.kill()
        self.process.wait()


def wait_until(condition, limit, what):
    """Waits for the condition, asked about often; AssertionError with `what` when the limit passes first."""
    until = time.monotonic() + limit
    while time.monotonic() < until:
        try:
            if condition():
                return
        except Unanswered:
            pass
        time.sleep(0.02)
    raise AssertionError(f"after {limit} s: {what}")


def is_all_done(daemon):
    """Whether nothing is due and nothing in flight, by the status page, whose figures may be a second old."""
    status = daemon.status()
    return (status["ready"] and status["uptime_seconds"] >= 3
            and all(queue["due"] == 0 and queue["in_flight"] == 0 for queue in status["queues"]))
