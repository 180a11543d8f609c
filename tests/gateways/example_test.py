#!/usr/bin/env python3
"""The example processor keeps the contract of net/gateways/http_contract.md: signed, once per key, durable."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SECRET = "whsec_" + base64.b64encode(b"a secret of enough bytes").decode()


class ExampleProcessor(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.ledger = os.path.join(self.directory.name, "ledger.jsonl")
        self.start()

    def tearDown(self):
        self.stop()
        self.directory.cleanup()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "example_processor.py"), "--secret", SECRET, "--ledger", self.ledger],
            stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, path, order, secret=SECRET, sent=None):
        body = json.dumps(order).encode()
        sent = str(int(time.time()) if sent is None else sent)
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{order['key']}.{sent}.".encode() + body
        signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("POST", path, body, {"webhook-id": order["key"], "webhook-timestamp": sent,
                                                "webhook-signature": "v1," + signature})
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        return answer.status, told

    def charge(self, key, source="tok-1", amount=2000):
        return {"key": key, "mode": "test", "source": source, "amount": amount, "currency": "eur",
                "invoice": "in_1", "created": 1}

    def booked(self):
        with open(self.ledger, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_charges_once_however_often_a_key_is_sent(self):
        first = self.ask("/charge", self.charge("ch_1"))
        self.assertEqual(first, self.ask("/charge", self.charge("ch_1")))
        self.assertEqual((200, "succeeded", "ch_1", 2000, "eur"),
                         (first[0], *(first[1][name] for name in ("outcome", "key", "amount", "currency"))))
        self.assertEqual(1, len(self.booked()))

    def test_knows_after_a_restart_what_it_did(self):
        self.ask("/charge", self.charge("ch_1"))
        self.stop()
        self.start()
        self.assertEqual("succeeded", self.ask("/charge/look_up", self.charge("ch_1"))[1]["outcome"])
        self.ask("/charge", self.charge("ch_1"))
        self.assertEqual(1, len(self.booked()))

    def test_says_what_it_was_never_asked_for(self):
        self.assertEqual({"key": "ch_9", "outcome": "absent"}, self.ask("/charge/look_up", self.charge("ch_9"))[1])

    def test_declines_and_leaves_debits_pending(self):
        self.assertEqual("declined", self.ask("/charge", self.charge("ch_1", "decline-1"))[1]["outcome"])
        self.assertEqual("pending", self.ask("/charge", self.charge("ch_2", "debit-1"))[1]["outcome"])

    def test_gives_back_once(self):
        refund = self.charge("re_1") | {"charge": "ch_1", "charge_reference": "example-1", "reason": ""}
        self.assertEqual(self.ask("/refund", refund), self.ask("/refund", refund))
        self.assertEqual(1, len(self.booked()))

    def test_does_nothing_that_is_not_signed_lately_and_with_the_key(self):
        forged = "whsec_" + base64.b64encode(b"another secret of bytes!").decode()
        self.assertEqual(401, self.ask("/charge", self.charge("ch_1"), forged)[0])
        self.assertEqual(401, self.ask("/charge", self.charge("ch_1"), sent=int(time.time()) - 301)[0])
        self.assertFalse(os.path.exists(self.ledger))


if __name__ == "__main__":
    unittest.main()
