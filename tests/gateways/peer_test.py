#!/usr/bin/env python3
"""One billd charges through another as its Stripe: what the first renews, the second charges, refunds and declines; and
whatever happens to either of them or between them, no money moves twice.

    peer_test.py PATH-TO-BILLD [TEST...]
"""
import base64
import json
import os
import pathlib
import socket
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "faults"))
import processes  # noqa: E402
from processes import wait_until  # noqa: E402

BILLD = None
START = 1767225600  # 2026-01-01
DAY = 86400


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Shop(processes.Daemon):
    """A daemon on one port for all of its lives, with a configuration file."""

    def __init__(self, folder, name, configuration="", **settings):
        super().__init__(BILLD, folder, name, **settings)
        self.port = free_port()
        self.file = pathlib.Path(folder) / f"{name}.toml"
        self.file.write_text(configuration)

    def arguments(self, command):
        return [*super().arguments(command), "--config", str(self.file)]

    def listen(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        super().start()
        self.wait_until_serving()

    def post(self, path, expected=200, idempotency_key=None, **form):
        status, answer = self.request("POST", path, form, idempotency_key, limit=60)
        assert status == expected, f"POST {path} was answered with {status}: {answer}"
        return answer


def private(folder, name, text):
    path = pathlib.Path(folder) / name
    path.write_text(text + "\n")
    os.chmod(path, 0o600)
    return path


class Peers(unittest.TestCase):
    """`bank` is what `shop` knows as the gateway "stripe"."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="billd-peers-")
        folder = cls.folder.name
        cls.bank = Shop(folder, "bank", **{"partitions": "4", "billing.charge_resolve_after": "2s"})
        cls.bank_url = f"http://127.0.0.1:{cls.bank.port}"
        cls.bank.start()
        # The bank tells the shop what becomes of charges, as Stripe does.
        cls.endpoint = cls.bank.post("/v1/webhook_endpoints", url=f"{cls.bank_url}/webhooks/none",
                                     **{"enabled_events[0]": "*"})
        key = private(folder, "key", "sk_test_of_the_shop")
        secret = private(folder, "secret", cls.endpoint["secret"])
        cls.shop = Shop(folder, "shop", f"""
[gateways]
new_sources = "stripe"

[gateways.stripe]
kind = "stripe"
mode = "test"
url = "{cls.bank_url}"
key_file = "{key}"
request_timeout = "3s"
requests_per_second_max = 1000
breaker_failures = 1000

[webhook_sources.stripe]
kind = "stripe"
mode = "test"
secret_files = ["{secret}"]
""", **{"partitions": "4", "billing.charge_resolve_after": "5s", "billing.charge_pending_poll_after": "1m"})
        cls.shop.start()
        cls.bank.post(f"/v1/webhook_endpoints/{cls.endpoint['id']}",
                      url=f"http://127.0.0.1:{cls.shop.port}/webhooks/stripe")
        cls.shop.post("/v1/plans", id="gold", amount=2000, currency="usd", interval="month", nickname="Gold")

    @classmethod
    def tearDownClass(cls):
        processes.end_all()
        for daemon in (cls.bank, cls.shop):
            processes.end_redis(pathlib.Path(cls.folder.name) / daemon.name / "redis" / "redis.sock")
        cls.folder.cleanup()

    def setUp(self):
        self.bank.post("/v1/test_helpers/gateway_faults", faults="")

    def clock(self):
        return self.shop.post("/v1/test_helpers/test_clocks", frozen_time=START)["id"]

    def at_the_bank(self, token="tok_visa", kind="default"):
        """A customer of the bank with a card, and how the shop names what it charges."""
        customer = self.bank.post("/v1/customers", email="ada@example.com", source=token)
        if kind == "default":
            return customer["id"], customer["id"]
        if kind == "card":
            return customer["id"], f"{customer['id']}/{customer['default_source']}"
        method = self.bank.post("/v1/payment_methods", type="card", **{"card[token]": token})
        self.bank.post(f"/v1/payment_methods/{method['id']}/attach", customer=customer["id"])
        return customer["id"], f"{customer['id']}/{method['id']}"

    def subscriber(self, clock, reference):
        customer = self.shop.post("/v1/customers", email="ada@example.com", source=reference, test_clock=clock)
        subscription = self.shop.post("/v1/subscriptions", customer=customer["id"], **{"items[0][plan]": "gold"})
        return customer["id"], subscription["id"]

    def advance(self, clock, months):
        """So many months of 32 days, and until everything in them is done."""
        until = self.shop.get(f"/v1/test_helpers/test_clocks/{clock}")["frozen_time"] + months * 32 * DAY
        self.shop.post(f"/v1/test_helpers/test_clocks/{clock}/advance", frozen_time=until)
        self.wait_for(clock)

    def wait_for(self, clock, limit=120):
        wait_until(lambda: self.shop.get(f"/v1/test_helpers/test_clocks/{clock}")["status"] == "ready", limit,
                   "the clock does not arrive")

    def charges(self, daemon, customer):
        return list(daemon.list(f"/v1/charges?customer={customer}"))

    def check_books(self, customer, remote):
        """What the shop thinks was paid is what the bank has charged, once each."""
        invoices = list(self.shop.list(f"/v1/invoices?customer={customer}"))
        here = {charge["id"]: charge for charge in self.charges(self.shop, customer)}
        there = self.charges(self.bank, remote)
        moved = [charge["metadata"]["billd_charge"] for charge in there if charge["paid"]]
        self.assertEqual(len(moved), len(set(moved)), "a charge of the shop's moved money twice")
        paid_here = sorted(charge["id"] for charge in here.values() if charge["paid"])
        self.assertEqual(paid_here, sorted(moved))
        for charge in there:
            self.assertEqual(charge["amount"], 2000)
        per_invoice = {}
        for charge in here.values():
            if charge["paid"]:
                per_invoice[charge["invoice"]] = per_invoice.get(charge["invoice"], 0) + 1
        self.assertTrue(all(count == 1 for count in per_invoice.values()))
        self.assertEqual({invoice["id"] for invoice in invoices if invoice["paid"]}, set(per_invoice))
        return invoices

    def check_verify(self, daemon):
        status, report = daemon.verify()
        self.assertEqual(0, status, report)

    def test_renewals_are_charged_at_the_peer(self):
        clock = self.clock()
        given = [(*self.at_the_bank(kind=kind), kind) for kind in ("default", "card", "payment method")]
        subscribers = [(self.subscriber(clock, reference)[0], remote, kind) for remote, reference, kind in given]
        for _ in range(3):
            self.advance(clock, 1)
        for customer, remote, kind in subscribers:
            with self.subTest(kind):
                invoices = self.check_books(customer, remote)
                self.assertEqual([True] * 4, [invoice["paid"] for invoice in invoices])
                for charge in self.charges(self.bank, remote):
                    self.assertIsNone(charge["invoice"], "the bank bills nothing")
                self.assertEqual([], list(self.bank.list(f"/v1/invoices?customer={remote}")))
        self.assertEqual(404, self.bank.request("GET", "/v1/invoices/in_nothing")[0])
        self.check_verify(self.shop)
        self.check_verify(self.bank)

    def test_a_funding_source_pays_for_renewals_at_its_provider(self):
        admin = {"Authorization": "Basic " + base64.b64encode(b"admin:ps_test_demo").decode(),
                 "Content-Type": "application/json"}

        def sources(method, path, body=None):
            text = json.dumps(body) if body is not None else None
            status, answer = processes.ask(self.shop.api, method, path, text, admin, 10)
            self.assertLess(status, 300, answer)
            return answer

        for kind in ("default", "card"):
            with self.subTest(kind):
                clock = self.clock()
                remote, reference = self.at_the_bank(kind=kind)
                customer = self.shop.post("/v1/customers", email="ada@example.com", test_clock=clock)["id"]
                name = "ada-" + kind
                sources("POST", "/users", {"username": name, "customer": customer})
                path = f"/users/{name}/funding_sources"
                sources("POST", path, {"funding_sources": {"stripe": [{"remote_id": reference}]}})
                [source] = sources("GET", path)["funding_sources"]["stripe"]
                self.assertTrue(source["last_used"].startswith("0001-01-01"), source)
                subscribed = {"customer": customer, "items[0][plan]": "gold"}
                subscription = self.shop.post("/v1/subscriptions", **subscribed)["id"]
                used = []
                for _ in range(2):
                    [source] = sources("GET", path)["funding_sources"]["stripe"]
                    used.append(source["last_used"])
                    self.advance(clock, 1)
                [source] = sources("GET", path)["funding_sources"]["stripe"]
                used.append(source["last_used"])
                self.assertEqual(sorted(set(used)), used, "each renewal moves last_used on")
                self.assertEqual("active", self.shop.get(f"/v1/subscriptions/{subscription}")["status"])
                self.assertEqual(3, len(self.check_books(customer, remote)))

    def test_refunds_arrive_at_the_peer(self):
        clock = self.clock()
        for kind in ("default", "payment method"):
            with self.subTest(kind):
                remote, reference = self.at_the_bank(kind=kind)
                customer, _ = self.subscriber(clock, reference)
                [charge] = self.charges(self.shop, customer)
                order = {"charge": charge["id"], "amount": 500}
                refund = self.shop.post("/v1/refunds", idempotency_key=f"refund {kind}", **order)
                self.assertEqual("succeeded", refund["status"])
                self.assertEqual(refund, self.shop.post("/v1/refunds", idempotency_key=f"refund {kind}", **order))
                [there] = self.charges(self.bank, remote)
                [refunded] = there["refunds"]["data"]
                self.assertEqual((500, refund["id"]), (refunded["amount"], refunded["metadata"]["billd_refund"]))
                self.assertEqual(500, there["amount_refunded"])

    def test_refunds_and_their_webhooks_from_the_peers_own_dashboard_reach_the_shop(self):
        remote, reference = self.at_the_bank()
        customer, _ = self.subscriber(self.clock(), reference)
        [there] = self.charges(self.bank, remote)
        self.bank.post("/v1/refunds", charge=there["id"], amount=700)
        wait_until(lambda: [each["amount_refunded"] for each in self.charges(self.shop, customer)] == [700], 30,
                   "the shop hears nothing of the refund")
        time.sleep(1)  # the other events of it
        [charge] = self.charges(self.shop, customer)
        self.assertEqual([700], [refund["amount"] for refund in charge["refunds"]["data"]])

    def test_declines_of_the_peer_are_told_with_their_reason(self):
        clock = self.clock()
        remote, reference = self.at_the_bank()
        customer, subscription = self.subscriber(clock, reference)
        self.bank.post(f"/v1/customers/{remote}", source="tok_chargeCustomerFail")
        self.advance(clock, 1)
        [latest, *_] = self.charges(self.shop, customer)
        self.assertEqual(("failed", "card_declined"), (latest["status"], latest["failure_code"]))
        self.assertEqual("generic_decline", latest["outcome"]["reason"])
        self.assertEqual("past_due", self.shop.get(f"/v1/subscriptions/{subscription}")["status"])
        self.assertEqual("failed", self.charges(self.bank, remote)[0]["status"])
        self.check_books(customer, remote)
        # A new card at the peer heals it with the schedule's next attempt.
        self.bank.post(f"/v1/customers/{remote}", source="tok_visa")
        self.shop.post(f"/v1/test_helpers/test_clocks/{clock}/advance",
                       frozen_time=self.shop.get(f"/v1/test_helpers/test_clocks/{clock}")["frozen_time"] + 4 * DAY)
        self.wait_for(clock)
        self.assertEqual("active", self.shop.get(f"/v1/subscriptions/{subscription}")["status"])
        self.check_books(customer, remote)

    def test_a_peer_that_does_not_know_what_it_did_is_asked_until_it_does(self):
        for fault in ("answer_lost", "lost", "garbage", "conflict", "delay"):
            with self.subTest(fault):
                clock = self.clock()
                remote, reference = self.at_the_bank()
                customer, subscription = self.subscriber(clock, reference)
                self.bank.post("/v1/test_helpers/gateway_faults", **{"faults[0]": fault, "faults[1]": "none"})
                self.advance(clock, 1)
                self.bank.post("/v1/test_helpers/gateway_faults", faults="")
                wait_until(lambda: all(invoice["paid"] for invoice in
                                       self.shop.list(f"/v1/invoices?customer={customer}")), 60,
                           f"{fault}: it is never known what became of the charge")
                self.assertEqual(2, len(self.check_books(customer, remote)))
                self.assertEqual("active", self.shop.get(f"/v1/subscriptions/{subscription}")["status"])

    def test_killing_either_at_any_moment_moves_no_money_twice(self):
        clock = self.clock()
        given = [self.at_the_bank(kind=kind) for kind in ("default", "card", "payment method") * 4]
        subscribers = [(self.subscriber(clock, reference)[0], remote) for remote, reference in given]
        until = START + 95 * DAY
        self.shop.post(f"/v1/test_helpers/test_clocks/{clock}/advance", frozen_time=until)
        for round_number in range(6):
            time.sleep(0.15 + 0.1 * round_number)
            victim = self.shop if round_number % 3 == 2 else self.bank
            victim.kill()
            time.sleep(0.2)
            victim.start()
        self.wait_for(clock, 240)
        for customer, remote in subscribers:
            wait_until(lambda: all(invoice["paid"] for invoice in self.shop.list(f"/v1/invoices?customer={customer}")),
                       60, "an invoice stays unpaid")
            self.assertEqual(4, len(self.check_books(customer, remote)))
        self.check_verify(self.shop)
        self.check_verify(self.bank)

    def test_charges_and_intents_by_hand_are_kept_once_for_a_key(self):
        customer = self.bank.post("/v1/customers", source="tok_visa")
        order = {"amount": 1200, "currency": "eur", "customer": customer["id"], "description": "Lamp",
                 "metadata[order]": "7"}
        first = self.bank.post("/v1/charges", idempotency_key="by hand", **order)
        self.assertEqual(first, self.bank.post("/v1/charges", idempotency_key="by hand", **order))
        self.assertEqual(("succeeded", 1200, "eur", "Lamp", "7", None),
                         (first["status"], first["amount"], first["currency"], first["description"],
                          first["metadata"]["order"], first["invoice"]))
        self.assertEqual(first, self.bank.get(f"/v1/charges/{first['id']}"))
        self.assertEqual(1, len(self.charges(self.bank, customer["id"])))

        intent = self.bank.post("/v1/payment_intents", amount=900, currency="usd", customer=customer["id"])
        self.assertEqual("requires_payment_method", intent["status"])
        confirmed = self.bank.post(f"/v1/payment_intents/{intent['id']}/confirm",
                                   payment_method=customer["default_source"])
        self.assertEqual(("succeeded", 900, None), (confirmed["status"], confirmed["amount_received"],
                                                    confirmed["invoice"]))
        listed = [each["id"] for each in self.bank.list(f"/v1/payment_intents?customer={customer['id']}")]
        self.assertIn(intent["id"], listed)
        self.assertEqual(2, len(listed))
        refund = self.bank.post("/v1/refunds", payment_intent=intent["id"])
        self.assertEqual(refund["id"], self.bank.get(f"/v1/refunds/{refund['id']}")["id"])
        self.assertEqual([], list(self.bank.list(f"/v1/invoices?customer={customer['id']}")))

        for path, form, status, parameter in (
                ("/v1/charges", {"amount": 1200, "currency": "eur"}, 400, "customer"),
                ("/v1/charges", {**order, "amount": 49}, 400, "amount"),
                ("/v1/charges", {**order, "capture": "false"}, 400, "capture"),
                ("/v1/charges", {**order, "source": "card_none"}, 404, "source"),
                ("/v1/charges", {**order, "customer": "cus_none"}, 404, "customer"),
                ("/v1/payment_intents", {"amount": 1200, "currency": "usd", "customer": customer["id"],
                                         "payment_method_types[0]": "ideal"}, 400, "payment_method_types"),
                ("/v1/payment_intents", {"amount": 1200, "currency": "usd", "customer": customer["id"],
                                         "capture_method": "manual"}, 400, "capture_method")):
            with self.subTest(path=path, form=form):
                told, answer = self.bank.request("POST", path, form)
                self.assertEqual((status, parameter), (told, answer["error"]["param"]))
        before = len(self.charges(self.bank, customer["id"]))
        self.bank.post(f"/v1/customers/{customer['id']}", source="tok_chargeCustomerFail")
        refused = self.bank.post("/v1/charges", 402, **order)
        self.assertEqual(("card_error", "card_declined", "generic_decline"),
                         tuple(refused["error"][name] for name in ("type", "code", "decline_code")))
        self.assertEqual(before + 1, len(self.charges(self.bank, customer["id"])))
        self.assertEqual("failed", self.bank.get(f"/v1/charges/{refused['error']['charge']}")["status"])

    def test_the_faults_of_the_gateway_can_be_set_in_test_mode(self):
        set_to = self.bank.post("/v1/test_helpers/gateway_faults", **{"faults[0]": "lost", "faults[1]": "none"})
        self.assertEqual(["lost", "none"], set_to["faults"])
        self.assertEqual(set_to, self.bank.get("/v1/test_helpers/gateway_faults"))
        status, answer = self.bank.request("POST", "/v1/test_helpers/gateway_faults", {"faults[0]": "earthquake"})
        self.assertEqual((400, "faults"), (status, answer["error"]["param"]))
        self.assertEqual(["lost", "none"], self.bank.get("/v1/test_helpers/gateway_faults")["faults"])
        self.assertEqual([], self.bank.post("/v1/test_helpers/gateway_faults", faults="")["faults"])


if __name__ == "__main__":
    BILLD = sys.argv.pop(1)
    unittest.main(verbosity=2)
