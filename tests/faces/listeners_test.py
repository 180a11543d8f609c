"""What tells the APIs apart: paths, keys, listeners, Host and path prefixes; TLS, and its certificates."""
import json
import socket
import ssl
import unittest

import service
from service import Connection, basic, eventually, exchange, make_certificate, request_bytes

STANCER, STRIPE = basic("stest_000000000000000000000000"), basic("sk_test_faces")
MANAGEMENT, ADMIN = basic("api-demo", "ps_test_demo"), basic("admin", "ps_test_demo")


def trusting(certificate):
    context = ssl.create_default_context(cafile=certificate)
    return context


class Which(unittest.TestCase):
    def api_of(self, method, path, authorization=None, host=None, address=None, context=None):
        """The API that answers, by the form of its answer to a request that none of them likes."""
        headers = {"Authorization": authorization, **({"Host": host} if host else {})}
        answer = exchange(address or service.service.api, method, path, headers, context=context)
        if answer.header("API-Version"):
            return "funding_sources"
        if answer.header("Request-Id"):
            return "stripe"
        return "management" if "failureCode" in answer.body or path.startswith("/api/v01") else "stancer"

    def test_by_path_and_key(self):
        path = "/v1/customers/cus_x"
        for expected, *request in (("stripe", path, STRIPE), ("stancer", path, STANCER), ("stripe", path),
                                   ("stripe", path, "Bearer sk_live_x"), ("stancer", path, basic("sprod_x")),
                                   ("management", "/api/v01/customers", STANCER),
                                   ("funding_sources", "/users/x", STRIPE),
                                   ("stripe", "/usersx"), ("stripe", "/")):
            self.assertEqual(self.api_of("GET", *request), expected, request)

    def test_by_host(self):
        path = "/v1/customers/cus_x"
        self.assertEqual(self.api_of("GET", path, None, "stancer.test"), "stancer")
        self.assertEqual(self.api_of("GET", path, None, "STANCER.test:4242"), "stancer")
        self.assertEqual(self.api_of("GET", path, basic("nobody"), "stancer.test"), "stancer")
        self.assertEqual(self.api_of("GET", path, STRIPE, "stancer.test"), "stripe", "a usable key decides")
        self.assertEqual(self.api_of("GET", path, STANCER, "stripe.test"), "stancer")
        self.assertEqual(self.api_of("GET", "/users/x", ADMIN, "stripe.test"), "stripe")

    def test_by_path_prefix(self):
        answer = exchange(service.service.api, "POST", "/pay/v1/customers/", {"Authorization": STANCER}, "{}")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.api_of("GET", "/pay/v1/customers/x"), "stancer")
        self.assertEqual(self.api_of("GET", "/payment"), "stripe", "a prefix ends with a segment")
        answer = exchange(service.service.api, "GET", "/unipay/api/v01/customers?limit=1",
                          {"Authorization": MANAGEMENT})
        self.assertEqual(answer.status, 200, answer)

    def test_by_listener(self):
        addresses = service.service.addresses
        context = trusting(service.service.certificate)
        self.assertEqual(self.api_of("GET", "/v1/customers/x", None, None, addresses["stancer"], context), "stancer")
        self.assertEqual(self.api_of("GET", "/v1/x", STRIPE, None, addresses["stancer"], context), "stripe")
        self.assertEqual(self.api_of("GET", "/users/x", ADMIN, None, addresses["stancer"], context), "stancer")
        for path in ("/v1/customers", "/users/x", "/"):
            self.assertEqual(self.api_of("GET", path, STRIPE, None, addresses["management"]), "management", path)
            self.assertEqual(self.api_of("GET", path, STRIPE, None, addresses["funding_sources"]), "funding_sources")

    def test_the_servers_own_answers_are_in_the_apis_format(self):
        def refused(path, address=None):
            connection = Connection(address or service.service.api)
            connection.send(f"GET {path} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
            return connection.read()
        self.assertEqual(refused("/api/v01/customers").json["failureCode"], "F6")
        self.assertEqual(refused("/users/x").json["errors"][0]["code"], "ERROR_BAD_REQUEST_FORMAT")
        self.assertIn("message", refused("/v1/customers").json["error"])
        self.assertIn("failureCode", refused("/", service.service.addresses["management"]).json)


class Described(unittest.TestCase):
    """/openapi.json, where programs find it."""

    def setUp(self):
        answer = exchange(service.service.api, "GET", "/openapi.json")
        self.assertEqual(answer.status, 200, "it takes no key")
        self.document = answer.json

    def test_says_where_each_api_is(self):
        def url(path):
            return self.document["paths"][path]["servers"][0]["url"]
        addresses = service.service.addresses
        self.assertEqual(url("/v1/customers"), f"http://{service.service.api}")
        self.assertEqual(url("/customers"), f"https://{addresses['stancer']}/v1")
        self.assertEqual(url("/api/v01/customers"), f"http://{addresses['management']}")
        self.assertEqual(url("/users"), f"http://{addresses['funding_sources']}")
        self.assertNotIn("/status", self.document["paths"], "the operators' listener is no affair of programs")

    def test_is_only_read_and_only_where_all_apis_are(self):
        self.assertEqual(exchange(service.service.api, "HEAD", "/openapi.json").status, 200)
        refused = exchange(service.service.api, "POST", "/openapi.json", None, "{}")
        self.assertEqual((refused.status, refused.header("Allow")), (405, "GET, HEAD"))
        alone = exchange(service.service.addresses["management"], "GET", "/openapi.json")
        self.assertIn("failureCode", alone.json)

    def test_every_operation_of_the_other_apis_is_one_that_is_served(self):
        asked = {"Stancer": 0, "Management": 0, "FundingSources": 0}
        credentials = {"Stancer": STANCER, "Management": MANAGEMENT, "FundingSources": ADMIN}
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                tag = operation["tags"][0] if method != "servers" else None
                if tag not in asked:
                    continue
                where = ("/v1" if tag == "Stancer" else "") + path.replace("{username}", "nobody").replace("{id}", "0")
                answer = exchange(service.service.api, method.upper(), where, {"Authorization": credentials[tag]})
                self.assertNotIn(answer.status, (401, 405), (method, where, answer))
                self.assertNotIn("There is nothing at", answer.body, (method, where))
                self.assertNotIn('"U4"', answer.body, (method, where))
                self.assertNotIn('"resource"', answer.body, (method, where))
                asked[tag] += 1
        self.assertEqual(asked, {"Stancer": 4, "Management": 12, "FundingSources": 10})


class Development(unittest.TestCase):
    def test_without_it_the_keys_and_users_of_development_are_unknown(self):
        daemon = service.Service(service.service.billd, development=False)
        try:
            for path, authorization in (("/v1/customers/x", STRIPE), ("/v1/customers/x", STANCER),
                                        ("/api/v01/customers", MANAGEMENT), ("/users/x", ADMIN)):
                asked = {"Authorization": authorization}
                self.assertEqual(exchange(daemon.api, "GET", path, asked).status, 401, path)
                self.assertNotEqual(exchange(service.service.api, "GET", path, asked).status, 401, path)
        finally:
            daemon.stop()


class TlsEverywhere(unittest.TestCase):
    def test_any_listener_speaks_tls_and_reloads_its_certificate(self):
        folder = service.service.folder
        first = make_certificate(folder, "everywhere", "first")
        files = dict(zip(("certificate_file", "key_file"), first))
        sections = ("api", "operators", "faces.management", "faces.funding_sources", "faces.stripe")
        settings = {f"{section}.tls.{name}".replace(".", "__"): path
                    for section in sections for name, path in files.items()}
        daemon = service.Service(service.service.billd, faces__stripe__listen="127.0.0.1:0", **settings)
        try:
            addresses = {"api": daemon.api, **daemon.addresses}
            del addresses["stancer"]  # has a certificate of its own
            before = trusting(first[0])
            for name, address in addresses.items():
                answer = exchange(address, "GET", "/", {"Authorization": STRIPE}, context=before)
                self.assertLess(answer.status, 500, name)
            second = make_certificate(folder, "second", "second")
            for new, old in zip(second, first):
                new.replace(old)
            daemon.process.send_signal(1)
            after = trusting(first[0])

            def serves(address):
                try:
                    return exchange(address, "GET", "/", {"Authorization": STRIPE}, context=after).status < 500
                except ssl.SSLError:
                    return False
            for name, address in addresses.items():
                self.assertTrue(eventually(lambda: serves(address)), name)
                self.assertRaises(ssl.SSLError, exchange, address, "GET", "/", {}, None, before)
        finally:
            daemon.stop()


class Tls(unittest.TestCase):
    def post(self, context, **fields):
        return exchange(service.service.addresses["stancer"], "POST", "/v1/customers",
                        {"Authorization": STANCER, **fields}, "{}", context)

    def test_serves_over_tls(self):
        self.assertEqual(self.post(trusting(service.service.certificate)).status, 200)

    def test_12_and_13_but_not_11(self):
        for version, works in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True),
                               (ssl.TLSVersion.TLSv1_3, True)):
            context = trusting(service.service.certificate)
            context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, version
            if version < ssl.TLSVersion.TLSv1_2:
                context.set_ciphers("ALL:@SECLEVEL=0")
            if works:
                self.assertEqual(self.post(context).status, 200)
            else:
                self.assertRaises((ssl.SSLError, ConnectionError), self.post, context)

    def test_keep_alive_pipelining_and_large_bodies(self):
        connection = Connection(service.service.addresses["stancer"], trusting(service.service.certificate))
        one = request_bytes("POST", "/v1/customers", {"Authorization": STANCER}, "{}")
        connection.send(one * 20)
        self.assertEqual([connection.read().status for _ in range(20)], [200] * 20)
        stale = request_bytes("GET", "/v1/customers/x", {"Authorization": STANCER}, "x" * 500_000)
        connection.send(stale + one)
        self.assertEqual([connection.read().status for _ in range(2)], [404, 200])
        connection.send(request_bytes("POST", "/v1/customers", {"Authorization": STANCER, "Connection": "close"}, "{}"))
        self.assertEqual(connection.read().status, 200)
        self.assertTrue(connection.is_at_end(), "with a proper close, or reading would fail")

    def test_plain_http_is_no_tls(self):
        connection = Connection(service.service.addresses["stancer"])
        connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            self.assertNotIn(b"HTTP/1.1", connection.socket.recv(1000))
        except ConnectionError:
            pass

    def test_tls_on_a_plain_listener_is_told_so(self):
        context = ssl.create_default_context()
        self.assertRaises((ssl.SSLError, ConnectionError), Connection, service.service.api, context)
        self.assertEqual(exchange(service.service.api, "GET", "/v1/x", {"Authorization": STRIPE}).status, 404)

    def test_zz_a_reload_replaces_the_certificate_and_drops_no_connection(self):
        daemon = service.service
        before = trusting(daemon.certificate)
        open_connection = Connection(daemon.addresses["stancer"], before)
        first = daemon.certificate.read_bytes(), daemon.key.read_bytes()
        make_certificate(daemon.folder, "other", "second")
        (daemon.folder / "other.pem").replace(daemon.certificate)
        (daemon.folder / "other.key").replace(daemon.key)
        self.assertEqual(self.post(before).status, 200, "nothing changes before the reload")
        daemon.process.send_signal(1)
        after = trusting(daemon.certificate)

        def is_replaced():
            try:
                return self.post(after).status == 200
            except ssl.SSLError:
                return False
        self.assertTrue(eventually(is_replaced))
        open_connection.send(request_bytes("POST", "/v1/customers", {"Authorization": STANCER}, "{}"))
        self.assertEqual(open_connection.read().status, 200, "a connection that is open goes on")
        self.assertRaises(ssl.SSLError, self.post, before)
        # What cannot be read changes nothing.
        daemon.key.write_bytes(first[1])
        daemon.process.send_signal(1)
        daemon.wait_for_log("a listener keeps the certificate that it had: cannot use the private key in .*server.key")
        self.assertEqual(self.post(after).status, 200)
