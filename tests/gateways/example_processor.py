#!/usr/bin/env python3
"""A payment processor for billd's gateways of kind "http": the whole contract of net/gateways/http_contract.md.

    example_processor.py --port 8080 --secret whsec_... [--ledger FILE]

It keeps a ledger in a file, one JSON object a line, and pretends to charge: sources whose name begins with "decline"
are declined, those with "debit" are pending. To connect a real processor, replace move_money().
"""
import argparse
import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import threading
import time

TOLERANCE = 300


class Ledger:
    """What was done under each key. Written to disk before it is answered."""

    def __init__(self, path):
        self.path = path
        self.entries = {}
        self.lock = threading.Lock()
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                for line in file:
                    entry = json.loads(line)
                    self.entries[entry["key"]] = entry

    def find(self, key):
        return self.entries.get(key)

    def book(self, order):
        """The entry of the order's key: a new one, or the one that was there before."""
        with self.lock:
            if order["key"] in self.entries:
                return self.entries[order["key"]]
            entry = move_money(order, f"example-{len(self.entries) + 1}")
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
                file.flush()
                os.fsync(file.fileno())
            self.entries[order["key"]] = entry
            return entry


def move_money(order, reference):
    """Here a real processor is asked, under order["key"] as its idempotency key."""
    entry = {name: order[name] for name in ("key", "amount", "currency", "source")}
    entry["reference"] = reference
    if "charge" in order:
        entry["outcome"] = "succeeded"
    elif order["source"].startswith("decline"):
        entry.update(outcome="declined", reason="insufficient_funds")
    elif order["source"].startswith("debit"):
        entry["outcome"] = "pending"
    else:
        entry["outcome"] = "succeeded"
    return entry


def is_signed(secret, headers, body):
    """Standard Webhooks, over the raw body."""
    message_id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent.isdigit() or abs(time.time() - int(sent)) > TOLERANCE:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{sent}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, given) for given in headers.get("webhook-signature", "").split())


def handler(secret, ledger):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if not is_signed(secret, self.headers, body):
                return self.answer(401, {"error": "not signed with the key"})
            order = json.loads(body)
            if self.path in ("/charge", "/refund"):
                return self.answer(200, ledger.book(order))
            if self.path in ("/charge/look_up", "/refund/look_up"):
                return self.answer(200, ledger.find(order["key"]) or {"key": order["key"], "outcome": "absent"})
            if self.path == "/source":
                return self.answer(200, {"source": order["source"], "brand": "Visa", "last4": "4242",
                                         "exp_month": 12, "exp_year": 2040})
            return self.answer(404, {"error": "there is no such operation"})

        def answer(self, status, told):
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--secret", required=True)
    arguments.add_argument("--ledger", default="ledger.jsonl")
    given = arguments.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", given.port), handler(given.secret, Ledger(given.ledger)))
    print(server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
