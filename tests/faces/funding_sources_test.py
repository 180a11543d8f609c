"""The funding sources API, line by line."""
import email.utils
import json
import threading
import unittest

import service
from service import Api, Connection, basic, eventually, exchange, stripe

admin = Api(basic("admin", "ps_test_demo"))
admin.headers["Content-Type"] = "application/json"
names = (f"user{number}" for number in range(10**9))
NEVER = "0001-01-01T00:00:00Z"
RFC_3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"
FIXDATE = r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$"


class User:
    """A new user, and the API with the user's own credentials."""

    def __init__(self, **members):
        self.name = next(names)
        answer = admin("POST", "/users", {"username": self.name, **members})
        assert answer.status == 201, answer
        [self.user] = answer.json["users"]
        self.api = Api(basic(self.name, self.user["secret"]))
        self.api.headers["Content-Type"] = "application/json"
        self.path = f"/users/{self.name}/funding_sources"

    def add(self, *entries):
        answer = self.api("POST", self.path, sources(*entries))
        assert answer.status == 200, answer
        return answer.json["funding_sources"]["stripe"]


def sources(*entries):
    return {"funding_sources": {"stripe": list(entries)}}


class Case(unittest.TestCase):
    def expect_error(self, answer, status, code, field=None, item=None):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.header("Content-Type"), "errors/json")
        self.assertEqual(answer.header("API-Version"), "1.0.0")
        expected = {"code": code}
        if field is not None:
            expected["field"] = field
        if item is not None:
            expected["item"] = item
        self.assertEqual(answer.json["errors"], [expected], answer)
        self.assertEqual(answer.json["code"], status)
        self.assertTrue(answer.json["msg"])
        self.assertEqual(list(answer.json), ["code", "msg", "errors"])

    def expect_success(self, answer, message, count):
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.header("Content-Type"), "funding_sources/json")
        self.assertEqual(answer.header("API-Version"), "1.0.0")
        self.assertEqual(list(answer.json), ["code", "msg", "funding_sources"])
        self.assertEqual((answer.json["code"], answer.json["msg"]), (200, message))
        self.assertEqual(list(answer.json["funding_sources"]), ["stripe"])
        found = answer.json["funding_sources"]["stripe"]
        self.assertEqual(len(found), count)
        return found


