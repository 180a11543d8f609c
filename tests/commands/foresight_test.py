"""`billd explain` and `billd forecast` beside a daemon with data, and the explanations that operators read by HTTP."""
import datetime
import json
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "faults"))
import processes  # noqa: E402

billd = sys.argv[1]
today = datetime.datetime.now(datetime.timezone.utc)
YEAR_LATER = (today + datetime.timedelta(days=370)).strftime("%Y-%m-%d")


def run(daemon, *arguments, status=0):
    done = subprocess.run([*daemon.arguments(arguments[0]), *map(str, arguments[1:])], capture_output=True, text=True,
                          check=False, timeout=120)
    assert done.returncode == status, f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout if status == 0 else done.stderr


def made(daemon, path, form):
    status, answer = daemon.request("POST", path, form)
    assert status == 200, f"{path} {form}: {answer}"
    return answer


def fill(daemon):
    """Two customers in real time with three currencies' worth of plans, and one on a test clock."""
    for plan, amount, currency, interval in (("gold", 2000, "usd", "month"), ("yen", 500, "jpy", "year")):
        made(daemon, "/v1/plans", {"id": plan, "amount": amount, "currency": currency, "interval": interval,
                                   "product[name]": plan})
    ann = made(daemon, "/v1/customers", {"email": "ann@example.com", "source": "tok_visa"})["id"]
    bob = made(daemon, "/v1/customers", {"email": "bob@example.com", "source": "tok_visa"})["id"]
    of_ann = made(daemon, "/v1/subscriptions", {"customer": ann, "items[0][plan]": "gold"})
    made(daemon, "/v1/subscriptions", {"customer": bob, "items[0][plan]": "yen"})
    carl = made(daemon, "/v1/customers", {"email": "carl@example.com", "source": "tok_visa"})["id"]
    made(daemon, "/v1/subscriptions", {"customer": carl, "items[0][plan]": "gold", "collection_method": "send_invoice",
                                       "days_until_due": 7})
    clock = made(daemon, "/v1/test_helpers/test_clocks", {"frozen_time": 1704103200})["id"]  # 2024-01-01 10:00:00
    dora = made(daemon, "/v1/customers", {"email": "dora@example.com", "source": "tok_visa", "test_clock": clock})["id"]
    of_dora = made(daemon, "/v1/subscriptions", {"customer": dora, "items[0][plan]": "gold"})
    made(daemon, f"/v1/test_helpers/test_clocks/{clock}/advance", {"frozen_time": 1709373600})  # 2024-03-02 10:00:00
    processes.wait_until(lambda: daemon.get(f"/v1/test_helpers/test_clocks/{clock}")["status"] == "ready", 30,
                         "the clock does not arrive")
    return {"ann": ann, "bob": bob, "carl": carl, "dora": dora, "clock": clock, "of_ann": of_ann["id"],
            "of_dora": of_dora["id"], "invoice": of_ann["latest_invoice"]}


def explains(daemon, book):
    text = run(daemon, "explain", book["of_dora"])
    for sentence in (f"Subscription {book['of_dora']} of customer {book['dora']} is active. It began on 2024-01-01 "
                     "10:00:00 UTC.", "1 of gold at $20.00 every month",
                     "is paid: $20.00 for period 0.", "is paid: $20.00 for period 1.", "is paid: $20.00 for period 2.",
                     "Attempt 1 on 2024-02-01 11:00:00 UTC", "On 2024-04-01 10:00:00 UTC period 3 begins.",
                     "What comes next"):
        assert sentence in text, f"{sentence!r} is not in:\n{text}"
    whole = json.loads(run(daemon, "explain", book["of_dora"], "--json"))
    assert whole["id"] == book["of_dora"]
    assert [section["title"] for section in whole["sections"]] == ["What it is", "What was billed", "What comes next"]
    spoken = [sentence for section in whole["sections"] for sentence in section["sentences"]]
    assert all(sentence in text for sentence in spoken)
    assert f"Customer {book['dora']} was created" in run(daemon, "explain", book["dora"])
    invoice = run(daemon, "explain", book["invoice"])
    assert f"It bills period 0 of subscription {book['of_ann']}." in invoice, invoice
    assert "There is no customer, subscription, schedule or invoice sub_none." in run(daemon, "explain", "sub_none",
                                                                                      status=1)
    # The same by HTTP, for programs, in a terminal and in a browser.
    path = f"http://{daemon.operators}/explain/{book['of_dora']}"
    answers = {}
    for accepted in ("application/json", "text/plain", "text/html"):
        with urllib.request.urlopen(urllib.request.Request(path, headers={"Accept": accepted}), timeout=10) as answer:
            answers[accepted] = answer.read().decode()
    assert json.loads(answers["application/json"]) == whole
    assert answers["text/plain"] == text
    assert all(f"<h2>{section['title']}</h2>" in answers["text/html"] for section in whole["sections"])
    status, answer = processes.ask(daemon.operators, "GET", "/explain/sub_none", None, {}, 10)
    assert status == 404 and answer["error"]["param"] == "id", answer


