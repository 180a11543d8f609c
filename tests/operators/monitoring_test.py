"""Metrics as Prometheus wishes them, rules and dashboard that name only metrics that there are: promtool is the judge.

Usage: monitoring_test.py PATH-TO-BILLD FOLDER. Ends with 77 ("skipped") where promtool is not installed."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "faults"))
import processes  # noqa: E402

billd, folder = sys.argv[1], pathlib.Path(sys.argv[2])
if shutil.which("promtool") is None:
    print("promtool is missing: scripts/install-packages check")
    sys.exit(77)


def promtool(*arguments, **options):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False, **options)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, f"promtool {' '.join(map(str, arguments))} ended with {done.returncode}"
    assert "warning" not in done.stderr.lower(), done.stderr


def exposed_metrics():
    """What a daemon answers after it has done something."""
    with tempfile.TemporaryDirectory(prefix="billd-monitoring-") as state:
        daemon = processes.Daemon(billd, state, "monitored")
        daemon.start()
        try:
            daemon.wait_until_serving()
            daemon.request("POST", "/v1/customers", {"email": "a@example.com", "source": "tok_visa"})
            daemon.request("POST", "/v1/plans", {"id": "gold", "amount": 100, "currency": "usd", "interval": "day",
                                               "nickname": "Gold"})
            customer = next(daemon.list("/v1/customers"))["id"]
            status, answer = daemon.request("POST", "/v1/subscriptions", {"customer": customer, "plan": "gold"})
            assert status == 200, answer
            address = f"http://{daemon.operators}/metrics"
            return subprocess.run(["curl", "-sSf", address], capture_output=True, text=True, check=True).stdout
        finally:
            if daemon.is_running():
                assert daemon.stop() == 0
            processes.end_all()


documentation = subprocess.run([billd, "metrics"], capture_output=True, text=True, check=True).stdout
written = next(folder.glob("*.md")).read_text(encoding="utf-8")
assert written == documentation, "write it anew: billd metrics > config/monitoring/metrics.md"
documented = {name: kind for name, kind in re.findall(r"^\| `(\w+)` \| (\w+) \|", documentation, re.M)}
assert len(documented) > 40

text = exposed_metrics()
promtool("check", "metrics", input=text)
typed = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
assert typed == documented, typed.keys() ^ documented.keys()
assert 'billd_gateway_charges_total{gateway="test",outcome="succeeded"} 1' in text, text

promtool("check", "rules", str(folder / "alerts.yml"))
promtool("test", "rules", "alerts_test.yml", cwd=folder)

dashboard = json.loads((folder / "dashboard.json").read_text())
expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
expressions += re.findall(r"expr: (.*)", (folder / "alerts.yml").read_text())
known = set(documented)
for name, kind in documented.items():
    if kind in ("histogram", "summary"):
        known |= {name + "_sum", name + "_count"} | ({name + "_bucket"} if kind == "histogram" else set())
used = {name for expression in expressions for name in re.findall(r"\b(?:billd|process)_\w+", expression)}
assert used, "the rules and the dashboard use metrics"
assert used <= known, f"there are no such metrics: {sorted(used - known)}"
print(f"{len(documented)} metrics, {len(used)} of them used")
