"""Stancer's customers API, line by line."""
import json
import threading
import unittest

import service
from service import Api, Connection, basic, eventually, exchange, request_bytes, stripe

stancer = Api(basic("stest_000000000000000000000000"))
stancer.headers = {"Authorization": basic("stest_000000000000000000000000"), "Content-Type": "application/json"}
counter = iter(range(10**9))


def fresh(**members):
    """A customer that no other test has."""
    return {"email": f"david{next(counter)}@example.net", **members}


class Objects(unittest.TestCase):
    def test_six_members_in_this_order(self):
        answer = stancer("POST", "/v1/customers", {"email": "david@example.net", "mobile": "+33639980102",
                                                   "name": "David Coaster"})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(list(answer.json), ["id", "email", "mobile", "name", "created", "live_mode"])
        self.assertRegex(answer.json["id"], r"^cust_[A-Za-z0-9]{24}$")
        self.assertEqual(len(answer.json["id"]), 29)
        self.assertEqual(answer.json["email"], "david@example.net")
        self.assertEqual(answer.json["mobile"], "+33639980102")
        self.assertEqual(answer.json["name"], "David Coaster")
        self.assertIsInstance(answer.json["created"], int)
        self.assertIs(answer.json["live_mode"], False)
        self.assertEqual(answer.header("Content-Type"), "application/json")

    def test_unset_strings_are_null(self):
        answer = stancer("POST", "/v1/customers", {})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual([answer.json[name] for name in ("email", "mobile", "name")], [None] * 3)

    def test_an_empty_body_is_a_customer_without_anything(self):
        self.assertEqual(stancer("POST", "/v1/customers", "").status, 200)

    def test_external_id_is_a_seventh_member_when_it_was_set(self):
        made = stancer("POST", "/v1/customers", fresh(external_id="my-17")).json
        self.assertEqual(list(made)[6], "external_id")
        self.assertEqual(made["external_id"], "my-17")
        stancer("PATCH", f"/v1/customers/{made['id']}", {"external_id": "x" * 36})
        self.assertEqual(stancer("GET", f"/v1/customers/{made['id']}").json["external_id"], "x" * 36)
        self.assertEqual(stancer("POST", "/v1/customers", fresh(external_id="x" * 37)).status, 400)

    def test_limits_count_characters_not_bytes(self):
        limits = {"email": (5, 64), "mobile": (8, 16), "name": (4, 64)}
        for name, (least, most) in limits.items():
            for text, status in (("x" * (least - 1), 400), ("x" * least, 200), ("é" * most, 200),
                                 ("é" * (most + 1), 400), ("", 400)):
                answer = stancer("POST", "/v1/customers", {**fresh(), name: text})
                self.assertEqual(answer.status, status, (name, len(text), answer))
                if status == 400:
                    self.assertEqual(answer.json["error"]["type"], "invalid_request_error")
                    self.assertIn(name, answer.json["error"]["message"])
                else:
                    stancer("DELETE", f"/v1/customers/{answer.json['id']}")

    def test_wrong_types_and_no_json(self):
        for body in ('{"email":5}', '{"name":["x"]}', '{"live_mode":"no"}', "{", "[]", '"x"',
                     '{"name":"abcd","name":"efgh"}'):
            self.assertEqual(stancer("POST", "/v1/customers", body).status, 400, body)
        self.assertEqual(stancer("POST", "/v1/customers", "email=a@b.cd",
                                 Content_Type="application/x-www-form-urlencoded").status, 400)

    def test_members_of_other_names_are_ignored(self):
        made = stancer("POST", "/v1/customers", fresh(id="cust_mine", created=1, color="red")).json
        self.assertNotEqual(made["id"], "cust_mine")
        self.assertNotEqual(made["created"], 1)

    def test_card_numbers_and_keys_are_not_kept(self):
        self.assertEqual(stancer("POST", "/v1/customers", fresh(name="4242 4242 4242 4242")).status, 400)
        self.assertEqual(stancer("POST", "/v1/customers", fresh(name="sk_live_0123456789abcdefghij")).status, 400)