class Operations(Case):
    def test_list_of_nobodys_sources(self):
        user = User()
        answer = user.api("GET", user.path)
        self.expect_success(answer, "Successfully retrieved funding sources", 0)
        self.assertIsNone(answer.header("Last-Modified"))

    def test_create(self):
        user = User()
        answer = user.api("POST", user.path, sources({"remote_id": "cus_1j8Opoq5n6k9UG", "nickname": "Stripe"}))
        [made] = self.expect_success(answer, "Successfully created funding sources", 1)
        self.assertEqual(list(made), ["id", "remote_id", "nickname", "last_used", "added", "user_id"])
        self.assertIsInstance(made["id"], int)
        self.assertEqual((made["remote_id"], made["nickname"], made["last_used"]),
                         ("cus_1j8Opoq5n6k9UG", "Stripe", NEVER))
        self.assertRegex(made["added"], RFC_3339)
        self.assertEqual(made["user_id"], user.user["id"])
        self.assertRegex(answer.header("Last-Modified"), FIXDATE)
        dated = email.utils.parsedate_to_datetime(answer.header("Last-Modified"))
        self.assertEqual(dated.strftime("%Y-%m-%dT%H:%M:%S"), made["added"][:19], "truncated, never rounded up")

    def test_create_many_answers_only_the_new_ones(self):
        user = User()
        user.add({"remote_id": "cus_0"})
        answer = user.api("POST", user.path, sources({"remote_id": "cus_1", "nickname": "a"}, {"remote_id": "cus_2"}))
        made = self.expect_success(answer, "Successfully created funding sources", 2)
        self.assertEqual([each["remote_id"] for each in made], ["cus_1", "cus_2"])
        self.assertEqual(made[1]["nickname"], "")
        self.expect_success(user.api("GET", user.path), "Successfully retrieved funding sources", 3)

    def test_all_or_none_are_stored(self):
        user = User()
        answer = user.api("POST", user.path, sources({"remote_id": "cus_1"}, {"nickname": "no remote id"}))
        self.expect_error(answer, 400, "ERROR_MISSING_PARAM", "remote_id", 1)
        answer = user.api("POST", user.path, sources(*[{"remote_id": f"cus_{n}"} for n in range(201)]))
        self.expect_error(answer, 400, "ERROR_TOO_LONG", "funding_sources")
        self.expect_success(user.api("GET", user.path), "Successfully retrieved funding sources", 0)

    def test_retrieve_one(self):
        user = User()
        made = user.add({"remote_id": "cus_1"}, {"remote_id": "cus_2"})
        answer = user.api("GET", f"{user.path}/{made[1]['id']}")
        self.assertEqual(self.expect_success(answer, "Successfully retrieved funding sources", 1), [made[1]])

    def test_update(self):
        user = User()
        [made] = user.add({"remote_id": "cus_1", "nickname": "a"})
        path = f"{user.path}/{made['id']}"
        answer = user.api("PUT", path, sources({"nickname": "b"}))
        updated = self.expect_success(answer, "Successfully updated funding sources", 1)
        self.assertEqual(updated, [{**made, "nickname": "b"}])
        [changed] = user.api("PUT", path, sources({"remote_id": "cus_2"})).json["funding_sources"]["stripe"]
        self.assertEqual(changed, {**made, "nickname": "b", "remote_id": "cus_2"}, "what is left out stays")
        [changed] = user.api("PUT", path, sources({"nickname": ""})).json["funding_sources"]["stripe"]
        self.assertEqual(changed["nickname"], "")
        [changed] = user.api("PUT", path, sources({})).json["funding_sources"]["stripe"]
        self.assertEqual(changed["remote_id"], "cus_2")

    def test_what_the_system_sets_is_ignored_and_never_rejected(self):
        user = User()
        entry = {"remote_id": "cus_1", "id": 5, "last_used": "x", "added": [], "user_id": {"a": 1},
                 "color": {"deep": [[{}]]}}
        [made] = user.add(entry)
        self.assertNotEqual(made["id"], 5)
        path = f"{user.path}/{made['id']}"
        [same] = user.api("PUT", path, {**sources(entry), "unknown": 1}).json["funding_sources"]["stripe"]
        self.assertEqual(same, made)

    def test_remove_answers_the_object_as_it_was(self):
        user = User()
        [made] = user.add({"remote_id": "cus_1"})
        path = f"{user.path}/{made['id']}"
        answer = user.api("DELETE", path)
        self.assertEqual(self.expect_success(answer, "Successfully removed funding sources", 1), [made])
        self.expect_error(user.api("DELETE", path), 404, "ERROR_NOT_FOUND", "id")
        self.expect_error(user.api("GET", path), 404, "ERROR_NOT_FOUND", "id")

    def test_order_is_last_used_descending(self):
        user = User()
        made = user.add(*[{"remote_id": f"cus_{n}"} for n in range(3)])
        listed = user.api("GET", user.path).json["funding_sources"]["stripe"]
        self.assertEqual(listed, made[::-1], "of those that were never used, the newest first")

    def test_a_body_without_a_word_of_its_length_is_411(self):
        user = User()
        answer = exchange(service.service.api, "POST", user.path,
                          {**user.api.headers, "Transfer-Encoding": "chunked"}, b"2\r\n{}\r\n0\r\n\r\n")
        self.expect_error(answer, 411, "ERROR_MISSING_PARAM", "headers.content-length")
        [made] = user.add({"remote_id": "cus_1"})
        for method, path in (("POST", user.path), ("PUT", f"{user.path}/{made['id']}")):
            answer = exchange(service.service.api, method, path, user.api.headers)
            self.expect_error(answer, 411, "ERROR_MISSING_PARAM", "headers.content-length")

    def test_content_types_of_the_request(self):
        user = User()
        for type in ("application/json", "funding_sources/json", "application/json; charset=utf-8"):
            answer = user.api("POST", user.path, sources({"remote_id": "x"}), Content_Type=type)
            self.assertEqual(answer.status, 200, type)
        answer = user.api("POST", user.path, sources({"remote_id": "x"}), Content_Type=None)
        self.expect_error(answer, 400, "ERROR_MISSING_PARAM", "headers.content-type")
        answer = user.api("POST", user.path, sources({"remote_id": "x"}), Content_Type="text/plain")
        self.expect_error(answer, 400, "ERROR_INVALID_VALUE", "headers.content-type")

    def test_refused_bodies(self):
        user = User()
        [made] = user.add({"remote_id": "cus_1"})
        path = f"{user.path}/{made['id']}"
        for method, target in (("POST", user.path), ("PUT", path)):
            def refused(body, *error):
                self.expect_error(user.api(method, target, body), 400, *error)
            for body in ("", "{", "[]", "x", '{"a":1,"a":2}'):
                refused(body, "ERROR_BAD_REQUEST_FORMAT")
            refused({}, "ERROR_MISSING_PARAM", "funding_sources")
            refused({"funding_sources": 5}, "ERROR_INVALID_FORMAT", "funding_sources")
            refused({"funding_sources": {"stripe": 5}}, "ERROR_INVALID_FORMAT", "funding_sources")
            refused({"funding_sources": {"paypal": []}}, "ERROR_INVALID_VALUE", "funding_sources")
            refused({"funding_sources": {}}, "ERROR_TOO_SHORT", "funding_sources")
            refused(sources(), "ERROR_TOO_SHORT", "funding_sources")
            refused(sources(5), "ERROR_INVALID_FORMAT", "funding_sources", 0)
            refused(sources({"remote_id": 5}), "ERROR_INVALID_FORMAT", "remote_id", 0)
            refused(sources({"remote_id": ""}), "ERROR_MISSING_PARAM", "remote_id", 0)
            refused(sources({"remote_id": "x" * 256}), "ERROR_TOO_LONG", "remote_id", 0)
            refused(sources({"remote_id": "x", "nickname": ["a"]}), "ERROR_INVALID_FORMAT", "nickname", 0)
            refused(sources({"remote_id": "4242424242424242"}), "ERROR_INVALID_VALUE", "remote_id", 0)
        self.expect_error(user.api("PUT", path, sources({"nickname": "a"}, {"nickname": "b"})), 400, "ERROR_TOO_LONG",
                          "funding_sources")

    def test_ids(self):
        user, other = User(), User()
        [made] = other.add({"remote_id": "cus_1"})
        for id in ("x", "-1", "1.5", "18446744073709551616", "0x5"):
            self.expect_error(user.api("GET", f"{user.path}/{id}"), 400, "ERROR_INVALID_FORMAT", "id")
        for id in ("0", "5", "18446744073709551615", made["id"]):
            for method, body in (("GET", None), ("PUT", sources({"nickname": "x"})), ("DELETE", None)):
                self.expect_error(user.api(method, f"{user.path}/{id}", body), 404, "ERROR_NOT_FOUND", "id")
        self.assertEqual(other.api("GET", f"{other.path}/{made['id']}").status, 200)
        self.expect_error(admin("GET", f"{user.path}/{made['id']}"), 404, "ERROR_NOT_FOUND", "id")

    def test_ids_beyond_2_to_the_53rd_are_exact(self):
        for counter in service.service.redis("--scan", "--pattern", "t:*:n"):
            service.service.redis("INCRBY", counter, 2**22)
        large = []
        for _ in range(300):  # until the numbers that the daemon has drawn already are given away
            user = User()
            large += user.add({"remote_id": "cus_1"}, {"remote_id": "cus_2"})
            if large[-1]["id"] > 2**53:
                break
        one, two = large[-2:]
        self.assertGreater(one["id"], 2**53)
        self.assertEqual(two["id"], one["id"] + 1)
        for made in (one, two):
            answer = user.api("GET", f"{user.path}/{made['id']}")
            self.assertIn(f'"id":{made["id"]},', answer.body)

    def test_what_is_unforeseen_is_an_act_of_god(self):
        user = User()
        with service.service.damaged(user.user["customer"]):
            for method, path, body in (("GET", user.path, None), ("POST", user.path, sources({"remote_id": "x"})),
                                       ("GET", f"{user.path}/5", None), ("PUT", f"{user.path}/5", sources({})),
                                       ("DELETE", f"{user.path}/5", None)):
                self.expect_error(admin(method, path, body), 500, "ACT_OF_GOD")
        self.assertEqual(admin("GET", user.path).status, 200)

    def test_others_are_405(self):
        user = User()
        answer = user.api("PUT", user.path, sources())
        self.assertEqual(answer.status, 405)
        self.assertEqual(set(answer.header("Allow").split(", ")), {"GET", "HEAD", "POST"})
        self.assertEqual(answer.header("API-Version"), "1.0.0")
        self.assertEqual(answer.header("Content-Type"), "errors/json")

    def test_the_version_is_on_every_answer(self):
        user = User()
        connection = Connection(service.service.api)
        connection.send("GET /users/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        answers = [connection.read(), exchange(service.service.api, "GET", user.path), user.api("GET", "/users"),
                   user.api("GET", "/users/"), admin("GET", "/users/x/y/z"), user.api("GET", f"/users/{user.name}"),
                   user.api("HEAD", user.path)]
        for answer in answers:
            self.assertEqual(answer.header("API-Version"), "1.0.0", answer)


