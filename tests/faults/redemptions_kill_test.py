#!/usr/bin/env python3
"""Kills the daemon again and again between the steps of redemptions: a coupon that may be redeemed so often is redeemed
exactly so often in the end, whoever was killed, and every redemption that was acknowledged holds.
Usage: redemptions_kill_test.py BILLD BACKDATE. BILLD_SEED repeats a run's choices.
"""
import random
import subprocess
import threading
import time

import processes

LIMIT, WRITERS, KILLS = 1500, 8, 20
CLAIMS, PARTITIONS = "t:{catalog}:rc", 16


class Customer(threading.Thread):
    """A program that gives every new customer the coupon, each request repeated until it is answered."""

    def __init__(self, daemon, number):
        super().__init__(daemon=True)
        self.api, self.number = daemon, number
        self.is_stopping = False
        self.redeemed, self.refused = [], 0
        self.problem = None

    def run(self):
        try:
            count = 0
            while not self.is_stopping:
                count += 1
                self.post(f"customer-{self.number}-{count}")
                time.sleep(0.005)
        except Exception as problem:  # pylint: disable=broad-except
            self.problem = repr(problem)

    def post(self, name):
        form = {"email": f"{name}@example.com", "coupon": "LIMITED"}
        while not self.is_stopping:
            try:
                status, answer = self.api.request("POST", "/v1/customers", form, name)
            except processes.Unanswered:
                time.sleep(0.02)
                continue
            if status == 200:
                self.redeemed.append(answer["id"])
                return
            if status == 400:
                assert "redeemed as often as it may be" in answer["error"]["message"], answer
                self.refused += 1
                return
            assert status in (409, 429, 503), f"answered with {status}: {answer}"
            if status == 409:
                return  # Whoever began it was killed.
            time.sleep(0.02)


class Store:
    """What the daemon's Redis holds of redemptions under way."""

    def __init__(self, folder):
        self.socket = folder / "kill" / "redis" / "redis.sock"

    def ask(self, *words):
        done = subprocess.run(["redis-cli", "-s", str(self.socket), *words], capture_output=True, text=True, timeout=10)
        return done.stdout.split()

    def marks_under_way(self):
        return set(self.ask("HKEYS", CLAIMS))

    def marks_committed(self):
        return {mark for partition in range(PARTITIONS) for mark in self.ask("HKEYS", f"t:{{p{partition}}}:m")}


def kill_between_steps(daemon, store, choices):
    """How many redemptions were under way when their daemon died: before their commit, and after it."""
    before, after, seen = 0, 0, set()
    for _ in range(KILLS):
        daemon.wait_until_serving()
        time.sleep(choices.uniform(0.02, 0.3))
        daemon.kill()
        left = store.marks_under_way() - seen
        committed = left & store.marks_committed()
        before += len(left) - len(committed)
        after += len(committed)
        seen |= left
        daemon.start()
    daemon.wait_until_serving()
    return before, after


def use_up(daemon):
    """Redeems what is left of the coupon; how often that was."""
    for count in range(LIMIT + 1):
        status, answer = daemon.request("POST", "/v1/customers", {"coupon": "LIMITED"})
        if status == 400:
            return count
        assert status == 200, answer
    raise AssertionError("there is no end of redemptions")


def run(billd, _backdate, folder, seed):
    choices = random.Random(seed)
    daemon = processes.Daemon(billd, folder, "kill", **{"jobs.lease_interval": "100ms", "jobs.lease_timeout": "500ms"})
    store = Store(folder)
    daemon.start()
    daemon.wait_until_serving()
    status, answer = daemon.request("POST", "/v1/coupons", {
        "id": "LIMITED", "percent_off": "10", "duration": "forever", "max_redemptions": str(LIMIT)})
    assert status == 200, answer
    customers = [Customer(daemon, number) for number in range(WRITERS)]
    for customer in customers:
        customer.start()
    try:
        before, after = kill_between_steps(daemon, store, choices)
    finally:
        for customer in customers:
            customer.is_stopping = True
        for customer in customers:
            customer.join(30)
    for customer in customers:
        assert customer.problem is None, customer.problem
    assert before + after > 0, "no kill fell between the steps of a redemption"

    # Those of the dead are settled when they are old enough.
    processes.wait_until(lambda: not store.marks_under_way(), 90, "redemptions that are never settled")
    left = use_up(daemon)
    redeemed = {customer["id"] for customer in daemon.list("/v1/customers") if customer["discount"]}
    assert len(redeemed) == LIMIT, f"redeemed {len(redeemed)} times, not {LIMIT} times"
    coupon = daemon.get("/v1/coupons/LIMITED")
    assert coupon["times_redeemed"] == LIMIT, f"counted {coupon['times_redeemed']} times, not {LIMIT} times"
    acknowledged = {identifier for customer in customers for identifier in customer.redeemed}
    assert acknowledged <= redeemed, f"acknowledged and lost: {acknowledged - redeemed}"
    assert daemon.stop() == 0, f"the daemon does not stop in order:\n{daemon.log_end()}"
    status, report = daemon.verify()
    assert status == 0, f"verify finds:\n{report}"
    print(f"{KILLS} kills left {before} redemptions before their commit and {after} after it; {len(acknowledged)} were "
          f"acknowledged meanwhile, {left} in the end, {LIMIT} in all")


if __name__ == "__main__":
    processes.run_with_seed(run, "redemptions")
