"""What pays in one API and is billed in another: funding sources, charged through their provider."""
import calendar
import datetime
import email.utils
import unittest
import urllib.parse

import service
from service import Api, basic, eventually, stripe

NEVER = "0001-01-01T00:00:00Z"
BEGIN = calendar.timegm((2026, 1, 15, 12, 0, 0))
MONTH_LATER = calendar.timegm((2026, 2, 15, 14, 0, 0))
names = (f"payer{number}" for number in range(10**9))
admin = Api(basic("admin", "ps_test_demo"), Content_Type="application/json")
management = Api(basic("api-demo", "ps_test_demo"))


def ask(method, path, **form):
    answer = stripe(method, path, urllib.parse.urlencode(form))
    assert answer.status == 200, answer
    return answer.json


def seconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


class Payer:
    """A user who is a customer on a test clock, and whose funding sources are these."""

    def __init__(self, *remote_ids):
        self.clock = ask("POST", "/v1/test_helpers/test_clocks", frozen_time=BEGIN)["id"]
        self.customer = ask("POST", "/v1/customers", test_clock=self.clock)["id"]
        self.name = next(names)
        user = admin("POST", "/users", {"username": self.name, "customer": self.customer}).json["users"][0]
        self.api = Api(basic(self.name, user["secret"]), Content_Type="application/json")
        self.path = f"/users/{self.name}/funding_sources"
        self.number = user["id"]
        if remote_ids:
            body = {"funding_sources": {"stripe": [{"remote_id": each, "nickname": "mine"} for each in remote_ids]}}
            assert self.api("POST", self.path, body).status == 200

    def listed(self):
        return self.api("GET", self.path).json["funding_sources"]["stripe"]

    def subscribe(self, **more):
        stripe("POST", "/v1/plans", "id=funded&amount=1500&currency=eur&interval=month&product[name]=Funded")
        return stripe("POST", "/v1/subscriptions",
                      urllib.parse.urlencode({"customer": self.customer, "items[0][plan]": "funded", **more}))

    def advance(self, until):
        ask("POST", f"/v1/test_helpers/test_clocks/{self.clock}/advance", frozen_time=until)
        assert eventually(lambda: ask("GET", f"/v1/test_helpers/test_clocks/{self.clock}")["status"] == "ready")


def remote():
    return f"cus_{next(names)}"


class Charging(unittest.TestCase):
    def test_a_renewal_is_charged_through_the_provider_with_the_remote_id(self):
        remote_id = remote()
        payer = Payer(remote_id)
        [source] = payer.listed()
        self.assertEqual(source["last_used"], NEVER)
        self.assertEqual(payer.subscribe().json["status"], "active")
        charged = service.service.processor.charged(remote_id)
        self.assertEqual([(each["path"], each["amount"], each["currency"]) for each in charged],
                         [("/v1/charges", "1500", "eur")])
        [used] = payer.listed()
        self.assertLess(abs(seconds(used["last_used"]) - BEGIN), 3600)
        self.assertEqual({**used, "last_used": NEVER}, source, "nothing else has changed")
        payer.advance(MONTH_LATER)
        self.assertEqual(len(service.service.processor.charged(remote_id)), 2)
        [again] = payer.listed()
        self.assertGreater(seconds(again["last_used"]), seconds(used["last_used"]))

    def test_what_is_declined_does_not_count_as_used(self):
        remote_id = "cus_decline_" + next(names)
        payer = Payer(remote_id)
        self.assertEqual(payer.subscribe().json["status"], "incomplete")
        self.assertEqual(len(service.service.processor.charged(remote_id)), 1)
        self.assertEqual(payer.listed()[0]["last_used"], NEVER)
        answer = payer.api("GET", payer.path)
        self.assertIsNone(answer.header("Last-Modified"))

    def test_the_last_used_comes_first_and_is_the_lists_date(self):
        payer = Payer(remote(), remote(), remote())
        payer.subscribe()
        answer = payer.api("GET", payer.path)
        listed = answer.json["funding_sources"]["stripe"]
        self.assertEqual([each["last_used"] == NEVER for each in listed], [False, True, True])
        dated = email.utils.parsedate_to_datetime(answer.header("Last-Modified"))
        self.assertEqual(int(dated.timestamp()), seconds(listed[0]["last_used"]), "to the second, never rounded up")

    def test_what_the_system_sets_stays_when_the_user_changes_a_source_that_was_used(self):
        payer = Payer(remote())
        payer.subscribe()
        [used] = payer.listed()
        body = {"funding_sources": {"stripe": [{"nickname": "other", "last_used": NEVER, "user_id": 1, "id": 2,
                                                "added": NEVER}]}}
        [changed] = payer.api("PUT", f"{payer.path}/{used['id']}", body).json["funding_sources"]["stripe"]
        self.assertEqual(changed, {**used, "nickname": "other"})

    def test_a_new_remote_id_is_what_is_charged_next(self):
        first, second = remote(), remote()
        payer = Payer(first)
        payer.subscribe()
        [source] = payer.listed()
        payer.api("PUT", f"{payer.path}/{source['id']}", {"funding_sources": {"stripe": [{"remote_id": second}]}})
        payer.advance(MONTH_LATER)
        self.assertEqual([len(service.service.processor.charged(each)) for each in (first, second)], [1, 1])

    def test_a_source_that_a_live_subscription_uses_may_be_deleted_and_the_next_collection_fails_visibly(self):
        remote_id = remote()
        payer = Payer(remote_id)
        subscription = payer.subscribe().json["id"]
        [source] = payer.listed()
        answer = payer.api("DELETE", f"{payer.path}/{source['id']}")
        self.assertEqual(answer.status, 200, answer)
        payer.advance(MONTH_LATER)
        self.assertEqual(len(service.service.processor.charged(remote_id)), 1)
        self.assertEqual(ask("GET", f"/v1/subscriptions/{subscription}")["status"], "past_due")
        newest = ask("GET", f"/v1/invoices?customer={payer.customer}")["data"][0]
        self.assertEqual((newest["status"], newest["paid"], newest["attempted"]), ("open", False, True))