class Access(Case):
    def test_empty_user_name(self):
        user = User()
        for path in ("/users//funding_sources", "/users//funding_sources/5"):
            for api in (admin, user.api):
                self.expect_error(api("GET", path), 400, "ERROR_MISSING_PARAM", "username")

    def test_401(self):
        user = User()
        for authorization, code in ((None, "ERROR_MISSING_PARAM"), ("Bearer x", "ERROR_INVALID_FORMAT"),
                                    ("Basic !!", "ERROR_INVALID_FORMAT"), (basic(""), "ERROR_INVALID_FORMAT"),
                                    (basic(user.name, "wrong"), "ERROR_INVALID_VALUE"),
                                    (basic("nobody", user.user["secret"]), "ERROR_INVALID_VALUE"),
                                    (basic("api-demo", "ps_test_demo"), "ERROR_INVALID_VALUE"),
                                    (basic(user.name, user.user["secret"].replace("_test_", "_live_")),
                                     "ERROR_INVALID_VALUE")):
            answer = exchange(service.service.api, "GET", user.path, {"Authorization": authorization})
            self.expect_error(answer, 401, code, "headers.authorization")
            self.assertTrue(answer.header("WWW-Authenticate").startswith("Basic"))

    def test_403_whether_or_not_the_user_exists(self):
        user, other = User(), User()
        [made] = other.add({"remote_id": "cus_1"})
        answers = []
        for name in (other.name, "nobody-at-all", "x"):
            for method, path, body in (("GET", "funding_sources", None),
                                       ("POST", "funding_sources", sources({"remote_id": "x"})),
                                       ("GET", f"funding_sources/{made['id']}", None),
                                       ("PUT", f"funding_sources/{made['id']}", sources({"nickname": "x"})),
                                       ("DELETE", f"funding_sources/{made['id']}", None)):
                answer = user.api(method, f"/users/{name}/{path}", body)
                self.expect_error(answer, 403, "ERROR_ACCESS_DENIED")
                answers.append(answer.body)
        self.assertEqual(len(set(answers)), 1)
        self.assertEqual(other.api("GET", other.path).json["funding_sources"]["stripe"], [made])

    def test_404_user_is_for_administrators(self):
        self.expect_error(admin("GET", "/users/nobody-at-all/funding_sources"), 404, "ERROR_NOT_FOUND", "user")
        self.expect_error(admin("GET", "/users/x/funding_sources"), 404, "ERROR_NOT_FOUND", "user")

    def test_administrators_may_do_everything_for_everybody(self):
        user = User()
        [made] = admin("POST", user.path, sources({"remote_id": "cus_1"})).json["funding_sources"]["stripe"]
        path = f"{user.path}/{made['id']}"
        self.assertEqual(admin("GET", path).status, 200)
        self.assertEqual(admin("PUT", path, sources({"nickname": "x"})).status, 200)
        self.assertEqual(admin("DELETE", path).status, 200)

    def test_names_compare_whatever_their_case(self):
        user = User()
        shouting = Api(basic(user.name.upper(), user.user["secret"]))
        self.assertEqual(shouting("GET", f"/users/{user.name.title()}/funding_sources").status, 200)
        self.assertEqual(admin("GET", f"/users/{user.name.upper()}/funding_sources").status, 200)
        self.expect_error(admin("POST", "/users", {"username": user.name.upper()}), 409, "ERROR_ALREADY_IN_USE",
                          "username")


