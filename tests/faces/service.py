"""A daemon of the tests' own with every listener, and raw HTTP to it: what is sent is what is written here."""
import base64
import json
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def header(self, name):
        return self.headers.get(name.lower())

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body!r}"


class Connection:
    """One connection, kept open; answers are read one by one."""

    def __init__(self, address, context=None, name="localhost"):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=60)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname=name)
        self.received = b""

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def _more(self):
        piece = self.socket.recv(65536)
        self.received += piece
        return bool(piece)

    def read(self, head_only=False):
        while b"\r\n\r\n" not in self.received:
            if not self._more():
                raise AssertionError(f"the connection ended with {self.received!r}")
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        length = 0 if head_only else int(headers.get("content-length", "0"))
        while len(self.received) < length:
            if not self._more():
                raise AssertionError("the body was cut short")
        body, self.received = self.received[:length], self.received[length:]
        return Answer(int(lines[0].split()[1]), headers, body.decode())

    def is_at_end(self):
        return self.received == b"" and not self._more()

    def close(self):
        self.socket.close()


def basic(user, password=""):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def request_bytes(method, path, headers, body):
    if body is not None and not isinstance(body, bytes):
        body = body.encode()
    fields = {"Host": "localhost", **headers}
    if body is not None and "Content-Length" not in fields and "Transfer-Encoding" not in fields:
        fields["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


def exchange(address, method, path, headers=None, body=None, context=None):
    connection = Connection(address, context)
    try:
        connection.send(request_bytes(method, path, headers or {}, body))
        return connection.read(method == "HEAD")
    finally:
        connection.close()


def make_certificate(folder, name, common_name):
    """A certificate of its own authority; the paths of certificate and key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={common_name}", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True)
    return certificate, key


class Service:
    """`billd serve --dev`; every API has a listener of its own as well, Stancer's with TLS."""

    def __init__(self, billd):
        self.billd = billd
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="billd-faces-"))
        self.state = self.folder / "state"
        self.certificate, self.key = make_certificate(self.folder, "server", "first")
        self.log_path = self.folder / "log"
        self.addresses = {}
        settings = {
            "partitions": "4",
            "faces.stancer.listen": "127.0.0.1:0",
            "faces.stancer.tls.certificate_file": self.certificate,
            "faces.stancer.tls.key_file": self.key,
            "faces.stancer.hosts": "stancer.test",
            "faces.stancer.path_prefix": "/pay",
            "faces.management.listen": "127.0.0.1:0",
            "faces.management.path_prefix": "/unipay",
            "faces.funding_sources.listen": "127.0.0.1:0",
            "faces.stripe.hosts": "stripe.test",
        }
        options = [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [billd, "serve", "--dev", "--state-dir", self.state, "--listen", "127.0.0.1:0", "--operators",
                 "127.0.0.1:0", *options], stdout=subprocess.PIPE, stderr=log)
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self.wait_for_log(r"funding_sources alone")
        log = self.log_path.read_text()
        self.api = re.search(r"serves http://([\d.:]+)", log)[1]
        for name in ("stancer", "management", "funding_sources"):
            self.addresses[name] = re.search(rf"{name} alone: https?://([\d.:]+)", log)[1]

    def wait_for_log(self, pattern, limit=60):
        until = time.monotonic() + limit
        while not re.search(pattern, self.log_path.read_text(errors="replace")):
            if self.process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"no {pattern!r} in the log:\n{self.log_path.read_text(errors='replace')}")
            time.sleep(0.01)

    def command(self, *arguments):
        """A command beside the running daemon; what it printed."""
        done = subprocess.run([self.billd, *arguments, "--state-dir", self.state], capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"billd {arguments} ended with {done.returncode}: {done.stderr}")
        return done.stdout.strip()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(60)
        log = self.log_path.read_text(errors="replace")
        shutil.rmtree(self.folder)
        return status, log


service = None  # started by run.py


def eventually(condition, limit=20):
    """Whether the condition comes true: a daemon hears of what commands do beside it within a second."""
    until = time.monotonic() + limit
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


class Api:
    """An API under one set of credentials, on the common listener unless another is named."""

    def __init__(self, authorization, address=None, **headers):
        self.headers = {"Authorization": authorization, **headers}
        self.address = address

    def __call__(self, method, path, body=None, **headers):
        fields = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        return exchange(self.address or service.api, method, path, fields, body)


def stripe(method, path, form="", key="sk_test_faces"):
    return exchange(service.api, method, path, {"Authorization": f"Bearer {key}",
                                                "Content-Type": "application/x-www-form-urlencoded"},
                    form if form else None)
