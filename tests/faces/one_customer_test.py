"""One customer behind four APIs: every row of the table of fields in net/api/README.md, through all of them."""
import datetime
import pathlib
import re
import unittest
import urllib.parse

import service
from service import Api, basic, eventually, stripe

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
APIS = ("Stripe", "Stancer", "Management", "funding sources")
CUSTOMERS = "/api/v01/customers"
names = (f"one{number}" for number in range(10**9))
stancer = Api(basic("stest_000000000000000000000000"), Content_Type="application/json")
management = Api(basic("api-demo", "ps_test_demo"), Content_Type="application/json")
admin = Api(basic("admin", "ps_test_demo"), Content_Type="application/json")


def table():
    """{field of the customer: {API: names of the members that show it}}"""
    rows = {}
    for line in (ROOT / "net/api/README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 5 and re.fullmatch(r"[a-z_0-9]+", cells[0]) and cells[0] != "customer":
            rows[cells[0]] = {api: re.findall(r"`([^`]+)`", cell)
                              for api, cell in zip(APIS, cells[1:]) if cell}
    return rows


FIELDS = table()
# What is written into a field that can be changed, and fits every API's limits.
VALUES = {"name": "Zoë Grün", "email": "zoe@example.net", "phone": "+33639980102", "line1": "Rue 1", "line2": "Cour",
          "city": "Köln", "state": "NW", "postal_code": "50667", "country": "DE"}
ALONE = {"organization": "Ácme", "external_id": "ext-17"}


def member(shown, path):
    for part in path.split("."):
        shown = shown.get(part) if shown else None
    return shown


class Customer:
    """One customer as each of the APIs knows it."""

    def __init__(self, id):
        self.id = id
        self.user_name = next(names)
        [user] = admin("POST", "/users", {"username": self.user_name, "customer": id}).json["users"]
        self.number, self.secret = user["id"], user["secret"]
        self.stancer_id = "cust_" + id[4:]

    def show(self, api):
        if api == "Stripe":
            return stripe("GET", f"/v1/customers/{self.id}").json
        if api == "Stancer":
            return stancer("GET", f"/v1/customers/{self.stancer_id}").json
        if api == "Management":
            return management("GET", f"{CUSTOMERS}/{self.number}").json
        return admin("GET", f"/users/{self.user_name}").json["users"][0]

    def read(self, api, field):
        """As one text, where an API has two members for it."""
        shown = self.show(api)
        values = [member(shown, path) for path in FIELDS[field][api]]
        return " ".join(str(value) for value in values if value is not None) if len(values) > 1 else values[0]

    def write(self, api, field, value):
        paths = FIELDS[field][api]
        values = dict(zip(paths, value.rsplit(" ", 1) if len(paths) > 1 else [value]))
        if api == "Stripe":
            form = {re.sub(r"\.(\w+)", r"[\1]", path): text for path, text in values.items()}
            return stripe("POST", f"/v1/customers/{self.id}", urllib.parse.urlencode(form))
        if api == "Stancer":
            return stancer("PATCH", f"/v1/customers/{self.stancer_id}", values)
        if api == "Management":
            return management("POST", f"{CUSTOMERS}/{self.number}", values)
        body = {}
        for path, text in values.items():
            *outer, last = path.split(".")
            (body.setdefault(outer[0], {}) if outer else body)[last] = text
        return admin("PUT", f"/users/{self.user_name}", body)


def new_customer(**form):
    return Customer(stripe("POST", "/v1/customers", urllib.parse.urlencode(form)).json["id"])


class Fields(unittest.TestCase):
    def test_every_row_of_the_table_is_looked_at(self):
        looked_at = {*VALUES, *ALONE, "id", "number", "code", "account_id", "user_name", "created", "sources"}
        self.assertEqual(set(FIELDS), looked_at)

    def test_what_one_api_writes_the_others_show(self):
        customer = new_customer()
        for field, value in VALUES.items():
            for writer in FIELDS[field]:
                written = value[:-1] + "wxyz"[APIS.index(writer)]
                answer = customer.write(writer, field, written)
                self.assertLess(answer.status, 300, (field, writer, answer))
                for reader in FIELDS[field]:
                    self.assertEqual(customer.read(reader, field), written, (field, writer, reader))

    def test_what_only_one_api_has_survives_the_others(self):
        customer = new_customer()
        for field, value in ALONE.items():
            [api] = FIELDS[field]
            customer.write(api, field, value)
        for api in APIS:
            customer.write(api, "name", f"By {api.split()[0]}")
        for field, value in ALONE.items():
            self.assertEqual(customer.read(*FIELDS[field], field), value)

    def test_the_identifiers(self):
        customer = new_customer()
        self.assertEqual(customer.read("Stripe", "id"), customer.id)
        self.assertEqual(customer.read("Stancer", "id"), "cust_" + customer.id.removeprefix("cus_"))
        self.assertEqual(customer.read("funding sources", "id"), customer.id)
        self.assertEqual(customer.read("Management", "number"), customer.number)
        self.assertEqual(customer.read("Management", "code"), str(customer.number))
        self.assertIsNone(customer.read("Management", "account_id"))
        self.assertEqual(customer.read("funding sources", "user_name"), customer.user_name)

    def test_the_time_of_creation_is_the_same_everywhere(self):
        customer = new_customer()
        created = customer.read("Stripe", "created")
        self.assertEqual(customer.read("Stancer", "created"), created)
        date = datetime.datetime.fromtimestamp(created, datetime.timezone.utc)
        self.assertEqual(customer.read("Management", "created"), date.strftime("%Y-%m-%d %H:%M:%S"))
        self.assertEqual(customer.read("funding sources", "created")[:19], date.strftime("%Y-%m-%dT%H:%M:%S"))

    def test_sources_are_those_of_all(self):
        customer = new_customer()
        card = stripe("POST", f"/v1/customers/{customer.id}/sources", "source=tok_visa").json["id"]
        path = f"/users/{customer.user_name}/funding_sources"
        admin("POST", path, {"funding_sources": {"stripe": [{"remote_id": "cus_1"}]}})
        ids = [each["id"] for each in customer.show("Stripe")["sources"]["data"]]
        self.assertEqual(len(ids), 2)
        options = management("GET", f"{CUSTOMERS}/{customer.number}/payment-options").json
        self.assertEqual([each["id"] for each in options], ids[::-1])
        self.assertEqual([each["gateway"] for each in options], ["test", "stripe"])
        self.assertEqual(len(admin("GET", path).json["funding_sources"]["stripe"]), 1)
        stripe("DELETE", f"/v1/customers/{customer.id}/sources/{card}")
        self.assertEqual(len(management("GET", f"{CUSTOMERS}/{customer.number}/payment-options").json), 1)

    def test_names_of_two_parts_keep_them_until_the_whole_is_changed(self):
        customer = new_customer()
        management("POST", f"{CUSTOMERS}/{customer.number}", {"firstName": "Mary Ann", "lastName": "van Dyke"})
        self.assertEqual(customer.show("funding sources")["name"], {"given": "Mary Ann", "family": "van Dyke"})
        customer.write("Stancer", "name", "Mary Ann van Gogh")
        shown = customer.show("Management")
        self.assertEqual((shown["firstName"], shown["lastName"]), ("Mary Ann van", "Gogh"))
        customer.write("Stripe", "name", "Madonna")
        shown = customer.show("Management")
        self.assertEqual((shown.get("firstName"), shown["lastName"]), (None, "Madonna"))


class Created(unittest.TestCase):
    """A customer that one API has created with all it can say, in the others."""

    def expect(self, customer, fields):
        for field in fields:
            for api in FIELDS[field]:
                self.assertEqual(customer.read(api, field), VALUES[field], (field, api))

    def test_by_stripe(self):
        form = {re.sub(r"\.(\w+)", r"[\1]", FIELDS[field]["Stripe"][0]): value for field, value in VALUES.items()}
        self.expect(new_customer(**form), VALUES)

    def test_by_stancer(self):
        members = {"name": VALUES["name"], "email": VALUES["email"], "mobile": VALUES["phone"],
                   "external_id": next(names)}
        made = stancer("POST", "/v1/customers", members).json
        self.expect(Customer("cus_" + made["id"][5:]), ("name", "email", "phone"))

    def test_by_management(self):
        first, last = VALUES["name"].split()
        mark = f"{next(names)}@example.net"
        members = {FIELDS[field]["Management"][0]: value for field, value in VALUES.items()}
        made = management("PUT", CUSTOMERS, {**members, "accountId": 5, "firstName": first, "lastName": last,
                                             "email": mark}).json
        [listed] = stripe("GET", f"/v1/customers?email={mark}").json["data"]
        customer = Customer(listed["id"])
        self.assertEqual(customer.number, made["id"])
        self.expect(customer, set(VALUES) - {"email"})
        self.assertEqual(customer.show("Management"), made)

    def test_by_funding_sources(self):
        given, family = VALUES["name"].split()
        name = next(names)
        [user] = admin("POST", "/users", {"username": name, "email": VALUES["email"],
                                          "name": {"given": given, "family": family}}).json["users"]
        customer = Customer.__new__(Customer)
        customer.id, customer.number, customer.user_name = user["customer"], user["id"], name
        customer.stancer_id = "cust_" + customer.id[4:]
        self.expect(customer, ("name", "email"))


class Limits(unittest.TestCase):
    def test_what_a_limit_would_refuse_is_shown_as_it_is(self):
        long = "x" * 300
        customer = new_customer(name="Al", email="a@b", phone="123", **{
            "address[line1]": long, "address[line2]": long, "address[city]": long, "address[state]": "Bavaria",
            "address[postal_code]": "1234567890123", "address[country]": "DEU"})
        shown = customer.show("Stancer")
        self.assertEqual((shown["name"], shown["email"], shown["mobile"]), ("Al", "a@b", "123"))
        shown = customer.show("Management")
        self.assertEqual([shown[name] for name in ("street1", "street2", "city", "state", "zipCode", "countryCode")],
                         [long, long, long, "Bavaria", "1234567890123", "DEU"])
        long = "x" * 200
        customer.write("Stripe", "name", long)
        self.assertEqual(customer.show("Management")["lastName"], long)
        self.assertEqual(customer.show("Stancer")["name"], long)
        self.assertEqual(customer.show("funding sources")["name"]["family"], long)

    def test_an_api_checks_only_what_a_request_changes(self):
        customer = new_customer(name="Al", phone="123", **{"address[postal_code]": "1234567890123"})
        answer = stancer("PATCH", f"/v1/customers/{customer.stancer_id}", {"email": "al@example.net"})
        self.assertEqual(answer.status, 204, answer)
        shown = customer.show("Management")
        changed = management("POST", f"{CUSTOMERS}/{customer.number}", {"city": "Bonn"})
        self.assertEqual(changed.json, {**shown, "city": "Bonn"})
        self.assertEqual(management("POST", f"{CUSTOMERS}/{customer.number}", {"zipCode": "1" * 13}).status, 400)
        self.assertEqual(admin("PUT", f"/users/{customer.user_name}", {"email": "b@example.net"}).status, 200)

    def test_card_numbers_and_secret_keys_are_refused_in_every_text(self):
        customer = new_customer()
        for field in VALUES:
            if field == "phone":
                continue  # may have the digits of a card
            for api in FIELDS[field]:
                for text in ("4242424242424242", "sk_live_0123456789abcdefghij"):
                    answer = customer.write(api, field, text + " x" if field == "name" else text)
                    self.assertIn(answer.status, (400, 403), (field, api, answer))
                    self.assertNotIn(text, answer.body)


class Deletion(unittest.TestCase):
    def subscribed(self):
        customer = new_customer(source="tok_visa")
        stripe("POST", "/v1/plans", "id=one_gold&amount=2000&currency=usd&interval=month&product[name]=Gold")
        subscription = stripe("POST", f"/v1/customers/{customer.id}/subscriptions", "plan=one_gold").json
        self.assertEqual(subscription["status"], "active")
        return customer, subscription["id"]

    def test_in_any_api_ends_subscriptions_and_is_seen_in_all(self):
        for delete in (lambda customer: stripe("DELETE", f"/v1/customers/{customer.id}"),
                       lambda customer: stancer("DELETE", f"/v1/customers/{customer.stancer_id}"),
                       lambda customer: admin("DELETE", f"/users/{customer.user_name}")):
            customer, subscription = self.subscribed()
            self.assertLess(delete(customer).status, 300)
            self.assertEqual(stripe("GET", f"/v1/subscriptions/{subscription}").json["status"], "canceled")
            self.assertTrue(stripe("GET", f"/v1/customers/{customer.id}").json["deleted"])
            self.assertEqual(stancer("GET", f"/v1/customers/{customer.stancer_id}").status, 404)
            self.assertEqual(management("GET", f"{CUSTOMERS}/{customer.number}").status, 404)
            self.assertEqual(management("GET", f"{CUSTOMERS}/{customer.number}/subscriptions").status, 404)
            self.assertEqual(admin("GET", f"/users/{customer.user_name}").status, 404)
            mine = Api(basic(customer.user_name, customer.secret))
            self.assertEqual(mine("GET", f"/users/{customer.user_name}/funding_sources").status, 401)


class Modes(unittest.TestCase):
    def test_nothing_of_live_mode_is_seen_in_test_mode_in_any_api_and_the_other_way_round(self):
        command = service.service.command
        keys = {"stripe": command("keys", "create", "--mode", "live"),
                "stancer": command("keys", "create", "--mode", "live", "--api", "stancer"),
                "management": command("users", "create", "api-one", "--role", "service", "--mode", "live"),
                "admin": command("users", "create", "bossone", "--role", "administrator", "--mode", "live")}
        live = {"stripe": Api(basic(keys["stripe"])),
                "stancer": Api(basic(keys["stancer"]), Content_Type="application/json"),
                "management": Api(basic("api-one", keys["management"]), Content_Type="application/json"),
                "admin": Api(basic("bossone", keys["admin"]), Content_Type="application/json")}
        test = {"stripe": Api(basic("sk_test_faces")), "stancer": stancer, "management": management, "admin": admin}
        self.assertTrue(eventually(lambda: live["admin"]("GET", "/users/nobody").status == 404))
        self.assertTrue(eventually(lambda: live["stripe"]("GET", "/v1/customers").status == 200))
        self.assertTrue(eventually(lambda: live["management"]("GET", CUSTOMERS).status == 200))
        self.assertTrue(eventually(lambda: live["stancer"]("GET", "/v1/customers/x").status == 404))
        for mine, other in ((live, test), (test, live)):
            made = mine["stancer"]("POST", "/v1/customers", {"email": f"{next(names)}@example.net"}).json
            id, name = "cus_" + made["id"][5:], next(names)
            [user] = mine["admin"]("POST", "/users", {"username": name, "customer": id}).json["users"]
            for path, api in ((f"/v1/customers/{made['id']}", "stancer"), (f"/v1/customers/{id}", "stripe"),
                              (f"/users/{name}", "admin")):
                self.assertEqual(mine[api]("GET", path).status, 200, path)
                self.assertEqual(other[api]("GET", path).status, 404, path)
            found = f"{CUSTOMERS}?email={made['email']}"
            self.assertEqual([each["id"] for each in mine["management"]("GET", found).json], [user["id"]])
            self.assertEqual(other["management"]("GET", found).json, [])
            seen = other["management"]("GET", f"{CUSTOMERS}/{user['id']}")
            is_another = seen.status == 404 or seen.json.get("email") != made["email"]
            self.assertTrue(is_another, "the number may be given to another customer in the other mode")
            listed = other["stripe"]("GET", f"/v1/customers?email={made['email']}").json["data"]
            self.assertEqual(listed, [])