class Users(Case):
    def test_create(self):
        name = next(names)
        answer = admin("POST", "/users", {"username": name, "email": "ann@example.com",
                                          "name": {"given": "Mary Ann", "family": "van Dyke"}})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(answer.header("Content-Type"), "users/json")
        [user] = answer.json["users"]
        self.assertEqual(list(user), ["id", "username", "email", "name", "joined", "customer", "secret"])
        self.assertEqual(user["name"], {"given": "Mary Ann", "family": "van Dyke"})
        self.assertRegex(user["secret"], r"^ps_test_[A-Za-z0-9]{38}$")
        seen = admin("GET", f"/users/{name}").json["users"][0]
        self.assertEqual(seen, {key: user[key] for key in user if key != "secret"}, "the secret is shown once")
        customer = json.loads(stripe("GET", f"/v1/customers/{user['customer']}").body)
        self.assertEqual((customer["name"], customer["email"]), ("Mary Ann van Dyke", "ann@example.com"))

    def test_refused(self):
        for body, *error in (({}, 400, "ERROR_MISSING_PARAM", "username"),
                             ({"username": ""}, 400, "ERROR_MISSING_PARAM", "username"),
                             ({"username": "ab"}, 400, "ERROR_TOO_SHORT", "username"),
                             ({"username": "x" * 21}, 400, "ERROR_TOO_LONG", "username"),
                             ({"username": "a b c"}, 400, "ERROR_INVALID_FORMAT", "username"),
                             ({"username": 5}, 400, "ERROR_INVALID_FORMAT", "username"),
                             ({"username": "abc", "name": "x"}, 400, "ERROR_INVALID_FORMAT", "name"),
                             ({"username": "abc", "customer": "cus_nobody"}, 404, "ERROR_NOT_FOUND", "customer")):
            self.expect_error(admin("POST", "/users", body), *error)
        self.expect_error(User().api("POST", "/users", {"username": "abc"}), 403, "ERROR_ACCESS_DENIED")

    def test_names_of_3_to_20_characters(self):
        for name in ("a-1", "A_z-0" * 4):
            answer = admin("POST", "/users", {"username": name})
            self.assertEqual(answer.status, 201, answer)
            self.assertEqual(admin("GET", f"/users/{name}").json["users"][0]["username"], name)

    def test_an_existing_customer_becomes_a_user(self):
        customer = json.loads(stripe("POST", "/v1/customers", "email=old@example.com&name=Ann%20Lee").body)
        name = next(names)
        answer = admin("POST", "/users", {"username": name, "customer": customer["id"]})
        self.assertEqual(answer.status, 201, answer)
        [user] = answer.json["users"]
        self.assertEqual((user["customer"], user["email"], user["name"]["family"]),
                         (customer["id"], "old@example.com", "Lee"))
        api = Api(basic(name, user["secret"]))
        self.assertEqual(api("GET", f"/users/{name}/funding_sources").status, 200)
        again = admin("POST", "/users", {"username": next(names), "customer": customer["id"]})
        self.expect_error(again, 409, "ERROR_ALREADY_IN_USE", "customer")
        other = json.loads(stripe("POST", "/v1/customers").body)
        taken = admin("POST", "/users", {"username": name, "customer": other["id"]})
        self.expect_error(taken, 409, "ERROR_ALREADY_IN_USE", "username")

    def test_update(self):
        user = User(email="a@example.com", name={"given": "Ann", "family": "Lee"})
        answer = user.api("PUT", f"/users/{user.name}", {"name": {"family": "Roe"}})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.json["users"][0]["name"], {"given": "Ann", "family": "Roe"})
        self.assertEqual(answer.json["users"][0]["email"], "a@example.com")
        self.assertEqual(admin("PUT", f"/users/{user.name}", {"email": "b@example.com"}).json["users"][0]["email"],
                         "b@example.com")

    def test_secrets_are_rotated(self):
        user = User()
        answer = user.api("POST", f"/users/{user.name}/secret")
        self.assertEqual(answer.status, 200, answer)
        self.expect_error(user.api("GET", user.path), 401, "ERROR_INVALID_VALUE", "headers.authorization")
        renewed = Api(basic(user.name, answer.json["users"][0]["secret"]))
        self.assertEqual(renewed("GET", user.path).status, 200)
        self.assertEqual(admin("POST", f"/users/{user.name}/secret").status, 200)
        self.assertEqual(renewed("GET", user.path).status, 401)

    def test_secrets_are_kept_as_hashes(self):
        user = User()
        keys = service.service.redis("--scan", "--pattern", "*:u:user_name:*")
        self.assertGreater(len(keys), 0)
        for key in keys:
            self.assertNotIn(user.user["secret"], "".join(service.service.redis("GET", key)))

    def test_a_deleted_user_is_gone_everywhere_and_gives_the_name_free(self):
        user = User()
        self.assertEqual(user.api("DELETE", f"/users/{user.name}").status, 200)
        self.assertEqual(user.api("GET", user.path).status, 401)
        self.expect_error(admin("GET", f"/users/{user.name}"), 404, "ERROR_NOT_FOUND", "user")
        self.assertTrue(json.loads(stripe("GET", f"/v1/customers/{user.user['customer']}").body)["deleted"])
        self.assertEqual(admin("POST", "/users", {"username": user.name}).status, 201)

    def test_a_customer_deleted_elsewhere_is_no_user_any_more(self):
        user = User()
        stripe("DELETE", f"/v1/customers/{user.user['customer']}")
        self.assertEqual(user.api("GET", user.path).status, 401)
        self.expect_error(admin("GET", user.path), 404, "ERROR_NOT_FOUND", "user")
        self.assertEqual(admin("POST", "/users", {"username": user.name}).status, 201)

    def test_of_many_that_take_a_name_at_once_one_does(self):
        for with_customer in (False, True, False, True):
            name, answers = next(names), []
            bodies = [{"username": name} for _ in range(10)]
            if with_customer:
                for body in bodies[::2]:
                    body["customer"] = json.loads(stripe("POST", "/v1/customers").body)["id"]
            threads = [threading.Thread(target=lambda body=body: answers.append(admin("POST", "/users", body)))
                       for body in bodies]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            statuses = sorted(answer.status for answer in answers)
            self.assertEqual(statuses.count(201), 1, answers)
            self.assertEqual(set(statuses), {201, 409}, answers)
            winner = next(answer.json["users"][0] for answer in answers if answer.status == 201)
            self.assertEqual(admin("GET", f"/users/{name}").json["users"][0]["customer"], winner["customer"])

    def test_modes_never_meet(self):
        secret = service.service.command("users", "create", "boss", "--role", "administrator", "--mode", "live")
        live = Api(basic("boss", secret))
        live.headers["Content-Type"] = "application/json"
        user = User()
        self.assertTrue(eventually(lambda: live("GET", f"/users/{user.name}").status == 404))
        answer = live("POST", "/users", {"username": user.name})
        self.assertEqual(answer.status, 201, "the same name may be in both modes")
        [other] = answer.json["users"]
        self.assertRegex(other["secret"], r"^ps_live_")
        self.assertEqual(Api(basic(user.name, other["secret"]))("GET", f"/users/{user.name}").json["users"][0]["id"],
                         other["id"])
        self.assertEqual(user.api("GET", f"/users/{user.name}").json["users"][0]["id"], user.user["id"])
        self.expect_error(live("POST", "/users", {"username": next(names), "customer": user.user["customer"]}), 404,
                          "ERROR_NOT_FOUND", "customer")


class OneCustomer(Case):
    def test_a_funding_source_is_a_source_of_the_customer(self):
        user = User()
        user.add({"remote_id": "cus_1j8Opoq5n6k9UG"})
        listed = json.loads(stripe("GET", f"/v1/customers/{user.user['customer']}/sources").body)
        self.assertEqual(len(listed["data"]), 1, listed)
        customer = json.loads(stripe("GET", f"/v1/customers/{user.user['customer']}").body)
        self.assertEqual(customer["default_source"], listed["data"][0]["id"])
        stripe("DELETE", f"/v1/customers/{user.user['customer']}/sources/{listed['data'][0]['id']}")
        self.expect_success(user.api("GET", user.path), "Successfully retrieved funding sources", 0)
