"""The Management API's customers, line by line."""
import json
import random
import threading
import unittest
import urllib.parse
import xml.etree.ElementTree as ElementTree

import service
from service import Api, Connection, basic, eventually, exchange, request_bytes, stripe

BASE = "/api/v01/customers"
ANN = {"accountId": 7, "firstName": "Ann", "lastName": "Lee"}
unique = iter(range(10**9))
management = Api(basic("api-demo", "ps_test_demo"))
management.headers["Content-Type"] = "application/json"

LENGTHS = {"code": 60, "firstName": 125, "lastName": 125, "organizationName": 255, "email": 100, "phone": 15,
           "street1": 128, "street2": 128, "city": 50, "state": 3, "zipCode": 10, "countryCode": 2}
FILTER_LENGTHS = {"firstName": 125, "lastName": 125, "organizationName": 255, "email": 100, "phone": 15, "street": 128,
                  "city": 50, "state": 3, "zipCode": 10, "countryCode": 2}
FULL = {"accountId": 7, "firstName": "Zoë", "lastName": "O'Neil & <Sons> \"x\"", "organizationName": "Lee GmbH",
        "email": "zoe@example.com", "phone": "+4930123", "street1": "Main Street 1", "street2": "Back door",
        "city": "Köln", "state": "NW", "zipCode": "50667", "countryCode": "DE"}


def create(**members):
    answer = management("PUT", BASE, {**ANN, **members})
    assert answer.status == 200, answer
    return answer.json


def find(**filters):
    answer = management("GET", f"{BASE}?{urllib.parse.urlencode(filters)}")
    assert answer.status == 200, answer
    return answer.json


def xml(members, name="customer"):
    element = ElementTree.Element(name, {key: str(value) for key, value in members.items()})
    return ElementTree.tostring(element, encoding="unicode")


def as_texts(members):
    return {key: str(value) for key, value in members.items()}