def forecasts(daemon, book):
    whole = json.loads(run(daemon, "forecast", "--until", YEAR_LATER, "--mode", "test", "--json"))
    assert whole["mode"] == "test" and whole["until"] == YEAR_LATER, whole
    assert whole["customers"] == 3 and whole["on_test_clocks"] == 1 and whole["unforeseen"] == 0, whole
    assert whole["days"] == sorted(whole["days"], key=lambda day: (day["day"], day["currency"])), "in order"
    def lines(of, **wanted):
        return [day for day in of["days"] if all(day[name] == value for name, value in wanted.items())]
    charged = lines(whole, currency="usd", collection="charge_automatically")
    assert len(charged) in (12, 13) and all(day["amount"] == 2000 * day["payments"] for day in charged), charged
    assert [day["amount"] for day in lines(whole, currency="jpy")] == [500], whole
    assert len(lines(whole, collection="send_invoice")) in (12, 13), "due a week after each is drawn up"

    of_ann = json.loads(run(daemon, "forecast", "--until", YEAR_LATER, "--customer", book["ann"], "--json"))
    assert of_ann["mode"] == "test" and of_ann["customers"] == 1, "she is found where she is"
    assert of_ann["days"] == charged, of_ann
    text = run(daemon, "forecast", "--until", YEAR_LATER, "--customer", book["ann"])
    for day in of_ann["days"]:
        assert f"{day['day']}         1  $20.00\n" in text, text
    assert f"in all      {len(charged):8}  ${20 * len(charged)}.00\n" in text, text

    # In the time of a test clock: the next payment is an hour after the period's end.
    on_clock = json.loads(run(daemon, "forecast", "--until", "2024-05-31", "--test-clock", book["clock"], "--json"))
    assert [day["day"] for day in on_clock["days"]] == ["2024-04-01", "2024-05-01"], on_clock
    assert on_clock["from"] == 1709373600, on_clock
    assert on_clock["days"] == json.loads(run(daemon, "forecast", "--until", "2024-05-31", "--customer", book["dora"],
                                              "--json"))["days"]
    # And then it comes true.
    made(daemon, f"/v1/test_helpers/test_clocks/{book['clock']}/advance", {"frozen_time": 1717113600})  # 2024-05-31
    processes.wait_until(lambda: daemon.get(f"/v1/test_helpers/test_clocks/{book['clock']}")["status"] == "ready", 30,
                         "the clock does not arrive")
    charges = [charge for charge in daemon.list(f"/v1/charges?customer={book['dora']}")
               if charge["created"] > 1709373600]
    assert sorted((datetime.datetime.fromtimestamp(charge["created"], datetime.timezone.utc).strftime("%Y-%m-%d"),
                   charge["amount"]) for charge in charges) == [(day["day"], day["amount"]) for day in on_clock["days"]]

    nothing = run(daemon, "forecast", "--until", YEAR_LATER)
    assert "Nothing will be charged" in nothing and "--mode test" in nothing, nothing
    for options, problem in (
            (["--until", "tomorrow"], "--until must be a day like 2026-12-31"),
            (["--until", "2026-02-30"], "--until must be a day like 2026-12-31"),
            (["--until", "2020-01-01"], "--until must not be over"),
            (["--until", YEAR_LATER, "--customer", "cus_none"], "There is no customer cus_none."),
            (["--until", YEAR_LATER, "--customer", book["ann"], "--mode", "live"], "There is no customer"),
            (["--until", YEAR_LATER, "--test-clock", "clock_none"], "There is no test clock clock_none.")):
        assert problem in run(daemon, "forecast", *options, status=1), (options, problem)


def shows_progress(daemon):
    parent, child = pty.openpty()
    done = subprocess.run([*daemon.arguments("forecast"), "--until", YEAR_LATER, "--mode", "test"],
                          stdout=subprocess.PIPE, stderr=child, text=True, check=True, timeout=120)
    os.close(child)
    shown = os.read(parent, 65536).decode()
    assert "4 of 4 customers" in shown and shown.endswith("\r\033[K"), repr(shown)
    assert "customers\r" not in done.stdout, "the result stands alone"


def keyspace(socket):
    """Every key and its value, as Redis would restore it."""
    keys = subprocess.run(["redis-cli", "-s", socket, "--scan"], capture_output=True, check=True).stdout.splitlines()
    script = ("local all = {} "
              "for i, key in ipairs(KEYS) do all[i] = redis.sha1hex(redis.call('DUMP', key)) end return all")
    values = subprocess.run(["redis-cli", "-s", socket, "EVAL", script, str(len(keys)), *keys], capture_output=True,
                            check=True).stdout.splitlines()
    assert len(values) == len(keys) > 20
    return dict(zip(keys, values))


def writes_nothing(folder):
    """On a Redis of its own whose daemon has stopped, so that nobody else writes either."""
    redis = processes.Redis(folder)
    daemon = processes.Daemon(billd, folder, "quiet", **{"redis.address": f"unix:{redis.socket}"})
    try:
        daemon.start()
        daemon.wait_until_serving()
        book = fill(daemon)
        assert daemon.stop() == 0
        before = keyspace(redis.socket)
        run(daemon, "forecast", "--until", YEAR_LATER, "--mode", "test")
        run(daemon, "forecast", "--until", "2025-01-01", "--test-clock", book["clock"])
        run(daemon, "forecast", "--until", YEAR_LATER, "--customer", book["ann"])
        run(daemon, "explain", book["of_ann"])
        assert keyspace(redis.socket) == before
    finally:
        redis.end()


with tempfile.TemporaryDirectory(prefix="billd-foresight-") as name:
    place = pathlib.Path(name)
    there = processes.Daemon(billd, place, "there")
    there.start()
    try:
        there.wait_until_serving()
        everything = fill(there)
        explains(there, everything)
        forecasts(there, everything)
        shows_progress(there)
        assert there.stop() == 0
        # Without a daemon as well: its data is opened for as long as it takes.
        assert "is active" in run(there, "explain", everything["of_ann"])
        writes_nothing(place)
    finally:
        processes.end_all()
