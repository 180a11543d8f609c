#!/usr/bin/env python3
"""Kills the daemon, its Redis, or both at random moments while they work, again and again, and then looks whether
anything was lost or done twice. Usage: kill_test.py BILLD BACKDATE.

What goes on meanwhile: the work of a stop of forty days, to be done in order and one period at a time, and programs
that create customers and subscriptions, each request repeated under its idempotency key until it is answered.
BILLD_SEED repeats a run's choices; BILLD_LONG kills ten times as often.
"""
import os
import random
import signal
import subprocess
import threading
import time

import processes

ACCOUNTS, DAYS = 250, 40
WRITERS = 4


class Writer(threading.Thread):
    """A program that creates customers, each with a subscription, and remembers what was acknowledged."""

    def __init__(self, daemon, number, plan):
        super().__init__(daemon=True)
        self.api, self.number, self.plan = daemon, number, plan
        self.is_stopping = False
        self.acknowledged = []  # (path, form, key, id)
        self.in_progress = []  # (path, form, key): whoever began it was killed, and its charge is not resolved yet
        self.problem = None

    def run(self):
        try:
            count = 0
            while not self.is_stopping:
                count += 1
                name = f"writer-{self.number}-{count}"
                customer = self.post("/v1/customers", {"email": f"{name}@example.com", "source": "tok_visa"}, name)
                if customer is not None:
                    self.post("/v1/subscriptions", {"customer": customer, "items[0][plan]": self.plan}, f"{name}-s")
        except Exception as problem:  # pylint: disable=broad-except
            self.problem = repr(problem)

    def post(self, path, form, key):
        """The identifier of what was made; None when there is no answer for now."""
        while not self.is_stopping:
            try:
                status, answer = self.api.request("POST", path, form, key)
            except processes.Unanswered:
                time.sleep(0.05)
                continue
            if status == 200:
                self.acknowledged.append((path, form, key, answer["id"]))
                time.sleep(0.01)
                return answer["id"]
            assert status in (409, 429, 503), f"POST {path} was answered with {status}: {answer}"
            if status == 409:
                self.in_progress.append((path, form, key))
                return None
            time.sleep(0.05)
        return None

    def ask_again(self):
        """Repeats what was in progress, when all has had its time."""
        for path, form, key in self.in_progress:
            status, answer = self.api.request("POST", path, form, key)
            assert status == 200, f"POST {path} is still answered with {status}: {answer}"
            self.acknowledged.append((path, form, key, answer["id"]))


def kill_again_and_again(daemon, rounds, choices):
    """Ends with the daemon running."""
    killed = {"daemon": 0, "redis": 0, "both": 0}
    for number in range(rounds):
        # Now and then it is hit before it serves, in the middle of taking up its work.
        if choices.random() < 0.8:
            daemon.wait_until_serving()
        time.sleep(choices.uniform(0.02, 1.2))
        victim = choices.choice(["daemon", "redis"] if number % 5 else ["both"])
        killed[victim] += 1
        if victim != "daemon":
            redis = daemon.redis()
            if redis is not None:
                try:
                    os.kill(redis, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        if victim != "redis":
            daemon.kill()
            daemon.start()
        elif not daemon.is_running():
            raise AssertionError(f"the daemon ended because Redis did:\n{daemon.log_end()}")
    return killed


def awaits_outcomes(daemon):
    """Whether a charge is still to be asked after, which happens the more rarely the longer it is open."""
    return any(queue["name"] == "collection" and queue["waiting"] > 0 for queue in daemon.status()["queues"])


def check_backlog(daemon, days):
    """Each day of the stop was billed once, in order, and paid by one charge."""
    invoices = {}
    for invoice in daemon.list("/v1/invoices"):
        invoices.setdefault(invoice["customer"], []).append(invoice)
    backdated = [customer for customer in daemon.list("/v1/customers")
                 if customer["email"].startswith("customer-")]
    assert len(backdated) == ACCOUNTS, f"{len(backdated)} of {ACCOUNTS} customers are there"
    for customer in backdated:
        # Newest first, as every list.
        own = invoices[customer["id"]][::-1]
        assert len(own) == days + 1, f"{customer['id']} has {len(own)} invoices instead of {days + 1}"
        assert all(invoice["status"] == "paid" for invoice in own), customer["id"]
        assert len({invoice["charge"] for invoice in own}) == len(own), f"{customer['id']}: a charge pays two invoices"
        starts = [invoice["lines"]["data"][0]["period"]["start"] for invoice in own]
        expected = [starts[0] + day * 86400 for day in range(days + 1)]
        assert starts == expected, f"{customer['id']} was billed for {starts}"


def check_acknowledged(daemon, writers):
    """What was acknowledged is there, and the same request has the same answer."""
    count = 0
    for writer in writers:
        for path, form, key, identifier in writer.acknowledged:
            daemon.get(f"{path}/{identifier}")
            status, answer = daemon.request("POST", path, form, key)
            assert (status, answer.get("id")) == (200, identifier), f"{key} has {status} {answer}, not {identifier}"
            count += 1
    emails = [customer["email"] for customer in daemon.list("/v1/customers")]
    assert len(emails) == len(set(emails)), "a customer was created twice"
    return count


def run(billd, backdate, folder, seed):
    choices = random.Random(seed)
    rounds = 500 if os.environ.get("BILLD_LONG") else 50
    fast = {"billing.invoice_finalize_delay": "0s", "billing.charge_resolve_after": "1s",
            "jobs.lease_interval": "100ms", "jobs.lease_timeout": "500ms"}
    # A gateway that takes its time, and little at once, so that the work lasts as long as the killing.
    slow = {**fast, "gateways.test.latency": "100ms", "jobs.in_flight_max": "12", "jobs.batch_max": "12"}
    daemon = processes.Daemon(billd, folder, "kill", **slow)
    subprocess.run([backdate, str(ACCOUNTS), str(DAYS), f"state_directory={folder / 'kill'}"], check=True, timeout=120)
    daemon.start()
    daemon.wait_until_serving()
    writers = [Writer(daemon, number, "daily") for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        killed = kill_again_and_again(daemon, rounds, choices)
        daemon.wait_until_serving()
    finally:
        for writer in writers:
            writer.is_stopping = True
        for writer in writers:
            writer.join(30)
    for writer in writers:
        assert writer.problem is None, writer.problem

    assert daemon.stop() == 0, f"the daemon does not stop in order:\n{daemon.log_end()}"
    daemon.settings = fast
    daemon.start()
    daemon.wait_until_serving()
    began = time.monotonic()
    processes.wait_until(lambda: processes.is_all_done(daemon) and not awaits_outcomes(daemon), 90,
                         "not everything is done: " + str(daemon.status()))
    took = time.monotonic() - began
    check_backlog(daemon, DAYS)
    for writer in writers:
        writer.ask_again()
    count = check_acknowledged(daemon, writers)
    assert daemon.stop() == 0, f"the daemon does not stop in order:\n{daemon.log_end()}"
    status, report = daemon.verify()
    assert status == 0, f"verify finds:\n{report}"
    again = sum(len(writer.in_progress) for writer in writers)
    print(f"killed {killed}, {count} acknowledged requests ({again} of them only when repeated in the end), "
          f"the rest of the work took {took:.1f} s")


if __name__ == "__main__":
    processes.run_with_seed(run, "kill")
