"""A payment processor for billd's gateways of kind "http", in fifty lines: house_bank.py PORT KEY LEDGER.
What moves money is done once for a key: the ledger has one row for each, on disk before it is answered."""
import base64, hashlib, hmac, http.server, json, sqlite3, sys, time  # noqa: E401

PORT, KEY, LEDGER = int(sys.argv[1]), sys.argv[2], sys.argv[3]
DECLINES = {"empty": "insufficient_funds", "old": "expired_card"}


def ledger():
    connection = sqlite3.connect(LEDGER, timeout=10)
    connection.execute("CREATE TABLE IF NOT EXISTS booked (key TEXT PRIMARY KEY, answer TEXT)")
    return connection


def is_signed(headers, body):  # Standard Webhooks, over the raw body
    sent = headers.get("webhook-timestamp", "0")
    text = f"{headers.get('webhook-id')}.{sent}.".encode() + body
    digest = hmac.new(base64.b64decode(KEY.removeprefix("whsec_")), text, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    is_fresh = sent.isdigit() and abs(time.time() - int(sent)) < 300
    return is_fresh and any(hmac.compare_digest(signature, each) for each in headers["webhook-signature"].split())


def move_money(order):  # here a real processor is asked, under order["key"]
    answer = {name: order[name] for name in ("key", "amount", "currency")} | {"reference": "house-" + order["key"]}
    if "charge" not in order and order["source"] in DECLINES:
        return answer | {"outcome": "declined", "reason": DECLINES[order["source"]]}
    return answer | {"outcome": "succeeded"}


class Bank(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not is_signed(self.headers, body):
            return self.answer(401, {"error": "not signed with the key"})
        order = json.loads(body)
        if self.path == "/source":
            return self.answer(200, {"source": order["source"], "brand": "Visa", "last4": "4242"})
        with ledger() as connection:
            if self.path in ("/charge", "/refund"):
                row = (order["key"], json.dumps(move_money(order)))
                connection.execute("INSERT OR IGNORE INTO booked VALUES (?, ?)", row)
                connection.commit()
            found = connection.execute("SELECT answer FROM booked WHERE key = ?", (order["key"],)).fetchone()
        self.answer(200, json.loads(found[0]) if found else {"key": order["key"], "outcome": "absent"})

    def answer(self, status, told):
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Bank).serve_forever()
