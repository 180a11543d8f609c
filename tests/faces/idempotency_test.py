"""Idempotency-Key in the three APIs: a repeated request is answered as the first was, whatever happened in between."""
import json
import threading
import unittest

import service
from service import Api, basic, stripe

stancer = Api(basic("stest_000000000000000000000000"), Content_Type="application/json")
management = Api(basic("api-demo", "ps_test_demo"), Content_Type="application/json")
admin = Api(basic("admin", "ps_test_demo"), Content_Type="application/json")
CUSTOMERS = "/api/v01/customers"
counter = iter(range(10**9))


def key():
    return f"key-{next(counter)}"


def fresh(**members):
    return {"email": f"once{next(counter)}@example.net", **members}


def new_user(**members):
    name = f"once{next(counter)}"
    return name, admin("POST", "/users", {"username": name, **members}).json["users"][0]


class Case(unittest.TestCase):
    def expect_repeated(self, api, method, path, body, **headers):
        """Sends it twice with a key; the two answers."""
        headers = {"Idempotency_Key": key(), **headers}
        first = api(method, path, body, **headers)
        self.assertLess(first.status, 300, first)
        self.assertIsNone(first.header("Idempotent-Replayed"))
        second = api(method, path, body, **headers)
        self.assertEqual((second.status, second.body), (first.status, first.body))
        for name in ("Content-Type", "Last-Modified", "API-Version"):
            self.assertEqual(second.header(name), first.header(name))
        self.assertEqual(second.header("Idempotent-Replayed"), "true")
        return first, second

    def at_once(self, count, ask):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(ask())) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers


class Stancer(Case):
    def test_a_repeated_post_creates_one_customer(self):
        for body in (fresh(mobile="+33639980102"), {"name": "Nobody Special"}, {}):
            self.expect_repeated(stancer, "POST", "/v1/customers", body)

    def test_also_with_a_slash_behind_the_path_and_after_other_changes(self):
        body, headers = fresh(), {"Idempotency_Key": key()}
        first = stancer("POST", "/v1/customers", body, **headers)
        stancer("PATCH", f"/v1/customers/{first.json['id']}", {"name": "Renamed"})
        self.assertEqual(stancer("POST", "/v1/customers/", body, **headers).body, first.body)
        stancer("DELETE", f"/v1/customers/{first.json['id']}")
        self.assertEqual(stancer("POST", "/v1/customers", body, **headers).body, first.body)

    def test_a_repeated_patch_is_done_once(self):
        made = stancer("POST", "/v1/customers", fresh(name="Ann Lee")).json
        path, headers = f"/v1/customers/{made['id']}", {"Idempotency_Key": key()}
        first = stancer("PATCH", path, {"name": "Ann Roe"}, **headers)
        stancer("PATCH", path, {"name": "Ann Poe"})
        second = stancer("PATCH", path, {"name": "Ann Roe"}, **headers)
        for answer in (first, second):
            self.assertEqual((answer.status, answer.body, answer.header("Content-Type")), (204, "", None))
        self.assertEqual(second.header("Idempotent-Replayed"), "true")
        self.assertEqual(stancer("GET", path).json["name"], "Ann Poe")

    def test_a_key_is_for_one_request(self):
        headers = {"Idempotency_Key": key()}
        made = stancer("POST", "/v1/customers", fresh(), **headers).json
        for method, path, body in (("POST", "/v1/customers", fresh()),
                                   ("PATCH", f"/v1/customers/{made['id']}", {"name": "Other Name"})):
            answer = stancer(method, path, body, **headers)
            self.assertEqual(answer.status, 400, answer)
            self.assertEqual(answer.json["error"]["type"], "invalid_request_error")
            self.assertIn("Keys for idempotent requests", answer.json["error"]["message"])
            self.assertNotIn("stancer", answer.json["error"]["message"])
        self.assertIsNone(stancer("GET", f"/v1/customers/{made['id']}").json["name"])

    def test_a_refused_request_leaves_its_key_free(self):
        headers = {"Idempotency_Key": key()}
        self.assertEqual(stancer("POST", "/v1/customers", {"name": "Ann"}, **headers).status, 400)
        self.assertEqual(stancer("POST", "/v1/customers", {"name": "Anna"}, **headers).status, 200)

    def test_what_cannot_be_a_key(self):
        for wrong in ("x" * 256, "4242424242424242", "sk_live_0123456789abcdefghij"):
            answer = stancer("POST", "/v1/customers", {}, Idempotency_Key=wrong)
            self.assertEqual(answer.status, 400, wrong)
            self.assertNotIn(wrong, answer.body)
        self.assertEqual(stancer("POST", "/v1/customers", {}, Idempotency_Key="").status, 200)

    def test_of_many_at_once_one_is_carried_out(self):
        for body in (fresh(mobile="+33639980102"), {"name": "All At Once"}):
            headers = {"Idempotency_Key": key()}
            answers = self.at_once(12, lambda: stancer("POST", "/v1/customers", body, **headers))
            self.assertEqual(len({answer.body for answer in answers if answer.status == 200}), 1, answers)
            self.assertLessEqual({answer.status for answer in answers}, {200, 409}, answers)

    def test_reading_and_deleting_know_no_keys(self):
        made = stancer("POST", "/v1/customers", fresh()).json
        path, headers = f"/v1/customers/{made['id']}", {"Idempotency_Key": key()}
        self.assertEqual(stancer("GET", path, **headers).status, 200)
        self.assertEqual(stancer("DELETE", path, **headers).status, 204)
        self.assertEqual(stancer("DELETE", path, **headers).status, 404)


