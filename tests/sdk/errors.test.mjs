// What the clients make of billd's refusals, and of repeated requests.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clients, monthlyPlan, refusal, stripe, unique, withKey } from "./clients.mjs";

describe("A refusal", () => {
  for (const [name, { stripe: client }] of Object.entries(clients)) {
    it(`of a card that is declined when it is attached tells why (${name})`, async () => {
      const error = await refusal(client.customers.create({ source: "tok_chargeDeclined" }));
      assert.equal(error.type, "StripeCardError");
      assert.equal(error.statusCode, 402);
      assert.equal(error.code, "card_declined");
      assert.equal(error.message, "Your card was declined.");
      assert.equal(error.raw.decline_code, "generic_decline");
    });

    it(`of an unknown customer names it (${name})`, async () => {
      const error = await refusal(client.customers.retrieve("cus_nobody"));
      assert.equal(error.type, "StripeInvalidRequestError");
      assert.equal(error.statusCode, 404);
      assert.equal(error.code, "resource_missing");
      assert.equal(error.param, "id");
      assert.equal(error.message, "No such customer: cus_nobody");
    });

    it(`of an unknown parameter names it (${name})`, async () => {
      const error = await refusal(client.customers.create({ emial: "jenny@example.com" }));
      assert.equal(error.statusCode, 400);
      assert.equal(error.code, "parameter_unknown");
      assert.equal(error.param, "emial");
      assert.match(error.message, /^Received unknown parameter: emial/);
    });
  }

  it("of a key without a mode is one of authentication and shows the key masked", async () => {
    const error = await refusal(withKey("no_such_key_at_all").customers.list());
    assert.equal(error.type, "StripeAuthenticationError");
    assert.equal(error.statusCode, 401);
    assert.ok(!error.message.includes("no_such_key_at_all"));
  });

  it("of a first payment leaves an incomplete subscription, or none for clients of old versions", async () => {
    const plan = await monthlyPlan();
    const customer = await stripe.customers.create({ source: "tok_chargeCustomerFail" });
    const incomplete = await stripe.subscriptions.create({ customer: customer.id, items: [{ plan: plan.id }] });
    assert.equal(incomplete.status, "incomplete");

    const other = await stripe.customers.create({ source: "tok_chargeCustomerFail" });
    const old = clients["version 4"].stripe;
    const error = await refusal(old.subscriptions.create({ customer: other.id, items: [{ plan: plan.id }] }));
    assert.equal(error.type, "StripeCardError");
    assert.equal((await old.subscriptions.list({ customer: other.id, status: "all" })).data.length, 0);
  });
});

describe("A request with an idempotency key", () => {
  it("has the same answer each time and one effect", async () => {
    const email = `${unique("jenny").replaceAll(" ", "-")}@example.com`;
    const idempotencyKey = unique("key");
    const first = await stripe.customers.create({ email }, { idempotencyKey });
    const second = await stripe.customers.create({ email }, { idempotencyKey });
    assert.equal(second.id, first.id);
    assert.equal(second.lastResponse.headers["idempotent-replayed"], "true");
    assert.equal((await stripe.customers.list({ email })).data.length, 1);
  });

  it("is refused with other parameters", async () => {
    const idempotencyKey = unique("key");
    await stripe.customers.create({ name: "Jenny" }, { idempotencyKey });
    const error = await refusal(stripe.customers.create({ name: "Rosen" }, { idempotencyKey }));
    assert.equal(error.type, "StripeIdempotencyError");
    assert.equal(error.statusCode, 400);
    assert.match(error.message, /can only be used with the same parameters/);
  });

  it("has one effect however many are sent at once", async () => {
    const email = `${unique("rush").replaceAll(" ", "-")}@example.com`;
    const idempotencyKey = unique("key");
    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, () => stripe.customers.create({ email }, { idempotencyKey, maxNetworkRetries: 0 })),
    );
    const ids = attempts.filter((each) => each.status === "fulfilled").map((each) => each.value.id);
    assert.ok(ids.length >= 1);
    assert.equal(new Set(ids).size, 1);
    for (const each of attempts) if (each.status === "rejected") assert.equal(each.reason.statusCode, 409);
    assert.equal((await stripe.customers.list({ email })).data.length, 1);
  });
});