class Keys(unittest.TestCase):
    def expect_unauthorized(self, **headers):
        one = "/v1/customers/cust_000000000000000000000000"
        for method, path in (("POST", "/v1/customers"), ("GET", one), ("PATCH", one), ("DELETE", one)):
            answer = exchange(service.service.api, method, path,
                              {"Host": "stancer.test", **{k.replace("_", "-"): v for k, v in headers.items()}}, "{}")
            self.assertEqual(answer.status, 401, answer)
            self.assertEqual(answer.json, {"error": {"type": "invalid_request_error",
                                                     "message": "You are not authorized to access that resource"}})
            self.assertTrue(answer.header("WWW-Authenticate").startswith("Basic"))

    def test_401(self):
        self.expect_unauthorized()
        self.expect_unauthorized(Authorization=basic("sprod_000000000000000000000000"))
        self.expect_unauthorized(Authorization=basic("nobody"))
        self.expect_unauthorized(Authorization="Basic !!!")
        self.expect_unauthorized(Authorization="Bearer stest_000000000000000000000000")

    def test_a_password_is_ignored(self):
        answer = exchange(service.service.api, "POST", "/v1/customers",
                          {"Authorization": basic("stest_000000000000000000000000", "whatever")}, "{}")
        self.assertEqual(answer.status, 200, answer)

    def test_the_prefix_decides_the_mode_and_modes_never_meet(self):
        key = service.service.command("keys", "create", "--mode", "live", "--api", "stancer")
        self.assertRegex(key, r"^sprod_[A-Za-z0-9]{24}$")
        live = Api(basic(key))
        self.assertTrue(eventually(lambda: live("POST", "/v1/customers", {}).status == 200))
        customer = fresh(mobile="+33639980102", name="Ann Lee")
        made = live("POST", "/v1/customers", customer)
        self.assertEqual(made.status, 200, made)
        self.assertIs(made.json["live_mode"], True)
        path = f"/v1/customers/{made.json['id']}"
        for method, body in (("GET", None), ("PATCH", {"name": "Bob Lee"}), ("DELETE", None)):
            self.assertEqual(stancer(method, path, body).status, 404, method)
        self.assertEqual(live("GET", path).json, made.json)
        mine = stancer("POST", "/v1/customers", customer)
        self.assertEqual(mine.status, 200, "the same customer may be in both modes")
        self.assertEqual(live("GET", f"/v1/customers/{mine.json['id']}").status, 404)
        self.assertEqual(stancer("POST", "/v1/customers", fresh(live_mode=True)).status, 400)
        self.assertEqual(live("POST", "/v1/customers", fresh(live_mode=False)).status, 400)
        self.assertEqual(live("POST", "/v1/customers", fresh(live_mode=True)).status, 200)
        self.assertEqual(stancer("POST", "/v1/customers", fresh(live_mode=False)).status, 200)
        self.assertEqual(stancer("PATCH", f"/v1/customers/{mine.json['id']}", {"live_mode": True}).status, 400)
        test_key = service.service.command("keys", "create", "--mode", "test", "--api", "stancer")
        self.assertRegex(test_key, r"^stest_[A-Za-z0-9]{24}$")