class Management(Case):
    ann = {"accountId": 7, "firstName": "Ann", "lastName": "Once"}

    def test_a_repeated_put_creates_one_customer(self):
        for body in (self.ann, {**self.ann, "code": f"once-{next(counter)}"}):
            first, _ = self.expect_repeated(management, "PUT", CUSTOMERS, body)
            found = management("GET", f"{CUSTOMERS}?lastName=Once&limit=1000").json
            self.assertEqual(found.count(first.json), 1)

    def test_a_repeated_post_changes_once(self):
        made = management("PUT", CUSTOMERS, self.ann).json
        path = f"{CUSTOMERS}/{made['id']}"
        first, _ = self.expect_repeated(management, "POST", path, {"city": "Bonn"})
        self.assertEqual(first.json["city"], "Bonn")

    def test_the_answer_is_the_firsts_also_in_its_format(self):
        headers = {"Idempotency_Key": key(), "Content_Type": "application/xml"}
        body = '<customer accountId="7" firstName="Ann" lastName="Once"/>'
        first = management("PUT", CUSTOMERS, body, **headers)
        second = management("PUT", CUSTOMERS, body, **headers, Accept="application/json")
        self.assertEqual((second.body, second.header("Content-Type")), (first.body, "application/xml"))

    def test_a_key_is_for_one_request(self):
        headers = {"Idempotency_Key": key()}
        management("PUT", CUSTOMERS, self.ann, **headers)
        answer = management("PUT", CUSTOMERS, {**self.ann, "city": "Bonn"}, **headers)
        self.assertEqual((answer.status, answer.json["failureCode"]), (400, "V9"), answer)
        self.assertIn('failureCode="V9"', management("PUT", CUSTOMERS, {**self.ann, "city": "Bonn"}, **headers,
                                                    Accept="text/xml").body)
        answer = management("PUT", CUSTOMERS, self.ann, Idempotency_Key="x" * 256)
        self.assertEqual((answer.status, answer.json["failureCode"]), (400, "V6"), answer)

    def test_of_many_at_once_one_is_carried_out(self):
        for body in (self.ann, {**self.ann, "code": f"once-{next(counter)}"}):
            headers = {"Idempotency_Key": key()}
            answers = self.at_once(10, lambda: management("PUT", CUSTOMERS, body, **headers))
            self.assertEqual(len({answer.body for answer in answers if answer.status == 200}), 1, answers)
            self.assertEqual({answer.json["failureCode"] for answer in answers if answer.status != 200} - {"E4"}, set())


