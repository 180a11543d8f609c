"""What billd tells systemd, and that a restart under load refuses no connection."""
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import threading
import time

import support

ANY_PORTS = '[api]\nlisten = "127.0.0.1:0"\n[operators]\nlisten = "127.0.0.1:0"\n'


def ask(port, method="GET", path="/v1/customers?limit=1", body=None, key=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": "Bearer sk_test_service"}
    if key:
        headers["Idempotency-Key"] = key
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def ask_for(port, method, path, body=None):
    """The object that is answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {"Authorization": "Bearer sk_test_service"})
        answer = connection.getresponse()
        told = json.loads(answer.read())
        assert answer.status == 200, told
        return told
    finally:
        connection.close()


def over_tls(port, path, accept="*/*"):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
    try:
        connection.request("GET", path, headers={"Accept": accept})
        answer = connection.getresponse()
        answer.read(100)
        return answer.status
    finally:
        connection.close()


class Service(support.InFolder):
    def test_readiness_status_and_end_are_told(self):
        service = self.service(ANY_PORTS)
        service.start()
        service.notify.wait_for("READY", "1")
        self.assertRegex(service.notify.values("STATUS")[-1], r"Nothing is late; .* partitions")
        service.process.terminate()
        service.notify.wait_for("STOPPING", "1")
        self.assertEqual(0, service.process.wait(60))

    def test_the_watchdog_is_fed_in_half_of_its_time(self):
        service = self.service(ANY_PORTS)
        service.start(watchdog_seconds=2)
        service.notify.wait_for("READY", "1")
        began = time.monotonic()
        support.wait_until(lambda: time.monotonic() - began > 4, "four seconds")
        fed = [at for at, fields in service.notify.messages if "WATCHDOG" in fields and at > began]
        self.assertGreaterEqual(len(fed), 3)
        self.assertLess(max(b - a for a, b in zip(fed, fed[1:])), 2)

    def test_a_daemon_that_hangs_does_not_feed_the_watchdog(self):
        service = self.service(ANY_PORTS)
        service.start(watchdog_seconds=1)
        service.notify.wait_for("READY", "1")
        service.process.send_signal(signal.SIGSTOP)
        time.sleep(0.2)
        count = len(service.notify.messages)
        time.sleep(1.5)
        self.assertEqual(count, len(service.notify.messages))
        service.process.send_signal(signal.SIGCONT)

    def test_a_reload_is_told_and_a_file_with_mistakes_changes_nothing(self):
        service = self.service(ANY_PORTS + '[log]\nlevel = "info"\n')
        service.start()
        service.notify.wait_for("READY", "1")
        service.configuration.write_text(ANY_PORTS + '[log]\nlevle = "debug"\n')
        service.process.send_signal(signal.SIGHUP)
        service.notify.wait_for("RELOADING", "1")
        support.wait_until(lambda: len(service.notify.values("READY")) == 2, "ready again")
        self.assertIn('log.level', service.log())
        self.assertIn("stays as it was", service.log())
        service.configuration.write_text(ANY_PORTS + '[log]\nlevel = "debug"\n')
        service.process.send_signal(signal.SIGHUP)
        support.wait_until(lambda: len(service.notify.values("READY")) == 3, "ready once more")
        self.assertIn('log.level is "debug" now, was "info"', service.log())

    def test_a_second_signal_hurries(self):
        service = self.service(ANY_PORTS)
        service.start()
        service.notify.wait_for("READY", "1")
        service.process.send_signal(signal.SIGSTOP)
        service.process.terminate()
        service.process.send_signal(signal.SIGCONT)
        service.notify.wait_for("STOPPING", "1")
        service.process.terminate()
        self.assertIn(service.process.wait(5), (0, 1))

    def restart_under_load(self, service, port, start):
        """Three restarts while eight clients ask without a pause, each request on a connection of its own. Every one
        is answered at its first try."""
        ends, statuses, failures = threading.Event(), [], []

        def load(number):
            count = 0
            while not ends.is_set():
                count += 1
                try:
                    statuses.append(ask(port, "POST", "/v1/customers", f"email=a{number}.{count}@example.com"))
                except (OSError, http.client.HTTPException) as error:
                    failures.append(repr(error))

        clients = [threading.Thread(target=load, args=(number,)) for number in range(8)]
        for client in clients:
            client.start()
        for _ in range(3):
            served = len(statuses)
            support.wait_until(lambda: len(statuses) > served + 40, "requests are answered")
            service.process.terminate()
            self.assertEqual(0, service.process.wait(60))
            start()
            service.notify.wait_for("READY", "1")
        served = len(statuses)
        support.wait_until(lambda: len(statuses) > served + 40, "requests are answered after the last restart")
        ends.set()
        for client in clients:
            client.join()
        self.assertEqual([], failures)
        self.assertEqual({200}, set(statuses))
        print(f"{len(statuses)} requests over three restarts, none failed", flush=True)

    def test_a_restart_with_a_socket_unit_refuses_no_connection(self):
        api = support.listening_socket()
        service = self.service('[operators]\nlisten = "127.0.0.1:0"\n')

        def start():
            service.start(sockets={"api": api.fileno()})

        start()
        service.notify.wait_for("READY", "1")
        self.restart_under_load(service, api.getsockname()[1], start)

    def test_a_restart_without_socket_unit_finds_the_sockets_that_systemd_kept(self):
        service = self.service(ANY_PORTS)
        service.start()
        service.notify.wait_for("READY", "1")
        stored = support.wait_until(
            lambda: service.notify.stored if len(service.notify.stored) == 2 else None, "two stored sockets")
        port = int(re.search(r"serves http://127\.0\.0\.1:(\d+)", service.log())[1])
        self.restart_under_load(service, port, lambda: service.start(sockets=stored))

    def test_systemd_socket_activate_starts_it_with_the_first_connection(self):
        free = support.listening_socket()
        port = free.getsockname()[1]
        free.close()
        service = self.service('[operators]\nlisten = "127.0.0.1:0"\n')
        activator = subprocess.Popen(
            ["systemd-socket-activate", f"--listen=127.0.0.1:{port}", "--fdname=api", str(support.BILLD), "serve",
             "--dev", "--config", str(service.configuration), "--state-dir", str(self.folder / "state")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(activator.wait)
        self.addCleanup(activator.terminate)

        def answered():
            try:
                return ask(port) == 200
            except OSError:
                return False

        support.wait_until(answered, "an answer through the activated socket")

    def test_every_system_call_is_one_that_the_unit_allows(self):
        if not shutil.which("strace"):
            self.fail("strace is missing: scripts/install-packages check installs it")
        allowed = set()
        for group in ["@system-service"]:
            allowed |= self.calls_of(group)
        for group in ["@privileged", "@resources"]:
            allowed -= self.calls_of(group)
        credentials = self.folder / "credentials"
        credentials.mkdir()
        secret = credentials / "webhook-secret"
        secret.write_text("a secret that systemd hands over, of more than 32 bytes\n")
        secret.chmod(0o400)
        certificate, key = self.certificate()
        service = self.service(ANY_PORTS + f'[operators.tls]\ncertificate_file = "{certificate}"\nkey_file = "{key}"\n'
                               '[webhooks]\nsecret_file = "webhook-secret"\n')
        trace = self.folder / "trace"
        environment = dict(os.environ, NOTIFY_SOCKET=service.notify.path, CREDENTIALS_DIRECTORY=str(credentials))
        traced = subprocess.Popen(
            ["strace", "-f", "-c", "-U", "name", "-o", str(trace), str(support.BILLD), "serve", "--dev", "--config",
             str(service.configuration), "--state-dir", str(self.folder / "state")], env=environment,
            stdout=open(self.folder / "output", "ab"), stderr=subprocess.STDOUT)
        self.addCleanup(lambda: traced.poll() is None and traced.kill())
        service.notify.wait_for("READY", "1", limit=120)
        self.work_of_all_kinds(service, self.child_of(traced.pid))
        os.kill(self.child_of(traced.pid), signal.SIGTERM)
        traced.wait(120)
        called = {line.strip() for line in trace.read_text().splitlines()}
        called = {name for name in called if re.fullmatch(r"[a-z0-9_]+", name)} - {"syscall", "total"}
        self.assertGreater(len(called), 30)
        self.assertLessEqual({"fdatasync", "accept4", "connect"}, called)
        self.assertEqual(set(), called - allowed)

    def child_of(self, process):
        found = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True, check=True)
        return int(found.stdout.split()[0])

    def certificate(self):
        certificate, key = self.folder / "certificate.pem", self.folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        return certificate, key

    def work_of_all_kinds(self, service, daemon):
        """What a daemon does in its life: requests, renewals, webhooks, TLS, the live page, a reload, a rewrite."""
        port = int(re.search(r"serves http://127\.0\.0\.1:(\d+)", service.log())[1])
        operators = int(re.search(r"https://127\.0\.0\.1:(\d+)", service.log())[1])
        receiver = self.receiver()
        told = ask_for(port, "POST", "/v1/webhook_endpoints",
                       f"url=http://127.0.0.1:{receiver.server_port}/&enabled_events[]=*")
        self.assertTrue(told["secret"].startswith("whsec_"), told)
        clock = ask_for(port, "POST", "/v1/test_helpers/test_clocks", "frozen_time=1767225600")["id"]
        ask_for(port, "POST", "/v1/plans", "id=gold&amount=100&currency=usd&interval=month&product[name]=Gold")
        for number in range(20):
            customer = ask_for(port, "POST", "/v1/customers",
                               f"email={number}@example.com&source=tok_visa&test_clock={clock}")["id"]
            ask_for(port, "POST", "/v1/subscriptions", f"customer={customer}&plan=gold")
        ask_for(port, "POST", f"/v1/test_helpers/test_clocks/{clock}/advance", "frozen_time=1769990400")
        support.wait_until(
            lambda: ask_for(port, "GET", f"/v1/test_helpers/test_clocks/{clock}")["status"] == "ready", "a month")
        support.wait_until(lambda: "invoice.paid" in receiver.seen, "the webhook of a renewal")
        for path in ("/status", "/metrics", "/openapi.json", "/healthz"):
            self.assertEqual(200, over_tls(operators, path))
        self.assertEqual(200, over_tls(operators, "/status", "text/event-stream"))
        redis = self.folder / "state" / "redis" / "redis.sock"
        subprocess.run(["redis-cli", "-s", str(redis), "BGREWRITEAOF"], check=True, capture_output=True)
        os.kill(daemon, signal.SIGHUP)
        service.notify.wait_for("RELOADING", "1")
        support.wait_until(lambda: "aof_rewrite_in_progress:0" in subprocess.run(
            ["redis-cli", "-s", str(redis), "INFO", "persistence"], capture_output=True, text=True).stdout,
            "the rewrite")

    def receiver(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.server.seen.add(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["type"])
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.seen = set()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def calls_of(self, group):
        listed = subprocess.run(["systemd-analyze", "syscall-filter", group], check=True, capture_output=True,
                                text=True).stdout
        calls = set()
        for line in listed.splitlines()[1:]:
            word = line.strip().split("#")[0].strip()
            if word.startswith("@"):
                calls |= self.calls_of(word)
            elif word:
                calls.add(word)
        return calls


if __name__ == "__main__":
    support.main()