class Actions(unittest.TestCase):
    def test_create(self):
        answer = management("PUT", BASE, FULL)
        self.assertEqual(answer.status, 200, answer)
        made = answer.json
        self.assertEqual(list(made), ["id", "code", "accountId", "createDate", "firstName", "lastName",
                                      "organizationName", "email", "phone", "street1", "street2", "city", "state",
                                      "zipCode", "countryCode"])
        self.assertEqual({key: made[key] for key in FULL}, FULL)
        self.assertIsInstance(made["id"], int)
        self.assertIsInstance(made["accountId"], int)
        self.assertEqual(made["code"], str(made["id"]), "the code defaults to the id")
        self.assertRegex(made["createDate"], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
        self.assertEqual(answer.header("Content-Type"), "application/json")

    def test_named_actions(self):
        made = management("PUT", f"{BASE}/~create", ANN)
        self.assertEqual(made.status, 200, made)
        path = f"{BASE}/{made.json['id']}"
        self.assertEqual(management("GET", f"{path}/~load").json, made.json)
        changed = management("POST", f"{path}/~modify", {"city": "Berlin"}).json
        self.assertEqual(changed, {**made.json, "city": "Berlin"})
        self.assertEqual(management("GET", f"{BASE}/~find?limit=1").status, 200)

    def test_load(self):
        made = create()
        self.assertEqual(management("GET", f"{BASE}/{made['id']}").json, made)
        for id in ("0", "999999999999", "x", "-1", "01", "99999999999999999999999"):
            answer = management("GET", f"{BASE}/{id}")
            self.assertEqual((answer.status, answer.json["failureCode"]), (404, "V7"), id)

    def test_modify_is_partial(self):
        made = create(**{key: FULL[key] for key in FULL if key not in ANN})
        path = f"{BASE}/{made['id']}"
        self.assertEqual(management("POST", path, {"lastName": "Roe"}).json, {**made, "lastName": "Roe"})
        self.assertEqual(management("POST", path, {"firstName": "Mary Ann"}).json["firstName"], "Mary Ann")
        changed = management("POST", path, {"organizationName": "", "street2": None}).json
        self.assertNotIn("organizationName", changed)
        self.assertNotIn("street2", changed)
        self.assertEqual(management("GET", path).json, changed)

    def test_modify_takes_a_form(self):
        made = create()
        answer = management("POST", f"{BASE}/{made['id']}", "lastName=Roe&city=K%C3%B6ln",
                            Content_Type="application/x-www-form-urlencoded")
        self.assertEqual(answer.json, {**made, "lastName": "Roe", "city": "Köln"})

    def test_create_takes_no_form(self):
        answer = management("PUT", BASE, "accountId=1&firstName=A&lastName=B",
                            Content_Type="application/x-www-form-urlencoded")
        self.assertEqual((answer.status, answer.json["failureCode"]), (415, "U1"))

    def test_anything_else_is_405_with_allow(self):
        for method, path, allowed in (("POST", BASE, {"GET", "HEAD", "PUT"}), ("DELETE", BASE, {"GET", "HEAD", "PUT"}),
                                      ("PUT", f"{BASE}/1", {"GET", "HEAD", "POST"}),
                                      ("DELETE", f"{BASE}/1", {"GET", "HEAD", "POST"}),
                                      ("PATCH", f"{BASE}/1", {"GET", "HEAD", "POST"}),
                                      ("POST", f"{BASE}/1/subscriptions", {"GET", "HEAD"})):
            answer = management(method, path)
            self.assertEqual((answer.status, answer.json["failureCode"]), (405, "U3"), (method, path, answer))
            self.assertEqual(set(answer.header("Allow").split(", ")), allowed)
        self.assertEqual(management("GET", "/api/v01/accounts").status, 404)


class Fields(unittest.TestCase):
    def expect(self, members, code, status=400):
        answer = management("PUT", BASE, members)
        self.assertEqual((answer.status, answer.json["failureCode"]), (status, code), (members, answer))
        return answer.json["failureMessage"]

    def test_required(self):
        for name in ANN:
            self.assertIn(name, self.expect({key: ANN[key] for key in ANN if key != name}, "V1"))
            self.assertIn(name, self.expect({**ANN, name: ""}, "V1"))
        made = create()
        answer = management("POST", f"{BASE}/{made['id']}", {"firstName": ""})
        self.assertEqual((answer.status, answer.json["failureCode"]), (400, "V1"))

    def test_lengths_count_characters(self):
        for name, most in LENGTHS.items():
            tag = f"{next(unique)}é"[:most] if name == "code" else ""
            text = (tag + "é" * most)[:most]
            self.assertEqual(create(**{name: text})[name], text)
            self.assertIn(name, self.expect({**ANN, name: "é" * (most + 1)}, "V2"))

    def test_account_id_is_an_integer(self):
        for value in ("x", "1.5", -1, 0, 2**60, "1e3"):
            self.assertIn("accountId", self.expect({**ANN, "accountId": value}, "V3"))
        self.assertEqual(create(accountId="12")["accountId"], 12)
        self.assertEqual(create(accountId=2**53)["accountId"], 2**53)

    def test_create_only(self):
        made = create(code=f"c{next(unique)}")
        path = f"{BASE}/{made['id']}"
        for change in ({"code": "other"}, {"accountId": 8}, {"code": ""}):
            answer = management("POST", path, change)
            self.assertEqual((answer.status, answer.json["failureCode"]), (400, "V4"), answer)
        self.assertEqual(management("POST", path, {**made, "city": "Bonn"}).json, {**made, "city": "Bonn"},
                         "what was shown may be sent back")

    def test_read_only_is_ignored(self):
        made = create(id=5, createDate="1999-01-01 00:00:00")
        self.assertNotEqual(made["id"], 5)
        self.assertNotEqual(made["createDate"][:4], "1999")

    def test_code_is_unique(self):
        code = f"gold-{next(unique)}"
        made = create(code=code)
        self.assertEqual(made["code"], code)
        self.expect({**ANN, "code": code}, "V8", 409)
        stripe("DELETE", f"/v1/customers/{find_stripe_id(made)}")
        self.assertEqual(create(code=code)["code"], code, "a deleted customer gives it free")

    def test_a_code_is_nobodys_id(self):
        made = create()
        self.expect({**ANN, "code": str(made["id"])}, "V8", 409)
        later = str(made["id"] + 4 * 1000)  # not given to anybody yet
        self.assertEqual(create(code=later)["code"], later)
        self.expect({**ANN, "code": later}, "V8", 409)
        tag = f"0{next(unique)}"
        self.assertEqual(create(code=tag)["code"], tag, "no id begins with a zero")

    def test_of_many_that_take_a_code_at_once_one_does(self):
        for _ in range(5):
            code, answers = f"race-{next(unique)}", []
            threads = [threading.Thread(target=lambda: answers.append(management("PUT", BASE, {**ANN, "code": code})))
                       for _ in range(10)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(answer.status for answer in answers), [200] + [409] * 9)

    def test_unfit_text(self):
        self.assertIn("city", self.expect({**ANN, "city": "a\u0001b"}, "V6"))
        self.assertIn("city", self.expect({**ANN, "city": "a\nb"}, "V6"))
        self.assertIn("organizationName", self.expect({**ANN, "organizationName": "4242424242424242"}, "Q1", 403))
        self.expect({**ANN, "city": {"x": 1}}, "F1")

    def test_unknown_members_are_ignored(self):
        self.assertNotIn("color", create(color="red", nested={"a": [1]}))

    def test_customers_without_a_code_are_spread_over_the_partitions(self):
        self.assertGreater(len({create()["id"] % 4 for _ in range(24)}), 1)

    def test_an_error_of_the_servers_own_is_s1(self):
        made = create()
        id = find_stripe_id(made)
        for accept in ("application/json", "application/xml"):
            with service.service.damaged(id):
                answer = management("GET", f"{BASE}/{made['id']}", Accept=accept)
            self.assertEqual(answer.status, 500, answer)
            self.assertIn("S1", answer.body)
            self.assertIn("An internal error occurred.", answer.body)


class Find(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.account = 1_000_000 + next(unique)
        cls.made = [create(accountId=cls.account, firstName=first, lastName=last, city=city, countryCode=country,
                           street1=street1, street2=street2, email=f"{first}@Example.com", phone=f"+49{number}",
                           organizationName="Ácme", state="NW", zipCode="50667")
                    for number, (first, last, city, country, street1, street2) in enumerate([
                        ("Ann", "Lee", "Köln", "DE", "Main 1", "Back 1"),
                        ("ann", "Roe", "Bonn", "DE", "Back 1", "Main 2"),
                        ("Bob", "Lee", "KÖLN", "FR", "Main 2", "x"), ("Bob", "Lee Roe", "Köln", "DE", "Main 1", "x")])]

    def indexes(self, **filters):
        found = find(accountId=self.account, **filters)
        return [self.made.index(each) for each in found]

    def test_order_is_by_id(self):
        found = find(accountId=self.account)
        self.assertEqual([each["id"] for each in found], sorted(each["id"] for each in self.made))

    def expect(self, wanted, **filters):
        self.assertEqual(sorted(self.indexes(**filters)), wanted, filters)

    def test_each_filter(self):
        self.expect([0, 1, 2, 3])
        self.expect([0, 1], firstName="ANN")
        self.expect([0, 2], lastName="lee")
        self.expect([3], lastName="LEE ROE")
        self.expect([0, 1, 2, 3], organizationName="áCME")
        self.expect([0, 1], email="ann@example.COM")
        self.expect([2], phone="+492")
        self.expect([0, 1], street="BACK 1")
        self.expect([0, 2, 3], city="köln")
        self.expect([0, 1, 3], countryCode="DE")
        self.expect([0, 1, 2, 3], state="NW", zipCode="50667")
        self.expect([], state="nw")
        self.expect([], countryCode="de")
        self.expect([], city="köl")

    def test_all_filters_must_match(self):
        self.expect([0, 3], city="Köln", countryCode="DE")
        self.expect([0], city="Köln", countryCode="DE", lastName="Lee", street="main 1")
        self.expect([], city="Bonn", countryCode="FR")

    def test_an_empty_value_counts_as_absent_and_unknown_names_are_ignored(self):
        self.expect([0, 1, 2, 3], city="", color="red", offset="", limit="")

    def test_offset_and_limit(self):
        everybody = find(accountId=self.account)
        self.assertEqual(find(accountId=self.account, offset=1, limit=2), everybody[1:3])
        self.assertEqual(find(accountId=self.account, offset=3, limit=9), everybody[3:])
        self.assertEqual(find(accountId=self.account, offset=4), [])
        self.assertEqual(find(accountId=self.account, limit=0), [])

    def test_limit_defaults_to_100_and_ends_at_1000(self):
        account = 2_000_000 + next(unique)
        for _ in range(101):
            create(accountId=account)
        self.assertEqual(len(find(accountId=account)), 100)
        self.assertEqual(len(find(accountId=account, limit=1000)), 101)
        self.assertEqual(len(find(accountId=account, offset=100)), 1)

    def test_refused(self):
        for query, code in (("limit=1001", "V5"), ("limit=-1", "V5"), ("limit=x", "V5"), ("offset=-1", "V5"),
                            ("offset=1.5", "V5"), ("accountId=x", "V3"), ("city[a]=b", "F5"), ("city=%zz", "F5"),
                            ("city=a&city=b", "F5")):
            answer = management("GET", f"{BASE}?{query}")
            self.assertEqual((answer.status, answer.json["failureCode"]), (400, code), (query, answer))
        for name, most in FILTER_LENGTHS.items():
            fits, long = (urllib.parse.quote("é" * length) for length in (most, most + 1))
            self.assertEqual(management("GET", f"{BASE}?{name}={fits}").status, 200)
            answer = management("GET", f"{BASE}?{name}={long}")
            self.assertEqual((answer.status, answer.json["failureCode"]), (400, "V2"), name)


class Formats(unittest.TestCase):
    def test_the_body_by_its_content_type(self):
        for type in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON"):
            self.assertEqual(management("PUT", BASE, ANN, Content_Type=type).status, 200, type)
        for type in ("application/xml", "text/xml", "text/xml; charset=\"UTF-8\""):
            answer = management("PUT", BASE, xml(ANN), Content_Type=type)
            self.assertEqual(answer.status, 200, type)
            self.assertEqual(answer.header("Content-Type"), "application/xml", "as the request's body")
        for type in ("text/plain", "", "application/json; charset=latin-1", None):
            answer = exchange(service.service.api, "PUT", BASE,
                              {"Authorization": basic("api-demo", "ps_test_demo"), "Content-Type": type},
                              json.dumps(ANN))
            self.assertEqual((answer.status, answer.json["failureCode"]), (415, "U1"), type)

    def test_the_answer_by_accept(self):
        made = create()
        for accept, type in ((None, "application/json"), ("*/*", "application/json"),
                             ("application/xml", "application/xml"),
                             ("text/xml", "text/xml"), ("text/*", "text/xml"),
                             ("text/html, */*;q=0.1", "application/json"),
                             ("application/json;q=0.5, application/xml;q=0.9", "application/xml"),
                             ("application/*, application/xml;q=0.2", "application/json"),
                             ("application/json;q=0, */*", "application/xml"), ("APPLICATION/XML", "application/xml"),
                             ("application/xml;q=0.001", "application/xml")):
            answer = management("GET", f"{BASE}/{made['id']}", **({"Accept": accept} if accept else {}))
            self.assertEqual((answer.status, answer.header("Content-Type")), (200, type), accept)
        for accept in ("text/html", "application/json;q=0", "*/*;q=0", "application/json;q=2", "image/*"):
            answer = management("GET", f"{BASE}/{made['id']}", Accept=accept)
            self.assertEqual((answer.status, answer.json["failureCode"]), (406, "U2"), accept)

    def test_accept_stands_above_the_bodys_format(self):
        answer = management("PUT", BASE, xml(ANN), Content_Type="application/xml", Accept="application/json")
        self.assertEqual(answer.header("Content-Type"), "application/json")
        self.assertEqual(answer.json["firstName"], "Ann")

    def test_json_is_bare(self):
        self.assertIsInstance(create(), dict)
        self.assertIsInstance(find(limit=1), list)

    def test_xml_is_attributes_of_kebab_case_elements(self):
        made = create()
        answer = management("GET", f"{BASE}/{made['id']}", Accept="application/xml")
        self.assertTrue(answer.body.startswith(f'<customer id="{made["id"]}" code='), answer)
        self.assertRegex(answer.body, r"/>\s*$")
        listed = management("GET", f"{BASE}?accountId=7&limit=2", Accept="application/xml")
        root = ElementTree.fromstring(listed.body)
        self.assertEqual((root.tag, [each.tag for each in root]), ("customers", ["customer"] * len(root)))
        none = management("GET", f"{BASE}?accountId=123456789", Accept="application/xml")
        self.assertEqual(none.body.replace(" ", ""), "<customers/>")
        options = management("GET", f"{BASE}/{made['id']}/payment-options", Accept="application/xml")
        self.assertEqual(options.body.replace(" ", ""), "<payment-options/>")

    def test_xml_and_json_say_the_same_of_generated_customers(self):
        dice = random.Random(11)
        letters = "abc XYZ éß東😀&<>\"'/\\;%#=?+-_.,"
        for _ in range(150):
            members = dict(ANN)
            for name, most in LENGTHS.items():
                if name in ("firstName", "lastName") or (name != "code" and dice.random() < 0.6):
                    size = dice.choice([1, most, dice.randint(1, most)])
                    members[name] = "".join(dice.choice(letters) for _ in range(size)).strip() or "x"
            by_json = management("PUT", BASE, members).json
            by_xml = management("PUT", BASE, xml(members), Content_Type="application/xml",
                                Accept="application/json").json
            for made in (by_json, by_xml):
                in_xml = management("GET", f"{BASE}/{made['id']}", Accept="application/xml")
                self.assertEqual(ElementTree.fromstring(in_xml.body).attrib, as_texts(made))
            self.assertEqual(*({key: made[key] for key in made if key not in ("id", "code", "createDate")}
                               for made in (by_json, by_xml)))

    def test_characters_that_xml_cannot_hold_are_replaced(self):
        made = json.loads(stripe("POST", "/v1/customers", "name=a%01b").body)
        number = next(each for each in find(limit=1000, lastName="a\u0001b"))["id"]
        answer = management("GET", f"{BASE}/{number}", Accept="application/xml")
        self.assertEqual(ElementTree.fromstring(answer.body).attrib["lastName"], "a\ufffdb")
        self.assertEqual(made["name"], "a\u0001b")

    def expect_refused(self, body, *codes):
        answer = management("PUT", BASE, body, Content_Type="application/xml")
        self.assertEqual(answer.status, 400, (body[:100], answer))
        exception = ElementTree.fromstring(answer.body)
        self.assertEqual(exception.tag, "exception")
        self.assertEqual(set(exception.attrib), {"failureCode", "failureMessage"})
        self.assertIn(exception.attrib["failureCode"], codes, body[:100])

    def test_refused_xml(self):
        customer = xml(ANN)
        self.expect_refused('<!DOCTYPE customer>' + customer, "F2")
        self.expect_refused('<!DOCTYPE customer [<!ENTITY a "b">]><customer firstName="&a;"/>', "F2")
        self.expect_refused('<customer accountId="7" firstName="&nbsp;" lastName="x"/>', "F2")
        self.expect_refused('<customer accountId="7" firstName="&a" lastName="x"/>', "F2")
        for number in ("&#0;", "&#1;", "&#xD800;", "&#xFFFF;", "&#x110000;", "&#6565777;", "&#;", "&#x;", "&#-9;"):
            self.expect_refused(f'<customer accountId="7" firstName="{number}" lastName="x"/>', "F2")
        self.expect_refused('<!DOCTYPE x SYSTEM "file:///etc/passwd"><customer/>', "F2")
        self.expect_refused('<?xml version="1.0" encoding="ISO-8859-1"?>' + customer, "F2")
        self.expect_refused("<a>" * 20 + "</a>" * 20, "F3")
        self.expect_refused("<customer>" * 20_000 + "</customer>" * 20_000, "F3", "F1")
        self.expect_refused("<person/>", "F1")
        self.expect_refused(customer + customer, "F1")
        self.expect_refused("", "F1")
        self.expect_refused("<customer", "F1")
        self.expect_refused("<customer firstName='a' firstName='b'/>", "F1")
        self.expect_refused(b"<customer firstName='\xff'/>", "F1")
        self.expect_refused('{"firstName":"Ann"}', "F1")
        made = management("PUT", BASE, '<?xml version="1.0" encoding="UTF-8"?><!-- fine -->' + customer,
                          Content_Type="application/xml", Accept="application/json")
        self.assertEqual(made.status, 200, made)
        body = '<customer accountId="7" firstName="&lt;&#65;&#x42;&amp;" lastName="&quot;&apos;&gt;"/>'
        entities = management("PUT", BASE, body, Content_Type="application/xml", Accept="application/json").json
        self.assertEqual((entities["firstName"], entities["lastName"]), ("<AB&", "\"'>"))

    def test_a_body_that_is_too_large_is_413(self):
        connection = Connection(service.service.api)
        connection.send(request_bytes("PUT", BASE, {**management.headers, "Content-Length": "9999999"}, b""))
        answer = connection.read()
        self.assertEqual((answer.status, answer.json["failureCode"]), (413, "F4"))

    def test_refused_json(self):
        for body in ("{", "[]", "5", '{"firstName":"a","firstName":"b"}', "[" * 100 + "]" * 100):
            answer = management("PUT", BASE, body)
            self.assertEqual((answer.status, answer.json["failureCode"]), (400, "F1"), body)


class Users(unittest.TestCase):
    def test_401_otherwise(self):
        for authorization, code in ((None, "L1"), ("Bearer x", "L1"), ("Basic !!!", "L1"),
                                    (basic("api-demo", "wrong"), "L2"), (basic("admin", "ps_test_demo"), "L2"),
                                    (basic("sk_test_1"), "L2"), (basic("api-nobody", "ps_test_demo"), "L2")):
            answer = exchange(service.service.api, "GET", BASE, {"Authorization": authorization})
            self.assertEqual((answer.status, answer.json["failureCode"]), (401, code), authorization)
            self.assertTrue(answer.header("WWW-Authenticate").startswith("Basic"))
            answer = exchange(service.service.api, "GET", BASE, {"Authorization": authorization, "Accept": "text/xml"})
            self.assertEqual(ElementTree.fromstring(answer.body).attrib["failureCode"], code)

    def test_the_secret_says_the_mode_and_modes_never_meet(self):
        secret = service.service.command("users", "create", "api-shop", "--role", "service", "--mode", "live")
        self.assertTrue(secret.startswith("ps_live_"), secret)
        live = Api(basic("API-Shop", secret))
        live.headers["Content-Type"] = "application/json"
        self.assertTrue(eventually(lambda: live("GET", BASE).status == 200))
        made = live("PUT", BASE, {**ANN, "code": "both"})
        self.assertEqual(made.status, 200, made)
        self.assertIn(made.json, live("GET", BASE).json)
        self.assertEqual(management("GET", f"{BASE}?firstName=Ann&limit=1000").json.count(made.json), 0)
        self.assertEqual(create(code="both")["code"], "both", "a code is unique in its mode")
        renewed = service.service.command("users", "rotate", "api-shop", "--mode", "live")
        self.assertTrue(eventually(lambda: live("GET", BASE).status == 401), "the old secret is good no more")
        again = Api(basic("api-shop", renewed))
        self.assertEqual(again("GET", BASE).status, 200)
        service.service.command("users", "remove", "api-shop", "--mode", "live")
        self.assertTrue(eventually(lambda: again("GET", BASE).status == 401))


def find_stripe_id(made):
    """The customer's name in Stripe's API, by a mark that only it has."""
    mark = f"mark{next(unique)}@example.com"
    management("POST", f"{BASE}/{made['id']}", {"email": mark})
    return json.loads(stripe("GET", f"/v1/customers?email={mark}").body)["data"][0]["id"]


class OneCustomer(unittest.TestCase):
    def test_first_and_last_name_together_are_the_name(self):
        made = create(firstName="Mary Ann", lastName="van Dyke", city="Köln", countryCode="DE", phone="123")
        id = find_stripe_id(made)
        seen = json.loads(stripe("GET", f"/v1/customers/{id}").body)
        self.assertEqual((seen["name"], seen["address"]["city"], seen["address"]["country"], seen["phone"]),
                         ("Mary Ann van Dyke", "Köln", "DE", "123"))
        stripe("POST", f"/v1/customers/{id}",
               "name=Bob%20Roe%20Jr&address[line1]=Here&address[postal_code]=1234567890123")
        changed = management("GET", f"{BASE}/{made['id']}").json
        self.assertEqual((changed["firstName"], changed["lastName"]), ("Bob Roe", "Jr"))
        self.assertEqual(changed["street1"], "Here")
        self.assertEqual(changed["zipCode"], "1234567890123", "shown as it is, though longer than the limit")
        self.assertEqual(management("POST", f"{BASE}/{made['id']}", {"city": "Bonn"}).json["zipCode"], "1234567890123")

    def test_customers_of_the_other_apis_have_a_number_too(self):
        mark = f"other{next(unique)}@example.com"
        made = json.loads(stripe("POST", "/v1/customers", f"email={mark}&name=Madonna").body)
        [seen] = find(email=mark)
        self.assertEqual((seen["code"], seen.get("firstName"), seen["lastName"]), (str(seen["id"]), None, "Madonna"))
        self.assertNotIn("accountId", seen)
        stripe("DELETE", f"/v1/customers/{made['id']}")
        self.assertEqual(find(email=mark), [])
        self.assertEqual(management("GET", f"{BASE}/{seen['id']}").status, 404)

    def test_subscriptions_and_payment_options(self):
        made = create()
        id = find_stripe_id(made)
        path = f"{BASE}/{made['id']}"
        stripe("POST", "/v1/plans", "id=unipay_gold&amount=2000&currency=usd&interval=month&product[name]=Gold")
        cards = [json.loads(stripe("POST", f"/v1/customers/{id}/sources", "source=tok_visa").body)["id"]
                 for _ in range(3)]
        subscriptions = [json.loads(stripe("POST", f"/v1/customers/{id}/subscriptions", "plan=unipay_gold").body)["id"]
                         for _ in range(3)]
        stripe("DELETE", f"/v1/subscriptions/{subscriptions[1]}")
        options = management("GET", f"{path}/payment-options").json
        self.assertEqual([each["id"] for each in options], cards)
        self.assertEqual([each["isDefault"] for each in options], [True, False, False])
        found = management("GET", f"{path}/subscriptions").json
        self.assertEqual([each["id"] for each in found], subscriptions)
        self.assertEqual([each["status"] for each in found], ["active", "canceled", "active"])
        for name, all in (("payment-options", options), ("subscriptions", found)):
            self.assertEqual(management("GET", f"{path}/{name}?offset=1&limit=1").json, all[1:2])
            self.assertEqual(management("GET", f"{path}/{name}/~find?offset=3").json, [])
            self.assertEqual(management("GET", f"{path}/{name}?limit=x").status, 400)
            in_xml = management("GET", f"{path}/{name}", Accept="text/xml")
            texts = [{key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in each.items()}
                     for each in all]
            self.assertEqual([each.attrib for each in ElementTree.fromstring(in_xml.body)], texts)
            self.assertEqual(management("GET", f"{BASE}/999999999/{name}").status, 404)