class FundingSources(Case):
    def setUp(self):
        self.name, user = new_user()
        self.path = f"/users/{self.name}/funding_sources"
        self.api = Api(basic(self.name, user["secret"]), Content_Type="application/json")
        self.user = user

    def sources(self, *entries):
        return {"funding_sources": {"stripe": list(entries)}}

    def listed(self):
        return self.api("GET", self.path).json["funding_sources"]["stripe"]

    def test_a_repeated_post_makes_its_sources_once(self):
        first, _ = self.expect_repeated(self.api, "POST", self.path,
                                        self.sources({"remote_id": "cus_1"}, {"remote_id": "cus_2"}))
        self.assertEqual(len(self.listed()), 2)
        self.assertIsNotNone(first.header("Last-Modified"))

    def test_a_repeated_put_changes_once(self):
        [made] = self.api("POST", self.path, self.sources({"remote_id": "x"})).json["funding_sources"]["stripe"]
        path = f"{self.path}/{made['id']}"
        self.expect_repeated(self.api, "PUT", path, self.sources({"nickname": "mine"}))
        self.expect_repeated(self.api, "PUT", f"/users/{self.name}", {"email": "once@example.com"})

    def test_a_repeated_creation_of_a_user_tells_the_same_secret(self):
        customer = json.loads(stripe("POST", "/v1/customers").body)["id"]
        for members in ({}, {"customer": customer}):
            name = f"once{next(counter)}"
            first, _ = self.expect_repeated(admin, "POST", "/users", {"username": name, **members})
            self.assertEqual(first.status, 201)
            api = Api(basic(name, first.json["users"][0]["secret"]))
            self.assertEqual(api("GET", f"/users/{name}").status, 200)

    def test_a_repeated_rotation_makes_one_secret(self):
        first, _ = self.expect_repeated(admin, "POST", f"/users/{self.name}/secret", None)
        api = Api(basic(self.name, first.json["users"][0]["secret"]))
        self.assertEqual(api("GET", self.path).status, 200)
        again, _ = self.expect_repeated(admin, "POST", f"/users/{self.name}/secret", None)
        self.assertNotEqual(first.body, again.body, "another key makes another secret")
        self.assertEqual(api("GET", self.path).status, 401)

    def test_secrets_are_not_saved_with_answers(self):
        headers = {"Idempotency_Key": key()}
        name = f"once{next(counter)}"
        secret = admin("POST", "/users", {"username": name}, **headers).json["users"][0]["secret"]
        answers = ["".join(service.service.redis("GET", each))
                   for each in service.service.redis("--scan", "--pattern", "*:r:*")]
        self.assertTrue(any(name in answer for answer in answers))
        self.assertFalse(any(secret in answer for answer in answers))

    def test_a_key_is_for_one_request(self):
        headers = {"Idempotency_Key": key()}
        self.api("POST", self.path, self.sources({"remote_id": "cus_1"}), **headers)
        for wrong, body in ((headers["Idempotency_Key"], self.sources({"remote_id": "cus_2"})),
                            ("x" * 256, self.sources({"remote_id": "cus_1"}))):
            answer = self.api("POST", self.path, body, Idempotency_Key=wrong)
            self.assertEqual((answer.status, answer.header("Content-Type"), answer.json["errors"]),
                             (400, "errors/json",
                              [{"code": "ERROR_INVALID_VALUE", "field": "headers.idempotency-key"}]), answer)
        self.assertEqual(len(self.listed()), 1)

    def test_of_many_at_once_one_is_carried_out(self):
        headers = {"Idempotency_Key": key()}
        answers = self.at_once(10, lambda: self.api("POST", self.path, self.sources({"remote_id": "x"}), **headers))
        self.assertEqual(len({answer.body for answer in answers if answer.status == 200}), 1, answers)
        for answer in answers:
            if answer.status != 200:
                self.assertEqual((answer.status, answer.json["errors"][0]["code"]), (409, "ERROR_ALREADY_IN_USE"))
        self.assertEqual(len(self.listed()), 1)