class InStripe(unittest.TestCase):
    """How Stripe's API tells of a source of which only the processor knows what it is."""

    def test_it_is_no_card_but_a_source_of_its_own_type(self):
        remote_id = remote()
        payer = Payer(remote_id)
        [source] = ask("GET", f"/v1/customers/{payer.customer}/sources")["data"]
        self.assertRegex(source["id"], r"^src_[A-Za-z0-9]{24}$")
        self.assertEqual((source["object"], source["type"], source["status"], source["usage"], source["flow"]),
                         ("source", "funding_source", "chargeable", "reusable", "none"))
        self.assertEqual(source["funding_source"],
                         {"gateway": "stripe", "remote_id": remote_id, "nickname": "mine", "last_used": None})
        for member in ("brand", "last4", "exp_month", "exp_year", "funding"):
            self.assertNotIn(member, source)
        customer = ask("GET", f"/v1/customers/{payer.customer}")
        self.assertEqual(customer["default_source"], source["id"])
        self.assertEqual(customer["sources"]["data"], [source])
        self.assertEqual(ask("GET", f"/v1/customers/{payer.customer}/sources/{source['id']}"), source)

    def test_its_last_use_is_told(self):
        payer = Payer(remote())
        payer.subscribe()
        [source] = ask("GET", f"/v1/customers/{payer.customer}/sources")["data"]
        self.assertEqual(source["funding_source"]["last_used"], seconds(payer.listed()[0]["last_used"]))

    def test_charges_and_events_tell_of_it_likewise_also_when_it_is_gone(self):
        remote_id = remote()
        payer = Payer(remote_id)
        payer.subscribe()
        [charge] = ask("GET", f"/v1/charges?customer={payer.customer}")["data"]
        self.assertEqual(charge["payment_method_details"],
                         {"type": "funding_source", "funding_source": {"gateway": "stripe", "remote_id": remote_id}})
        self.assertEqual(charge["source"]["type"], "funding_source")
        created = [each["data"]["object"] for each in
                   ask("GET", "/v1/events?type=customer.source.created&limit=100")["data"]]
        self.assertIn("source", {each["object"] for each in created if each["customer"] == payer.customer})
        stripe("DELETE", f"/v1/customers/{payer.customer}/sources/{charge['source']['id']}")
        gone = ask("GET", f"/v1/charges/{charge['id']}")["source"]
        self.assertEqual((gone["object"], gone["funding_source"]["remote_id"]), ("source", remote_id))

    def test_it_is_listed_by_its_kind_and_not_below_cards(self):
        payer = Payer(remote())
        path = f"/v1/customers/{payer.customer}"
        [source] = ask("GET", f"{path}/sources?object=source")["data"]
        self.assertEqual(ask("GET", f"{path}/sources?object=card")["data"], [])
        self.assertEqual(ask("GET", f"{path}/cards")["data"], [])
        self.assertEqual(stripe("GET", f"{path}/cards/{source['id']}").status, 404)
        intent = ask("GET", "/v1/payment_intents/" + self.intent_of(payer))
        self.assertEqual(intent["payment_method_types"], ["funding_source"])

    def intent_of(self, payer):
        payer.subscribe()
        return ask("GET", f"/v1/invoices?customer={payer.customer}")["data"][0]["payment_intent"]

    def test_what_only_a_card_has_cannot_be_changed(self):
        payer = Payer(remote())
        [source] = ask("GET", f"/v1/customers/{payer.customer}/sources")["data"]
        path = f"/v1/customers/{payer.customer}/sources/{source['id']}"
        answer = stripe("POST", path, "exp_month=5")
        self.assertEqual((answer.status, answer.json["error"]["param"]), (400, "exp_month"), answer)
        changed = ask("POST", path, **{"metadata[a]": "b"})
        self.assertEqual(changed, {**source, "metadata": {"a": "b"}})
        self.assertEqual(stripe("DELETE", path).json, {"id": source["id"], "object": "source", "deleted": True})
        self.assertEqual(payer.listed(), [])


class InManagement(unittest.TestCase):
    def test_it_is_a_payment_option_of_its_gateway(self):
        payer = Payer(remote())
        [option] = management("GET", f"/api/v01/customers/{payer.number}/payment-options").json
        self.assertEqual((option["gateway"], option["isDefault"]), ("stripe", True))

