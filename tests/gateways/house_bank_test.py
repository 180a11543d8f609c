#!/usr/bin/env python3
"""The walk of net/gateways/http_contract.md: a processor of fifty lines, connected to a real billd, and stopped and
killed while it is asked. Usage: house_bank_test.py PATH-TO-BILLD
"""
import base64
import json
import os
import pathlib
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import peer_test  # noqa: E402
from peer_test import DAY, START, Shop, free_port, private, processes, wait_until  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent


class HouseBank(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="billd-house-bank-")
        folder = pathlib.Path(cls.folder.name)
        cls.secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        cls.port, cls.ledger, cls.bank = free_port(), folder / "ledger.db", None
        cls.open_bank()
        cls.shop = Shop(folder, "shop", f"""
[gateways]
new_sources = "house-bank"

[gateways.house-bank]
kind = "http"
mode = "test"
url = "http://127.0.0.1:{cls.port}"
key_file = "{private(folder, 'key', cls.secret)}"
request_timeout = "2s"
breaker_failures = 1000

[webhook_sources.house-bank]
kind = "standard"
mode = "test"
secret_files = ["{folder / 'key'}"]
""", **{"partitions": "4", "billing.charge_resolve_after": "3s"})
        cls.shop.start()
        cls.shop.post("/v1/plans", id="gold", amount=2000, currency="eur", interval="month", nickname="Gold")

    @classmethod
    def tearDownClass(cls):
        cls.close_bank()
        processes.end_all()
        processes.end_redis(pathlib.Path(cls.folder.name) / "shop" / "redis" / "redis.sock")
        cls.folder.cleanup()

    @classmethod
    def open_bank(cls):
        cls.bank = subprocess.Popen([sys.executable, HERE / "house_bank.py", str(cls.port), cls.secret, cls.ledger],
                                    stderr=subprocess.DEVNULL)
        wait_until(cls.is_open, 20, "the bank does not open")

    @classmethod
    def is_open(cls):
        try:
            return processes.ask(f"127.0.0.1:{cls.port}", "POST", "/charge", "{}", {"webhook-signature": "x"}, 5)
        except processes.Unanswered:
            return False

    @classmethod
    def close_bank(cls):
        cls.bank.kill()
        cls.bank.wait()

    def booked(self, prefix):
        with sqlite3.connect(self.ledger) as connection:
            return [json.loads(answer) for key, answer in connection.execute("SELECT key, answer FROM booked")
                    if key.startswith(prefix)]

    def subscriber(self, source):
        clock = self.shop.post("/v1/test_helpers/test_clocks", frozen_time=START)["id"]
        customer = self.shop.post("/v1/customers", source=source, test_clock=clock)["id"]
        self.shop.post("/v1/subscriptions", customer=customer, **{"items[0][plan]": "gold"})
        return clock, customer

    def advance(self, clock, days):
        now = self.shop.get(f"/v1/test_helpers/test_clocks/{clock}")["frozen_time"]
        self.shop.post(f"/v1/test_helpers/test_clocks/{clock}/advance", frozen_time=now + days * DAY)

    def wait_for(self, clock, limit=60):
        wait_until(lambda: self.shop.get(f"/v1/test_helpers/test_clocks/{clock}")["status"] == "ready", limit,
                   "the clock does not arrive")

    def charges(self, customer):
        return list(self.shop.list(f"/v1/charges?customer={customer}"))

    def check_books(self, customer):
        """What billd says was paid is what the bank has booked, once for each key."""
        booked = {each["key"]: each for each in self.booked("ch_")}
        for charge in self.charges(customer):
            if charge["paid"]:
                self.assertEqual(("succeeded", 2000, "eur"), tuple(booked[charge["id"]][name] for name in
                                                                   ("outcome", "amount", "currency")))
            elif charge["failure_code"] != "processing_error":
                self.assertEqual("declined", booked[charge["id"]]["outcome"])

    def test_a_subscription_is_renewed_declined_and_refunded_through_it(self):
        clock, customer = self.subscriber("tok-17")
        for _ in range(2):
            self.advance(clock, 32)
            self.wait_for(clock)
        charges = self.charges(customer)
        self.assertEqual([True] * 3, [charge["paid"] for charge in charges])
        self.check_books(customer)
        refund = self.shop.post("/v1/refunds", charge=charges[0]["id"], amount=500)
        self.assertEqual("succeeded", refund["status"])
        self.assertEqual(500, next(each for each in self.booked("re_") if each["key"] == refund["id"])["amount"])

        clock = self.shop.post("/v1/test_helpers/test_clocks", frozen_time=START)["id"]
        poor = self.shop.post("/v1/customers", source="empty", test_clock=clock)["id"]
        self.shop.post("/v1/subscriptions", customer=poor, **{"items[0][plan]": "gold"})
        [declined] = self.charges(poor)
        self.assertEqual(("failed", "insufficient_funds"), (declined["status"], declined["outcome"]["reason"]))

    def test_a_bank_that_is_closed_when_a_renewal_is_due_charges_once_when_it_is_open_again(self):
        clock, customer = self.subscriber("tok-18")
        self.close_bank()
        self.advance(clock, 32)
        wait_until(lambda: len(list(self.shop.list(f"/v1/invoices?customer={customer}"))) == 2, 30, "no renewal")
        self.open_bank()
        self.wait_for(clock)
        self.assertEqual(2, sum(charge["paid"] for charge in self.charges(customer)))
        self.assertEqual(1, max(invoice["attempt_count"] for invoice in
                                self.shop.list(f"/v1/invoices?customer={customer}")))
        self.check_books(customer)

    def test_a_bank_that_is_killed_again_and_again_charges_once(self):
        subscribers = [self.subscriber(f"tok-{number}") for number in range(20, 28)]
        for clock, _ in subscribers:
            self.advance(clock, 64)
        for _ in range(6):
            self.close_bank()
            self.open_bank()
        for clock, customer in subscribers:
            self.wait_for(clock)
            self.assertEqual(3, sum(charge["paid"] for charge in self.charges(customer)))
            self.check_books(customer)

    def test_what_is_not_signed_moves_nothing(self):
        order = json.dumps({"key": "ch_forged", "source": "tok-1", "amount": 1, "currency": "eur"})
        status, _ = processes.ask(f"127.0.0.1:{self.port}", "POST", "/charge", order,
                                  {"webhook-id": "ch_forged", "webhook-signature": "v1,AAAA"}, 5)
        self.assertEqual(401, status)
        self.assertEqual([], self.booked("ch_forged"))


if __name__ == "__main__":
    peer_test.BILLD = sys.argv.pop(1)
    unittest.main(verbosity=2)
