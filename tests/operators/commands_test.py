"""What operators do from a terminal: queues, park, retry, unpark, pause, resume, top, doctor, tokens, verify."""
import http.server
import json
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "faults"))
import processes  # noqa: E402

billd = sys.argv[1]


def run(*arguments, status=0, **options):
    done = subprocess.run([billd, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL, **options)
    assert done.returncode == status, f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


def output(*arguments, **options):
    return run(*arguments, **options).stdout


def refusal(*arguments, status=1, **options):
    return run(*arguments, status=status, **options).stderr


def made_customers(daemon, count):
    status, answer = daemon.request("POST", "/v1/plans", {"id": "gold", "amount": 100, "currency": "usd",
                                                           "interval": "month", "nickname": "Gold"})
    assert status == 200, answer
    for i in range(count):
        status, customer = daemon.request("POST", "/v1/customers", {"email": f"{i}@example.com", "source": "tok_visa"})
        assert status == 200
        status, answer = daemon.request("POST", "/v1/subscriptions", {"customer": customer["id"], "plan": "gold"})
        assert status == 200, answer
        yield customer["id"]


def acts(daemon, at):
    first, second, third = made_customers(daemon, 3)
    assert "renewal" in output("queues", *at)
    assert "parked" in output("park", first, "--why", "to see it", *at)
    assert "is parked already" in refusal("park", first, "--why", "again", *at)
    output("park", second, "--why", "to see it", "--by", "anna", *at)
    listed = json.loads(output("queues", "--json", *at))
    assert sum(group["count"] for group in listed["parked"]) == 2, listed["parked"]
    assert "an operator parked it" in output("queues", *at)
    assert first[4:16] in output("queues", "renewal", *at)

    assert "say which" in refusal("retry", "--why", "x", *at)
    assert "repeat it with --yes" in refusal("retry", "--all", "--why", "x", *at)
    assert "no parked account matches" in refusal("retry", "--reason", "nothing", "--yes", "--why", "x", *at)
    assert "is not parked" in refusal("unpark", third, "--why", "x", *at)
    assert "back in its queues" in output("unpark", first, "--why", "mended", *at)
    done = json.loads(output("retry", "--all", "--yes", "--why", "mended", "--json", *at))
    assert done["done"] == 1 and done["failed"] == 0, done
    assert "no parked account matches" in refusal("retry", "--all", "--yes", "--why", "x", *at)
    assert "leads to no account" in refusal("park", "nonsense", "--why", "x", *at)
    assert "--why is required" in refusal("park", first, *at, status=106)

    assert "is paused" in output("pause", "collection", "--why", "the gateway is down", *at)
    assert "paused by" in output("queues", *at)
    assert "is paused already" in refusal("pause", "collection", "--why", "x", *at)
    assert "There is no queue" in refusal("pause", "nothing", "--why", "x", *at)
    doctor = json.loads(output("doctor", "--json", "--state-dir", daemon.folder / daemon.name))
    paused = next(finding for finding in doctor["findings"] if finding["subject"] == "paused queues")
    assert paused["severity"] == "warn" and "billd resume collection" in paused["remedy"], paused
    assert "goes on" in output("resume", "collection", "--why", "it is back", *at)
    redelivers(daemon, at)
    output("pause", "collection", "--why", "once more", *at)
    output("resume", "collection", "--why", "it is back", *at)
    entries = processes.ask(daemon.operators, "GET", "/status/audit", None, {}, 10)[1]["entries"]
    assert entries[0]["action"] == "resume" and entries[0]["why"] == "it is back"
    assert any(entry["who"] == "anna (unverified)" for entry in entries)
    assert [entry["number"] for entry in entries] == list(range(len(entries), 0, -1))


class Hooks:
    """A receiver of webhooks; it takes them, or does not."""

    def __init__(self):
        self.taken, self.is_well = [], True
        hooks = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                if hooks.is_well:
                    hooks.taken.append(self.headers["webhook-id"])
                self.send_response(200 if hooks.is_well else 500)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def redelivers(daemon, at):
    """Webhooks are paused, resumed and delivered again on the operators' listener, each in the audit log."""
    hooks = Hooks()
    url = f"http://127.0.0.1:{hooks.server.server_address[1]}/"
    status, endpoint = daemon.request("POST", "/v1/webhook_endpoints",
                                      {"url": url, "enabled_events[0]": "customer.created"})
    assert status == 200, endpoint
    assert "is paused" in output("pause", "webhook_delivery", "--why", "the receiver is being moved", *at)
    assert "is paused already" in refusal("pause", "webhook_delivery", "--why", "x", *at)
    time.sleep(1)  # every daemon hears of it within half a second
    assert daemon.request("POST", "/v1/customers", {"email": "hooks@example.com"})[0] == 200
    time.sleep(1)
    assert hooks.taken == [], "a paused queue was worked off"
    assert "goes on" in output("resume", "webhook_delivery", "--why", "it is moved", *at)
    processes.wait_until(lambda: hooks.taken, 20, "what waited does not come")
    [event] = hooks.taken

    def act(**action):
        body = json.dumps({"action": "redeliver", "by": "anna", "why": "asked for", **action})
        return processes.ask(daemon.operators, "POST", "/status/act", body,
                             {"Content-Type": "application/json"}, 10)

    status, answer = act(event=event)
    assert status == 200 and event in answer["text"], answer
    assert (answer["entry"]["action"], answer["entry"]["who"]) == ("redeliver", "anna (unverified)"), answer
    processes.wait_until(lambda: hooks.taken == [event, event], 20, "it is not delivered again")
    status, answer = act(since="0", endpoint=endpoint["id"])
    assert status == 200, answer
    processes.wait_until(lambda: len(hooks.taken) >= 3, 20, "nothing is delivered again")
    assert act(event="evt_nothing")[0] == 404
    assert act(since="0", endpoint="we_nothing")[0] == 404
    assert act(since="soon")[0] == 400
    listed = processes.ask(daemon.operators, "GET", "/status/webhooks", None, {}, 10)[1]
    assert endpoint["id"] in json.dumps(listed), listed
    daemon.request("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
    hooks.server.shutdown()


def sees(daemon, at):
    line = output("top", "--rounds", "1", "--json", *at)
    assert json.loads(line)["daemon"] == daemon.name
    # In a terminal: the other screen, drawn once, and left in order.
    parent, child = pty.openpty()
    done = subprocess.run([billd, "top", "--rounds", "2", "--interval", "100", *at], stdout=child, timeout=60,
                          check=False)
    os.close(child)
    screen = os.read(parent, 65536).decode()
    assert done.returncode == 0 and screen.startswith("\033[?1049h") and "Nothing is late" in screen, screen
    report = json.loads(output("doctor", "--json", "--state-dir", daemon.folder / daemon.name))
    subjects = {finding["subject"] for finding in report["findings"]}
    assert {"appendfsync", "file descriptors", "a round trip to Redis", "what Redis acknowledged"} <= subjects, subjects
    for finding in report["findings"]:
        assert (finding["severity"] == "fine") == (finding["remedy"] == ""), finding
        assert (finding["severity"] == "fine") == (finding["consequence"] == ""), finding


def checks(daemon, folder):
    """A daemon's own configuration is good, also while it runs; what is not is named with what to do."""
    state = folder / daemon.name
    assert state.stat().st_mode & 0o777 == 0o700, "billd keeps its directory to itself"
    ours = ["--state-dir", state, "--set", f"api.listen={daemon.api}", "--set", f"operators.listen={daemon.operators}"]
    report = json.loads(output("check-config", "--json", *ours))
    found = {finding["setting"]: finding for finding in report["findings"]}
    assert not report["refuses"], report
    assert found["api.listen"]["value"].endswith("where the running daemon listens"), found["api.listen"]
    assert found["clock skew"]["severity"] == found["appendfsync"]["severity"] == "fine", found
    assert "is good" in output("check-config", *ours) or "warn" in output("check-config", *ours)

    key, certificate, other = folder / "listener.key", folder / "listener.pem", folder / "other.key"
    curve = ["-pkeyopt", "ec_paramgen_curve:P-256"]
    for words in (["req", "-x509", "-newkey", "ec", *curve, "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout",
                   key, "-out", certificate], ["genpkey", "-algorithm", "EC", *curve, "-out", other]):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
    tls = ["--set", f"api.tls.certificate_file={certificate}", "--set"]
    assert "which expires in" in output("check-config", *ours, *tls, f"api.tls.key_file={key}")
    told = run("check-config", *ours, *tls, f"api.tls.key_file={other}", status=1).stdout
    assert "is not that of the first certificate" in told, told
    key.chmod(0o644)
    told = run("check-config", *ours, *tls, f"api.tls.key_file={key}", status=1).stdout
    assert f"chmod o= {key}" in told and "until then no money" in told, told

    # A taken address is no reason to refuse: it may be systemd that keeps it. Without Redis billd does not start.
    elsewhere = ["--state-dir", folder / "nothing", "--set", f"api.listen={daemon.api}", "--set",
                 "operators.listen=127.0.0.1:0"]
    assert "where somebody listens" in output("check-config", *elsewhere)
    told = run("check-config", *elsewhere, "--set", "redis.address=127.0.0.1:1", status=1).stdout
    assert "should be a Redis that answers" in told, told

    # Nobody else's files are made in a stopped daemon's directory.
    if os.geteuid() == 0:
        foreign = folder / "foreign"
        foreign.mkdir(mode=0o700)
        os.chown(foreign, 12345, 12345)
        assert "sudo -u #12345" in refusal("keys", "list", "--state-dir", foreign)
        assert list(foreign.iterdir()) == []


def verifies(daemon, folder):
    state = ["--state-dir", folder / daemon.name]
    report = json.loads(output("verify", "--json", *state))
    assert report["figures"]["audit_entries"] > 5 and report["rules"]["audit"]["violations"] == 0
    assert report["audit_hash"] in daemon.log_path.read_text(), "the log has a copy"
    # One entry is changed behind billd's back.
    redis = ["redis-cli", "-s", str(folder / daemon.name / "redis" / "redis.sock")]
    entry = subprocess.run([*redis, "XRANGE", "{catalog}:audit", "-", "+", "COUNT", "1"], capture_output=True,
                           text=True, check=True)
    first = entry.stdout.split()[0]
    subprocess.run([*redis, "XDEL", "{catalog}:audit", first], check=True, capture_output=True)
    report = json.loads(output("verify", "--json", *state, status=1))
    assert "entry 1 is missing" in report["rules"]["audit"]["examples"][0]["found"], report["rules"]["audit"]


def makes_tokens(folder):
    tokens = folder / "tokens"
    make = ["tokens", "create", "--file", tokens, "--json"]
    anna = json.loads(output(*make, "--name", "anna", "--role", "act"))["token"]
    bob = json.loads(output(*make, "--name", "bob", "--role", "read"))["token"]
    assert tokens.stat().st_mode & 0o777 == 0o600
    assert anna not in tokens.read_text()
    assert "has a token for anna" in refusal(*make, "--name", "anna", "--role", "read")
    assert "read or act" in refusal(*make, "--name", "carl", "--role", "root")
    assert "set `operators.tokens_file`" in refusal("check-config", "--set", "operators.listen=0.0.0.0:0", status=2)

    daemon = processes.Daemon(billd, folder, "guarded", **{"operators.tokens_file": tokens})
    daemon.start()
    try:
        daemon.wait_until_serving()
        at = ["--at", f"http://{daemon.operators}"]
        assert "BILLD_OPERATOR_TOKEN" in refusal("queues", *at)
        assert "may look, not act" in refusal("pause", "renewal", "--why", "x", *at,
                                              env={**os.environ, "BILLD_OPERATOR_TOKEN": bob})
        (folder / "anna").write_text(anna + "\n")
        output("pause", "renewal", "--why", "x", "--token-file", folder / "anna", *at)
        queues = json.loads(output("queues", "--json", *at, env={**os.environ, "BILLD_OPERATOR_TOKEN": bob}))
        assert queues["queues"][0]["pause"]["by"] == "anna", queues
        # Who leaves is shut out with the next reload.
        tokens.write_text("".join(line for line in tokens.read_text().splitlines(True) if not line.startswith("bob")))
        daemon.process.send_signal(1)
        for _ in range(100):
            done = subprocess.run([billd, "queues", *at], env={**os.environ, "BILLD_OPERATOR_TOKEN": bob},
                                  capture_output=True, check=False)
            if done.returncode != 0:
                break
            time.sleep(0.05)
        assert done.returncode == 1, "bob's token is gone"
        assert daemon.stop() == 0
    finally:
        processes.end_all()


def remembers_its_history(daemon, folder):
    """The last day's history outlives a restart."""
    before = daemon.status()["lateness"]["day"]
    assert before, "there is a history"
    assert daemon.stop() == 0
    history = folder / daemon.name / "history"
    lines = history.read_text().splitlines()
    history.write_text("\n".join([f"{int(time.time()) // 60 * 60 - 3600} 5000000 7 1", *lines]) + "\n")
    daemon.start()
    daemon.wait_until_serving()
    lateness = daemon.status()["lateness"]
    assert lateness["last_day_milliseconds"] >= 5000, lateness
    assert any(step["done"] >= 7 for step in lateness["day"]), lateness


with tempfile.TemporaryDirectory(prefix="billd-commands-") as name:
    place = pathlib.Path(name)
    assert "Is it running?" in refusal("queues", "--at", "http://127.0.0.1:1")
    watched = processes.Daemon(billd, place, "watched")
    watched.start()
    try:
        watched.wait_until_serving()
        listener = ["--at", f"http://{watched.operators}"]
        acts(watched, listener)
        sees(watched, listener)
        checks(watched, place)
        verifies(watched, place)
        remembers_its_history(watched, place)
        assert watched.stop() == 0
        makes_tokens(place)
    finally:
        processes.end_all()
