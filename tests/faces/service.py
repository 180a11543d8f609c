"""A daemon of the tests' own with every listener, and raw HTTP to it: what is sent is what is written here."""
import base64
import contextlib
import http.server
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
import urllib.parse


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


class Processor:
    """What funding sources are charged through: charges at an API like Stripe's, as they were asked for."""

    def __init__(self):
        processor = self
        self.forms, self.answers = [], {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                status, answer = processor.charge(self.path, form, self.headers["Idempotency-Key"])
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def charge(self, path, form, key):
        if key in self.answers:
            return self.answers[key]
        self.forms.append({"path": path, **form})
        id = f"ch_{len(self.forms)}"
        answer = 200, {"id": id, "object": "charge", "status": "succeeded", "amount": int(form["amount"]),
                       "currency": form["currency"]}
        if form["customer"].startswith("cus_decline"):
            answer = 402, {"error": {"type": "card_error", "code": "card_declined", "charge": id,
                                     "decline_code": "insufficient_funds"}}
        self.answers[key] = answer
        return answer

    def charged(self, customer):
        return [form for form in self.forms if form["customer"] == customer]


class Service:
    """`billd serve`; every API has a listener of its own as well, Stancer's with TLS. Settings are written with two
    underscores for each dot."""

    def __init__(self, billd, development=True, **more_settings):
        self.billd = billd
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="billd-faces-"))
        self.processor = Processor()
        processor_key = self.folder / "processor_key"
        processor_key.touch(0o600)
        processor_key.write_text("sk_test_0123456789abcdefghijklmn\n")
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
            "gateways.stripe.kind": "stripe",
            "gateways.stripe.url": self.processor.url,
            "gateways.stripe.key_file": processor_key,
            **{name.replace("__", "."): value for name, value in more_settings.items()},
        }
        options = [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]
        self.command_line = [billd, "serve", *(["--dev"] if development else []), "--state-dir", self.state, "--listen",
                             "127.0.0.1:0", "--operators", "127.0.0.1:0", *options]
        self.start()

    def start(self):
        """Starts the daemon; after kill() with what it left behind."""
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(self.command_line, stdout=subprocess.PIPE, stderr=log)
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self.wait_for_log(r"funding_sources alone")
        log = self.log_path.read_text()
        self.api = re.search(r"serves https?://([\d.:]+)", log)[1]
        self.addresses["operators"] = re.search(r"operators: https?://([\d.:]+)", log)[1]
        for name in ("stancer", "management", "funding_sources"):
            self.addresses[name] = re.search(rf"{name} alone: https?://([\d.:]+)", log)[1]

    def kill(self):
        """Ends the daemon without a word."""
        self.process.kill()
        self.process.wait(60)

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

    def redis(self, *arguments):
        """A command to the daemon's own Redis; what it answered, line by line."""
        done = subprocess.run(["redis-cli", "-s", self.state / "redis" / "redis.sock", *map(str, arguments)],
                              capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    @contextlib.contextmanager
    def damaged(self, customer):
        """For a while the account of the customer cannot be read."""
        [account] = self.redis("--scan", "--pattern", f"*:a:{customer.split('_')[1][:12]}")
        self.redis("RENAME", account, account + ":kept")
        self.redis("SET", account, "damaged")
        try:
            yield
        finally:
            self.redis("RENAME", account + ":kept", account)

    def stop(self):
        self.process.terminate()
        status = self.process.wait(60)
        self.processor.server.shutdown()
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
        self.headers = {"Authorization": authorization, **{name.replace("_", "-"): headers[name] for name in headers}}
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
