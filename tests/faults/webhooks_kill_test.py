#!/usr/bin/env python3
"""Kills the daemon, its Redis, or both again and again while webhooks are delivered, to a receiver that fails, stalls
and breaks off as well: every event arrives, and each customer's events arrive in their order.
Usage: webhooks_kill_test.py BILLD BACKDATE. BILLD_SEED repeats a run's choices.
"""
import http.server
import json
import os
import random
import signal
import socket
import threading
import time

import processes

CUSTOMERS, ROUNDS = 60, 25


class Receiver:
    """Remembers what it was sent, in the order in which it took it; misbehaves by chance while it is told to."""

    def __init__(self, choices):
        self.choices, self.lock = choices, threading.Lock()
        self.is_well = False
        self.taken = []  # (event, customer, sequence) of what was answered with 200
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.lock:
                    chance = 1.0 if receiver.is_well else receiver.choices.random()
                    if chance >= 0.2:
                        event = json.loads(body)["id"]
                        assert event == self.headers["webhook-id"]
                        receiver.taken.append((event, self.headers["Billd-Customer"],
                                               int(self.headers["Billd-Sequence"])))
                if chance < 0.02:
                    time.sleep(3)  # longer than the daemon waits
                elif chance < 0.06:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                self.send_response(200 if chance >= 0.2 else 302 if chance < 0.1 else 500)
                if chance < 0.1:
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # killed daemons break connections off

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def first_receptions(self):
        """By customer, the events in the order in which each of them was taken for the first time."""
        seen, by_customer = set(), {}
        with self.lock:
            for event, customer, sequence in self.taken:
                if event not in seen:
                    seen.add(event)
                    by_customer.setdefault(customer, []).append((sequence, event))
        return by_customer


def repeated(daemon, path, form, key):
    """Posts until it is answered."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            status, answer = daemon.request("POST", path, form, key)
        except processes.Unanswered:
            time.sleep(0.05)
            continue
        if status == 200:
            return answer
        assert status in (409, 429, 503), f"POST {path} was answered with {status}: {answer}"
        time.sleep(0.1)
    raise AssertionError(f"POST {path} was not answered")


def work(daemon, problems):
    """Customers who come, pay and change."""
    try:
        for number in range(CUSTOMERS):
            customer = repeated(daemon, "/v1/customers", {"source": "tok_visa", "email": f"c{number}@example.com"},
                                f"customer {number}")["id"]
            for step in range(4):
                repeated(daemon, f"/v1/customers/{customer}", {"name": f"Name {step}"}, f"name {number} {step}")
            repeated(daemon, "/v1/subscriptions", {"customer": customer, "items[0][plan]": "gold"},
                     f"subscription {number}")
    except Exception as problem:  # pylint: disable=broad-except
        problems.append(repr(problem))


def kill(daemon, choices, rounds, is_done):
    killed = 0
    for number in range(rounds):
        if is_done() and number > rounds // 2:
            break
        time.sleep(choices.uniform(0.1, 0.8))
        if number % 4 == 3:
            redis = daemon.redis()
            if redis is not None:
                os.kill(redis, signal.SIGKILL)
        if number % 4 != 1:
            daemon.kill()
            daemon.start()
        killed += 1
    daemon.wait_until_serving()
    return killed


def run(billd, _backdate, folder, seed):
    choices = random.Random(seed)
    receiver = Receiver(random.Random(seed + 1))
    daemon = processes.Daemon(billd, folder, "deliveries", **{
        "webhooks.timeout": "1s",
        "webhooks.retry_waits": "1s,1s,1s,2s,2s,2s,5s,5s,5s,5s",
        "webhooks.recheck_after": "1s", "jobs.lease_interval": "100ms", "jobs.lease_timeout": "500ms"})
    daemon.start()
    daemon.wait_until_serving()
    repeated(daemon, "/v1/plans", {"id": "gold", "amount": 2000, "currency": "usd", "interval": "month",
                                     "nickname": "Gold"}, "plan")
    endpoint = repeated(daemon, "/v1/webhook_endpoints", {"url": receiver.url, "enabled_events[0]": "*"}, "endpoint")
    problems = []
    worker = threading.Thread(target=work, args=(daemon, problems), daemon=True)
    worker.start()
    killed = kill(daemon, choices, ROUNDS, lambda: not worker.is_alive())
    worker.join(240)
    assert not worker.is_alive() and not problems, problems
    receiver.is_well = True

    events = {event["id"]: event for event in daemon.list("/v1/events")
              if event["data"]["object"]["object"] not in ("plan", "product", "price")}
    processes.wait_until(lambda: len({event for event, _, _ in receiver.taken}) >= len(events), 90,
                         f"{len({event for event, _, _ in receiver.taken})} of {len(events)} events arrived")
    taken = {event for event, _, _ in receiver.taken}
    assert taken == set(events), f"missing {set(events) - taken}, unknown {taken - set(events)}"
    for customer, received in receiver.first_receptions().items():
        sequences = [sequence for sequence, _ in received]
        assert sequences == sorted(sequences), f"{customer}: {sequences}"
        assert sequences == list(range(1, len(sequences) + 1)), f"{customer} has a gap: {sequences}"
    processes.wait_until(lambda: all(event["pending_webhooks"] == 0 for event in daemon.list("/v1/events")), 30,
                         "events stay pending that have arrived")
    assert daemon.get(f"/v1/webhook_endpoints/{endpoint['id']}")["status"] == "enabled"
    daemon.stop()
    print(f"{killed} kills: {len(events)} events of {CUSTOMERS} customers arrived in their order, "
          f"{len(receiver.taken) - len(taken)} of them more than once")


if __name__ == "__main__":
    processes.run_with_seed(run, "deliveries")
