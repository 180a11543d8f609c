// Every operation on /v1/customers that billd answers: its good case and each of its errors, in the words of three
// versions of the API.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { monthlyPlan, unique } from "./clients.mjs";
import { descriptions } from "./descriptions.mjs";
import {
  asking,
  bad,
  declined,
  paging,
  refusals,
  refused,
  strange,
  tooDeep,
  unexpandable,
  unknown,
} from "./operations.mjs";
import { seed } from "./seed.mjs";
import { call } from "./wire.mjs";

const plan = await monthlyPlan();
const bankAccount = {
  object: "bank_account",
  country: "US",
  currency: "usd",
  routing_number: "110000000",
  account_number: "000123456789",
  account_holder_name: "Jenny Rosen",
  account_holder_type: "individual",
};
const cardNumber = { object: "card", number: "4242424242424242", exp_month: 12, exp_year: 2040, cvc: "123" };

/** What has been tested, to be compared with what there is. */
const tested = new Set();

for (const { version, operations } of descriptions) {
  const good = asking(version);
  const customer = (parameters) => good("POST /v1/customers", parameters);
  /** One test for the good case of an operation, as the description calls it. */
  const works = (operation, run) => {
    tested.add(operation);
    it(`works: ${operation}`, () => run(operation.split(" ")[0]));
  };

  describe(`Customers of ${version}`, () => {
    const one = "/v1/customers/{customer}";
    const nobody = "/v1/customers/cus_nobody";
    works("POST /v1/customers", async () => {
      const created = await customer({ email: "jenny@example.com", metadata: { a: "b" }, account_balance: -500 });
      assert.equal(created.account_balance, -500);
      assert.deepEqual(created.metadata, { a: "b" });
      const shipping = { name: "Jenny", address: { line1: "1 Main Street", country: "US" } };
      const full = await customer({ name: "J", phone: "+1", description: "d", shipping, source: "tok_visa" });
      assert.equal(full.shipping.address.line1, "1 Main Street");
      assert.equal(full.default_source, full.sources.data[0].id);
    });
    refusals(version, "POST /v1/customers", "/v1/customers", [
      strange,
      unexpandable,
      tooDeep,
      ["a card that is declined", { source: "tok_chargeDeclined" }, declined("card_declined")],
      ["a card that has expired", { source: { ...cardNumber, exp_year: 2020 } }, declined("invalid_expiry_year")],
      ["a wrong number", { source: { ...cardNumber, number: "4242424242424241" } }, declined("incorrect_number")],
      ["a card without a number", { source: { object: "card", exp_month: 1, exp_year: 2040 } }, bad("source[number]")],
      ["an unknown token", { source: "tok_nothing" }, bad("source")],
      ["a test clock that there is not", { test_clock: "clock_none" }, unknown("test_clock")],
      ["a balance that is no number", { account_balance: "much" }, bad("account_balance", "parameter_invalid_integer")],
      ["two balances", { balance: 1, account_balance: 1 }, bad("balance")],
      ["shipping without a name", { shipping: { address: { line1: "x" } } }, bad("shipping[name]")],
      ["an exemption that there is not", { tax_exempt: "partly" }, bad("tax_exempt")],
      ["metadata with a long key", { metadata: { ["k".repeat(41)]: "v" } }, { status: 400 }],
      ["metadata with a long value", { metadata: { k: "v".repeat(501) } }, { status: 400 }],
      ["the number of a card in a text", { description: "4242 4242 4242 4242" }, bad("description")],
    ]);
    works("GET /v1/customers", async () => {
      const email = `${unique("list").replaceAll(" ", "-")}@example.com`;
      const ids = [];
      for (let i = 0; i < 3; ++i) ids.unshift((await customer({ email })).id);
      const page = await good("GET /v1/customers", { email, limit: 2 });
      assert.deepEqual(page.data.map(({ id }) => id), ids.slice(0, 2));
      assert.equal(page.has_more, true);
      const rest = await good("GET /v1/customers", { email, starting_after: ids[1] });
      assert.deepEqual(rest.data.map(({ id }) => id), ids.slice(2));
      const before = await good("GET /v1/customers", { email, ending_before: ids[2] });
      assert.deepEqual(before.data.map(({ id }) => id), ids.slice(0, 2));
      assert.deepEqual((await good("GET /v1/customers", { email, created: { gt: 4e9 } })).data, []);
      assert.equal("total_count" in page, false);
      const counted = await good("GET /v1/customers", { email, limit: 1, include: ["total_count"] });
      assert.equal(counted.total_count, 3);
    });
    refusals(version, "GET /v1/customers", "/v1/customers", [
      strange,
      ...paging,
      unexpandable,
      ["a time that is none", { created: "yesterday" }, bad("created")],
      ["an unknown comparison", { created: { near: 1 } }, { status: 400 }],
    ]);
    works(`GET ${one}`, async () => {
      const { id } = await customer({ source: "tok_visa" });
      const read = await good(`GET /v1/customers/${id}`, { expand: ["default_source"] });
      assert.equal(read.default_source.last4, "4242");
      await good(`DELETE /v1/customers/${id}`);
      assert.equal((await good(`GET /v1/customers/${id}`)).deleted, true);
    });
    refusals(version, `GET ${one}`, nobody, [["an unknown customer", {}, unknown("id")], strange, unexpandable]);
    works(`POST ${one}`, async () => {
      const { id } = await customer({ description: "d", metadata: { a: "1", b: "2" } });
      const updated = await good(`POST /v1/customers/${id}`, { description: "", metadata: { a: "", c: "3" } });
      assert.equal(updated.description, null);
      assert.deepEqual(updated.metadata, { b: "2", c: "3" });
      const first = (await good(`POST /v1/customers/${id}`, { source: "tok_visa" })).default_source;
      const second = (await good(`POST /v1/customers/${id}`, { source: "tok_amex" })).default_source;
      assert.notEqual(first, second);
      assert.equal((await good(`POST /v1/customers/${id}`, { default_source: first })).default_source, first);
    });
    refusals(version, `POST ${one}`, nobody, [["an unknown customer", {}, unknown("id")], strange]);
    refusals(version, `POST ${one}`, async () => `/v1/customers/${(await customer()).id}`, [
      ["a source that it does not have", { default_source: "card_none" }, unknown("default_source")],
      ["an unknown token", { source: "tok_none" }, bad("source")],
    ]);
    works(`DELETE ${one}`, async () => {
      const { id } = await customer({ source: "tok_visa" });
      const { id: subscription } = await good(`POST /v1/customers/${id}/subscriptions`, { items: [{ plan: plan.id }] });
      assert.deepEqual(await good(`DELETE /v1/customers/${id}`), { id, object: "customer", deleted: true });
      assert.equal((await good(`GET /v1/subscriptions/${subscription}`)).status, "canceled");
    });
    refusals(version, `DELETE ${one}`, nobody, [["an unknown customer", {}, unknown("id")]]);
    refusals(version, `DELETE ${one}`, async () => {
      const { id } = await customer();
      await good(`DELETE /v1/customers/${id}`);
      return `/v1/customers/${id}`;
    }, [["a customer that is deleted already", {}, unknown("id")]]);
  });

  for (const [kind, parameter, token] of [
    ["sources", "source", "tok_visa"],
    ["cards", "card", "tok_visa"],
    ["bank_accounts", "bank_account", bankAccount],
  ]) {
    describe(`${kind} of ${version}`, () => {
      const all = `/v1/customers/{customer}/${kind}`;
      const of = async (parameters) => `/v1/customers/${(await customer(parameters)).id}/${kind}`;
      const none = async () => `${await of()}/card_none`;
      const isBank = kind === "bank_accounts";
      const add = (path, what = token) => good(`POST ${path}`, { [parameter]: what });
      works(`POST ${all}`, async () => {
        const made = await add(await of());
        assert.equal(made.object, isBank ? "bank_account" : "card");
        if (isBank) {
          assert.equal(made.status, "new");
          assert.equal(made.last4, "6789");
          assert.ok(made.fingerprint);
        } else {
          assert.deepEqual([made.brand, made.funding, made.last4, made.cvc_check], ["Visa", "credit", "4242", "pass"]);
        }
      });
      refusals(version, `POST ${all}`, of, [
        ["nothing", {}, bad("source")],
        strange,
        ["an unknown token", { [parameter]: "tok_none" }, bad(parameter)],
      ]);
      refusals(version, `POST ${all}`, `/v1/customers/cus_nobody/${kind}`, [
        ["an unknown customer", { [parameter]: token }, unknown("customer")],
      ]);
      if (isBank) {
        const wrong = (change) => ({ bank_account: { ...bankAccount, ...change } });
        refusals(version, `POST ${all}`, of, [
          ["a number that is no test account's", wrong({ account_number: "123" }), bad("bank_account[account_number]")],
          ["a wrong routing number", wrong({ routing_number: "110000001" }), bad("bank_account[routing_number]")],
          ["another country", wrong({ country: "XX" }), bad("bank_account[country]")],
          ["a kind of holder that there is not", wrong({ account_holder_type: "dog" }), { status: 400 }],
          ["a card's token", { bank_account: "tok_visa" }, bad("bank_account")],
        ]);
        it("refuses the same account twice", async () => {
          const path = await of();
          await add(path);
          const { status, body } = await call(version, `POST ${path}`, { bank_account: bankAccount });
          assert.equal(status, 400);
          assert.equal(body.error.code, "bank_account_exists");
        });
      }
      works(`GET ${all}`, async () => {
        const path = await of({ source: isBank ? "btok_us_verified" : "tok_visa" });
        const ids = (await good(`GET ${path}`)).data.map(({ id }) => id);
        for (const each of isBank ? [{ ...bankAccount, account_number: "000111111116" }] : ["tok_amex", "tok_jcb"])
          ids.unshift((await add(path, each)).id);
        const listed = await good(`GET ${path}`);
        assert.deepEqual(listed.data.map(({ id }) => id), ids);
        const [first, ...others] = ids;
        const second = await good(`GET ${path}`, { limit: 1, starting_after: first });
        assert.deepEqual(second.data.map(({ id }) => id), others.slice(0, 1));
        const object = isBank ? "card" : "bank_account";
        assert.deepEqual((await good(`GET ${path}`, { type: object })).data, []);
      });
      refusals(version, `GET ${all}`, of, [strange, ...paging, unexpandable]);
      refusals(version, `GET ${all}`, `/v1/customers/cus_nobody/${kind}`, [
        ["an unknown customer", {}, unknown("customer")],
      ]);
      works(`GET ${all}/{id}`, async () => {
        const path = await of();
        const made = await add(path);
        const read = await good(`GET ${path}/${made.id}`, { expand: ["customer"] });
        assert.equal(read.last4, made.last4);
        assert.equal(read.customer.id, made.customer);
      });
      works(`POST ${all}/{id}`, async () => {
        const path = await of();
        const { id } = await add(path);
        const name = isBank ? "account_holder_name" : "name";
        const updated = await good(`POST ${path}/${id}`, { [name]: "Rosen", metadata: { a: "b" } });
        assert.equal(updated[name], "Rosen");
        assert.deepEqual(updated.metadata, { a: "b" });
        if (isBank) return;
        const moved = await good(`POST ${path}/${id}`, { exp_month: 3, exp_year: 2033, address_zip: "94107" });
        assert.deepEqual([moved.exp_month, moved.exp_year, moved.address_zip], [3, 2033, "94107"]);
      });
      works(`DELETE ${all}/{id}`, async () => {
        const path = await of();
        const first = await add(path);
        const second = await add(path, isBank ? { ...bankAccount, account_number: "000111111116" } : "tok_amex");
        const owner = path.replace(`/${kind}`, "");
        assert.equal((await good(`GET ${owner}`)).default_source, first.id);
        assert.equal((await good(`DELETE ${path}/${first.id}`)).deleted, true);
        assert.equal((await good(`GET ${owner}`)).default_source, second.id);
        await good(`DELETE ${path}/${second.id}`);
        assert.equal((await good(`GET ${owner}`)).default_source, null);
      });
      for (const method of ["GET", "POST", "DELETE"])
        refusals(version, `${method} ${all}/{id}`, none, [["an unknown source", {}, unknown("id")], strange]);
      refusals(version, `POST ${all}/{id}`, async () => {
        const path = await of();
        return `${path}/${(await add(path)).id}`;
      }, isBank
        ? [["a card's expiry", { exp_month: 3 }, bad("exp_month")]]
        : [
            ["a month that there is not", { exp_month: 13 }, bad("exp_month")],
            ["a bank account's holder", { account_holder_name: "x" }, bad("account_holder_name", "parameter_unknown")],
          ]);
      if (kind === "cards") return;
      works(`POST ${all}/{id}/verify`, async () => {
        const path = await of();
        const { id } = await good(`POST ${path}`, { [parameter]: bankAccount });
        const { status, body } = await call(version, `POST ${path}/${id}/verify`, { amounts: [1, 2] });
        assert.equal(status, 400);
        assert.equal(body.error.code, "bank_account_verification_failed");
        assert.equal((await good(`POST ${path}/${id}/verify`, { amounts: [45, 32] })).status, "verified");
        const again = await call(version, `POST ${path}/${id}/verify`, { amounts: [32, 45] });
        assert.equal(again.status, 400);
        assert.match(again.body.error.message, /already been verified/);
      });
      refusals(version, `POST ${all}/{id}/verify`, async () => {
        const path = await of();
        return `${path}/${(await good(`POST ${path}`, { [parameter]: bankAccount })).id}/verify`;
      }, [
        ["no amounts", {}, bad("amounts")],
        ["one amount", { amounts: [32] }, bad("amounts")],
        ["an amount that is no number", { amounts: ["x", 45] }, bad("amounts[0]")],
        strange,
      ]);
      refusals(version, `POST ${all}/{id}/verify`, async () => `${await none()}/verify`, [
        ["an unknown source", { amounts: [32, 45] }, unknown("id")],
      ]);
      it("fails the verification for good with the third wrong attempt", async () => {
        const path = await of();
        const { id } = await good(`POST ${path}`, { [parameter]: bankAccount });
        for (let i = 0; i < 3; ++i)
          assert.equal((await call(version, `POST ${path}/${id}/verify`, { amounts: [1, 2] })).status, 400);
        assert.equal((await good(`GET ${path}/${id}`)).status, "verification_failed");
        assert.equal((await call(version, `POST ${path}/${id}/verify`, { amounts: [32, 45] })).status, 400);
      });
    });
  }

  describe(`Subscriptions below their customer of ${version}`, () => {
    const all = "/v1/customers/{customer}/subscriptions";
    const of = async () => `/v1/customers/${(await customer({ source: "tok_visa" })).id}/subscriptions`;
    const items = [{ plan: plan.id }];
    works(`POST ${all}`, async () => {
      assert.equal((await good(`POST ${await of()}`, { items })).status, "active");
    });
    refusals(version, `POST ${all}`, of, [
      ["a plan that there is not", { items: [{ plan: "nothing" }] }, { status: 404, code: "resource_missing" }],
      strange,
      unexpandable,
    ]);
    refusals(version, `POST ${all}`, "/v1/customers/cus_nobody/subscriptions", [
      ["an unknown customer", { items }, unknown("customer")],
    ]);
    refusals(version, `POST ${all}`, async () => `/v1/customers/${(await customer()).id}/subscriptions`, [
      ["a customer without a source", { items }, { status: 400, message: /no attached payment source/ }],
    ]);
    works(`GET ${all}`, async () => {
      const path = await of();
      const ids = [];
      for (let i = 0; i < 3; ++i) ids.unshift((await good(`POST ${path}`, { items })).id);
      await good(`DELETE ${path}/${ids.pop()}`);
      assert.deepEqual((await good(`GET ${path}`)).data.map(({ id }) => id), ids);
      const second = await good(`GET ${path}`, { limit: 1, starting_after: ids[0] });
      assert.deepEqual(second.data.map(({ id }) => id), [ids[1]]);
    });
    refusals(version, `GET ${all}`, of, [strange, ...paging, unexpandable]);
    const id = "{subscription_exposed_id}";
    works(`GET ${all}/${id}`, async () => {
      const path = await of();
      const made = await good(`POST ${path}`, { items });
      assert.equal((await good(`GET ${path}/${made.id}`, { expand: ["customer"] })).customer.id, made.customer);
    });
    works(`POST ${all}/${id}`, async () => {
      const path = await of();
      const made = await good(`POST ${path}`, { items });
      const ending = await good(`POST ${path}/${made.id}`, { cancel_at_period_end: true });
      assert.equal(ending.cancel_at_period_end, true);
    });
    works(`DELETE ${all}/${id}`, async () => {
      const path = await of();
      const made = await good(`POST ${path}`, { items });
      assert.equal((await good(`DELETE ${path}/${made.id}`)).status, "canceled");
      const later = await good(`POST ${path}`, { items });
      if (version < "2018-07-27") {
        const ending = await good(`DELETE ${path}/${later.id}`, { at_period_end: true });
        assert.deepEqual([ending.status, ending.cancel_at_period_end], ["active", true]);
      }
    });
    for (const method of ["GET", "POST", "DELETE"])
      refusals(version, `${method} ${all}/${id}`, async () => `${await of()}/sub_none`, [
        ["an unknown subscription", {}, { status: 404, code: "resource_missing" }],
        strange,
      ]);
  });

  describe(`Discounts of ${version}`, () => {
    const coupon = async () =>
      (await good("POST /v1/coupons", { id: unique("half"), percent_off: 50, duration: "forever" })).id;
    const ofCustomer = "/v1/customers/{customer}/discount";
    const ofSubscription = "/v1/customers/{customer}/subscriptions/{subscription_exposed_id}/discount";
    /** A customer's subscription, each with a coupon of its own. */
    const discounted = async () => {
      const mine = await coupon();
      const theirs = await coupon();
      const { id } = await customer({ source: "tok_visa", coupon: mine });
      const items = [{ plan: plan.id }];
      const made = await good(`POST /v1/customers/${id}/subscriptions`, { items, coupon: theirs });
      return { id, mine, theirs, subscription: made.id };
    };
    works(`GET ${ofCustomer}`, async () => {
      const { id, mine } = await discounted();
      const read = await good(`GET /v1/customers/${id}/discount`);
      assert.deepEqual([read.object, read.coupon.id, read.customer], ["discount", mine, id]);
      assert.equal(read.coupon.times_redeemed, 1);
      assert.equal((await good(`GET /v1/customers/${id}`)).discount.coupon.id, mine);
    });
    works(`DELETE ${ofCustomer}`, async () => {
      const { id } = await discounted();
      assert.equal((await good(`DELETE /v1/customers/${id}/discount`)).deleted, true);
      assert.equal((await good(`GET /v1/customers/${id}`)).discount, null);
    });
    works(`GET ${ofSubscription}`, async () => {
      const { id, theirs, subscription } = await discounted();
      const read = await good(`GET /v1/customers/${id}/subscriptions/${subscription}/discount`);
      assert.deepEqual([read.coupon.id, read.customer, read.subscription], [theirs, id, subscription]);
    });
    works(`DELETE ${ofSubscription}`, async () => {
      const { id, subscription } = await discounted();
      const path = `/v1/customers/${id}/subscriptions/${subscription}`;
      assert.equal((await good(`DELETE ${path}/discount`)).deleted, true);
      assert.equal((await good(`GET ${path}`)).discount, null);
    });
    const without = async () => `/v1/customers/${(await customer()).id}/discount`;
    for (const method of ["GET", "DELETE"]) {
      refusals(version, `${method} ${ofCustomer}`, without, [
        ["a customer without one", {}, unknown()],
        ["an unknown customer", {}, unknown("customer"), "/v1/customers/cus_nobody/discount"],
        strange,
      ]);
      const undiscounted = async () => {
        const { id } = await customer({ source: "tok_visa" });
        const made = await good(`POST /v1/customers/${id}/subscriptions`, { items: [{ plan: plan.id }] });
        return `/v1/customers/${id}/subscriptions/${made.id}/discount`;
      };
      const unsubscribed = async () => `/v1/customers/${(await customer()).id}/subscriptions/sub_none/discount`;
      refusals(version, `${method} ${ofSubscription}`, undiscounted, [
        ["a subscription without one", {}, unknown()],
        ["an unknown subscription", {}, unknown(), unsubscribed],
        ["an unknown customer", {}, unknown("customer"), "/v1/customers/cus_nobody/subscriptions/sub_none/discount"],
        strange,
      ]);
    }
  });

  after(() => {
    const known = operations.map(({ name }) => name);
    for (const name of seed.filter((each) => known.includes(each))) {
      assert.ok(tested.has(name), `${name} is not tested`);
      assert.ok(refused.has(name), `no error of ${name} is tested`);
    }
  });
}

describe("Without a key", () => {
  it("nothing is told, whatever is asked", async () => {
    for (const operation of tested) {
      const url = operation.replaceAll(/\{[^}]+\}/g, "nothing");
      const { status, body } = await call("2020-08-27", url, {}, { authorization: "" });
      assert.equal(status, 401, operation);
      assert.match(body.error.message, /You did not provide an API key/);
    }
  });
});