class AfterACrash(Case):
    def test_a_repeated_request_is_answered_as_the_first_also_by_the_next_daemon(self):
        daemon = service.Service(service.service.billd)
        try:
            requests = [(stancer, "POST", "/v1/customers", fresh(mobile="+33639980102")),
                        (management, "PUT", CUSTOMERS, {**Management.ann, "code": "crash"}),
                        (admin, "POST", "/users", {"username": "crash-1"}),
                        (admin, "POST", "/users/crash-1/secret", None),
                        (admin, "POST", "/users/crash-1/funding_sources",
                         {"funding_sources": {"stripe": [{"remote_id": "cus_1"}]}})]
            keys = [key() for _ in requests]

            def ask_all():
                answers = []
                for (api, method, path, body), each in zip(requests, keys):
                    there = Api(api.headers["Authorization"], daemon.api, Content_Type="application/json")
                    answers.append(there(method, path, body, Idempotency_Key=each))
                return answers
            first = ask_all()
            self.assertLess(max(answer.status for answer in first), 300, first)
            daemon.kill()
            daemon.start()
            second = ask_all()
            self.assertEqual([(answer.status, answer.body) for answer in second],
                             [(answer.status, answer.body) for answer in first])
            self.assertEqual({answer.header("Idempotent-Replayed") for answer in second}, {"true"})
        finally:
            daemon.stop()


class TwoDaemons(Case):
    def test_of_many_at_once_at_two_daemons_one_is_carried_out(self):
        first = service.service
        second = service.Service(first.billd, redis__address=f"unix:{first.state}/redis/redis.sock",
                                 webhooks__secret_file=first.state / "webhook_secret")
        try:
            def at_both(api, method, path, body):
                there = Api(api.headers["Authorization"], second.api, Content_Type="application/json")
                given, turns = key(), iter([api, there] * 6)
                return self.at_once(12, lambda: next(turns)(method, path, body, Idempotency_Key=given))
            for _ in range(8):
                name = f"twice{next(counter)}"
                for api, method, path, body in (
                        (stancer, "POST", "/v1/customers", fresh(mobile="+33639980102")),
                        (management, "PUT", CUSTOMERS, {**Management.ann, "code": name}),
                        (management, "PUT", CUSTOMERS, {**Management.ann, "organizationName": name}),
                        (admin, "POST", "/users", {"username": name}), (admin, "POST", f"/users/{name}/secret", None)):
                    answers = at_both(api, method, path, body)
                    good = {answer.body for answer in answers if answer.status < 300}
                    self.assertEqual(len(good), 1, answers)
                    for answer in answers:
                        if answer.status >= 300:
                            self.assertEqual(answer.status, 409, answer)
                            self.assertRegex(answer.body, "in-progress|being carried out", "it is refused for its key")
                found = management("GET", f"{CUSTOMERS}?organizationName={name}").json
                self.assertEqual(len(found), 1)
        finally:
            second.stop()


class Callers(Case):
    def test_the_keys_of_two_users_and_of_two_apis_never_meet(self):
        shared = {"Idempotency_Key": key()}
        answers = []
        for _ in range(2):
            name, user = new_user()
            api = Api(basic(name, user["secret"]), Content_Type="application/json")
            body = {"funding_sources": {"stripe": [{"remote_id": name}]}}
            answers.append(api("POST", f"/users/{name}/funding_sources", body, **shared))
        answers.append(stancer("POST", "/v1/customers", {}, **shared))
        answers.append(management("PUT", CUSTOMERS, Management.ann, **shared))
        answers.append(stripe("POST", "/v1/customers", "name=Ann"))
        for answer in answers:
            self.assertEqual(answer.status, 200, answer)
            self.assertIsNone(answer.header("Idempotent-Replayed"))