class Operations(unittest.TestCase):
    def test_retrieve(self):
        made = stancer("POST", "/v1/customers", fresh()).json
        answer = stancer("GET", f"/v1/customers/{made['id']}")
        self.assertEqual((answer.status, answer.json), (200, made))

    def test_update_is_204_without_body_or_content_type(self):
        made = stancer("POST", "/v1/customers", fresh(name="David Coaster")).json
        path = f"/v1/customers/{made['id']}"
        answer = stancer("PATCH", path, {"mobile": "+33639980103"})
        self.assertEqual((answer.status, answer.body, answer.header("Content-Type")), (204, "", None))
        self.assertEqual(stancer("GET", path).json, {**made, "mobile": "+33639980103"})
        self.assertEqual(stancer("PATCH", path, {"mobile": None, "name": "Ann Lee"}).status, 204)
        self.assertEqual(stancer("GET", path).json, {**made, "mobile": None, "name": "Ann Lee"})
        self.assertEqual(stancer("PATCH", path, {"name": "Ann"}).status, 400)
        self.assertEqual(stancer("PATCH", path, {}).status, 204)
        self.assertEqual(stancer("GET", path).json["name"], "Ann Lee")

    def test_delete_is_204_and_then_404(self):
        made = stancer("POST", "/v1/customers", fresh()).json
        path = f"/v1/customers/{made['id']}"
        answer = stancer("DELETE", path)
        self.assertEqual((answer.status, answer.body, answer.header("Content-Type")), (204, "", None))
        for method, body in (("GET", None), ("PATCH", {"name": "Ann Lee"}), ("DELETE", None)):
            answer = stancer(method, path, body)
            self.assertEqual(answer.status, 404)
            self.assertEqual(answer.json["error"], {"type": "invalid_request_error",
                                                    "message": f"No such customer {made['id']}"})

    def test_404_also_for_a_malformed_id(self):
        for id in ("cust_x", "cus_" + "0" * 24, "x", "cust_" + "0" * 24, "cust_" + "%20" * 24):
            answer = stancer("GET", f"/v1/customers/{id}")
            self.assertEqual(answer.status, 404, id)
            self.assertTrue(answer.json["error"]["message"].startswith("No such customer "), answer)

    def test_others_are_405_with_allow(self):
        for method, path, allowed in (("GET", "/v1/customers", {"POST"}), ("DELETE", "/v1/customers", {"POST"}),
                                      ("PUT", "/v1/customers/cust_x", {"GET", "HEAD", "PATCH", "DELETE"}),
                                      ("POST", "/v1/customers/cust_x", {"GET", "HEAD", "PATCH", "DELETE"})):
            answer = stancer(method, path)
            self.assertEqual(answer.status, 405, (method, path, answer))
            self.assertEqual(set(answer.header("Allow").split(", ")), allowed)
            self.assertIn("message", answer.json["error"])
        self.assertEqual(stancer("GET", "/v1/cards").status, 404)

    def test_409_names_the_customer(self):
        customer = fresh(mobile="+33639980102", external_id="a")
        made = stancer("POST", "/v1/customers", customer).json
        answer = stancer("POST", "/v1/customers", {**customer, "name": "Other Name"})
        self.assertEqual(answer.status, 409)
        self.assertEqual(answer.json["error"], {
            "type": "invalid_request_error",
            "message": {"error": "Customer already exists, you may want to update it instead creating a new one",
                        "id": made["id"]}})
        for other in ({**customer, "external_id": "b"}, {**customer, "mobile": "+33639980199"},
                      {"email": customer["email"]}):
            self.assertEqual(stancer("POST", "/v1/customers", other).status, 200, other)
        stancer("DELETE", f"/v1/customers/{made['id']}")
        self.assertEqual(stancer("POST", "/v1/customers", customer).status, 200, "the other one is gone")

    def test_409_is_only_for_email_or_mobile(self):
        for customer in ({"name": "Same Name"}, {"external_id": "same"}, {}):
            self.assertEqual(stancer("POST", "/v1/customers", customer).status, 200)
            self.assertEqual(stancer("POST", "/v1/customers", customer).status, 200)
        mobile = {"mobile": f"+336{next(counter):09d}"}
        self.assertEqual(stancer("POST", "/v1/customers", mobile).status, 200)
        self.assertEqual(stancer("POST", "/v1/customers", mobile).status, 409)

    def test_409_knows_customers_of_the_other_apis(self):
        email = fresh()["email"]
        made = json.loads(stripe("POST", "/v1/customers", f"email={email}").body)
        answer = stancer("POST", "/v1/customers", {"email": email})
        self.assertEqual(answer.status, 409)
        self.assertEqual(answer.json["error"]["message"]["id"], "cust_" + made["id"][4:])

    def test_of_many_that_create_the_same_customer_at_once_one_does(self):
        for _ in range(5):
            customer, answers = fresh(mobile="+33639980102"), []
            threads = [threading.Thread(target=lambda: answers.append(stancer("POST", "/v1/customers", customer)))
                       for _ in range(12)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            made = [answer.json["id"] for answer in answers if answer.status == 200]
            self.assertEqual(len(made), 1, answers)
            for answer in answers:
                if answer.status != 200:
                    self.assertEqual(answer.status, 409, answer)
                    self.assertEqual(answer.json["error"]["message"]["id"], made[0])


    def test_an_error_of_the_servers_own_is_told_without_its_cause(self):
        made = stancer("POST", "/v1/customers", fresh()).json
        with service.service.damaged(made["id"]):
            answer = stancer("GET", f"/v1/customers/{made['id']}")
        self.assertEqual((answer.status, list(answer.json), list(answer.json["error"])),
                         (500, ["error"], ["type", "message"]), answer)

    def test_customers_are_spread_over_the_partitions(self):
        for members in ({}, {"name": "Same Name"}):
            made = [stancer("POST", "/v1/customers", members).json["id"] for _ in range(24)]
            tags = {service.service.redis("--scan", "--pattern", f"*:a:{id[5:17]}")[0].split(":")[1] for id in made}
            self.assertGreater(len(tags), 1)


class OneCustomer(unittest.TestCase):
    def test_the_same_24_characters_and_the_phone_is_the_mobile(self):
        made = stancer("POST", "/v1/customers", fresh(mobile="+33639980102", name="David Coaster")).json
        other = json.loads(stripe("GET", f"/v1/customers/cus_{made['id'][5:]}").body)
        self.assertEqual((other["email"], other["phone"], other["name"]),
                         (made["email"], "+33639980102", "David Coaster"))
        stripe("POST", f"/v1/customers/cus_{made['id'][5:]}", "name=Al&phone=123")
        seen = stancer("GET", f"/v1/customers/{made['id']}").json
        self.assertEqual((seen["name"], seen["mobile"]), ("Al", "123"), "shown as they are, however short")

    def test_deleting_ends_subscriptions_at_once(self):
        customer = json.loads(stripe("POST", "/v1/customers", f"email={fresh()['email']}&source=tok_visa").body)
        stripe("POST", "/v1/plans", "id=stancer_gold&amount=2000&currency=usd&interval=month&product[name]=Gold")
        subscription = json.loads(
            stripe("POST", f"/v1/customers/{customer['id']}/subscriptions", "plan=stancer_gold").body)
        self.assertEqual(subscription["status"], "active", subscription)
        self.assertEqual(stancer("DELETE", f"/v1/customers/cust_{customer['id'][4:]}").status, 204)
        ended = json.loads(stripe("GET", f"/v1/subscriptions/{subscription['id']}").body)
        self.assertEqual(ended["status"], "canceled")
        self.assertTrue(json.loads(stripe("GET", f"/v1/customers/{customer['id']}").body)["deleted"])


class Clients(unittest.TestCase):
    """What the public clients do on the wire."""

    def send(self, connection, method, path, body=None, **headers):
        fields = {**stancer.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        connection.send(request_bytes(method, path, fields, body))
        return connection.read()

    def test_stale_bodies_with_get_and_delete_keep_the_connection_in_step(self):
        connection = Connection(service.service.api)
        made = self.send(connection, "POST", "/v1/customers", json.dumps(fresh())).json
        path = f"/v1/customers/{made['id']}"
        stale = json.dumps({"name": "A stale body", "n": "x" * 70_000})
        for _ in range(3):
            self.assertEqual(self.send(connection, "GET", path, stale).json, made)
        self.assertEqual(self.send(connection, "DELETE", path, stale).status, 204)
        self.assertEqual(self.send(connection, "GET", path, "not even JSON").status, 404)
        self.assertEqual(self.send(connection, "POST", "/v1/customers", json.dumps(fresh())).status, 200)

    def test_the_collection_with_and_without_a_slash(self):
        for path in ("/v1/customers", "/v1/customers/"):
            self.assertEqual(stancer("POST", path, fresh()).status, 200)

    def test_connection_te_close(self):
        connection = Connection(service.service.api)
        answer = self.send(connection, "POST", "/v1/customers", json.dumps(fresh()), Connection="TE, close",
                           TE="deflate,gzip;q=0.3")
        self.assertEqual(answer.status, 200)
        self.assertTrue(connection.is_at_end())

    def test_content_length_0_with_delete(self):
        connection = Connection(service.service.api)
        made = self.send(connection, "POST", "/v1/customers", json.dumps(fresh())).json
        self.assertEqual(self.send(connection, "DELETE", f"/v1/customers/{made['id']}", Content_Length="0").status, 204)
        self.assertEqual(self.send(connection, "GET", f"/v1/customers/{made['id']}").status, 404)
