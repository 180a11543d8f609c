// Ways to pay, by their older and their newer names, as each client sees them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clients, monthlyPlan, refusal, stripe, unique } from "./clients.mjs";
import { call } from "./wire.mjs";

const card = { number: "4242424242424242", exp_month: 12, exp_year: 2040, cvc: "123" };
const bankAccount = {
  country: "US",
  currency: "usd",
  routing_number: "110000000",
  account_number: "000123456789",
  account_holder_name: "Jenny Rosen",
  account_holder_type: "individual",
};

/** Newer clients call what is embedded in customers by other names. */
const createSource = (client, customer, source) => client.customers.createSource(customer, { source });
const removeSource = (client, customer, id) =>
  (client.customers.deleteSource ?? client.customers.deleteCard).call(client.customers, customer, id);

for (const [name, { stripe: client }] of Object.entries(clients)) {
  describe(`The client, ${name},`, () => {
    it("makes a token of a card and uses it once", async () => {
      const token = await client.tokens.create({ card });
      assert.equal(token.type, "card");
      assert.equal(token.card.last4, "4242");
      assert.equal(token.used, false);
      const customer = await client.customers.create({ source: token.id });
      assert.equal(customer.sources.data[0].brand, "Visa");
      assert.equal((await client.tokens.retrieve(token.id)).used, true);
      const error = await refusal(client.customers.create({ source: token.id }));
      assert.equal(error.code, "token_already_used");
      assert.match(error.message, /You cannot use a Stripe token more than once/);
    });

    it("pays a subscription from a bank account once it is verified", async () => {
      const plan = await monthlyPlan();
      const token = await client.tokens.create({ bank_account: bankAccount });
      assert.equal(token.bank_account.status, "new");
      const customer = await client.customers.create({ source: token.id });
      const [account] = customer.sources.data;
      assert.equal(account.object, "bank_account");
      const wanted = { customer: customer.id, items: [{ plan: plan.id }] };
      const unverified = await refusal(client.subscriptions.create(wanted));
      assert.match(unverified.message, /must be verified/);
      await client.customers.verifySource(customer.id, account.id, { amounts: [32, 45] });
      const subscription = await client.subscriptions.create(wanted);
      assert.equal(subscription.customer, customer.id);
      const [charge] = (await client.charges.list({ customer: customer.id })).data;
      assert.equal(charge.source.object, "bank_account");
      assert.equal(charge.payment_method_details.us_bank_account.last4, "6789");
    });

    it("shows the ten newest sources and pages through the rest", async () => {
      const customer = await client.customers.create();
      const made = [];
      for (let i = 0; i < 12; ++i) made.unshift((await createSource(client, customer.id, "tok_visa")).id);
      const { sources } = await client.customers.retrieve(customer.id);
      assert.deepEqual(sources.data.map(({ id }) => id), made.slice(0, 10));
      assert.equal(sources.has_more, true);
      const rest = await client.customers.listSources
        ? await client.customers.listSources(customer.id, { starting_after: made[9] })
        : await client.customers.listCards(customer.id, { starting_after: made[9] });
      assert.deepEqual(rest.data.map(({ id }) => id), made.slice(10));
      await removeSource(client, customer.id, made[0]);
      assert.equal((await client.customers.retrieve(customer.id)).sources.data[0].id, made[1]);
    });
  });
}

for (const name of ["newest", "version 8"]) {
  const client = clients[name].stripe;
  describe(`Payment methods of the client, ${name},`, () => {
    it("are nobody's, then a customer's, then nobody's for good", async () => {
      const details = { name: "Jenny Rosen", email: "j@example.com", address: { postal_code: "94107" } };
      const made = await client.paymentMethods.create({ type: "card", card, billing_details: details });
      assert.equal(made.customer, null);
      assert.equal(made.card.brand, "visa");
      assert.equal(made.billing_details.name, "Jenny Rosen");
      assert.equal(made.billing_details.address.postal_code, "94107");
      assert.equal((await client.paymentMethods.retrieve(made.id)).id, made.id);

      const customer = await client.customers.create();
      const attached = await client.paymentMethods.attach(made.id, { customer: customer.id });
      assert.equal(attached.id, made.id);
      assert.equal(attached.customer, customer.id);
      assert.equal((await client.paymentMethods.retrieve(made.id)).customer, customer.id);
      const listed = await client.paymentMethods.list({ customer: customer.id, type: "card" });
      assert.deepEqual(listed.data.map(({ id }) => id), [made.id]);
      const below = await call("2020-08-27", `GET /v1/customers/${customer.id}/payment_methods`, { type: "card" });
      assert.deepEqual(below.body.data.map(({ id }) => id), [made.id]);
      const changed = await client.paymentMethods.update(made.id, {
        card: { exp_month: 3, exp_year: 2035 },
        billing_details: { name: "Rosen" },
        metadata: { a: "b" },
      });
      assert.deepEqual([changed.card.exp_month, changed.card.exp_year], [3, 2035]);
      assert.equal(changed.billing_details.name, "Rosen");

      const other = await client.customers.create();
      const taken = await refusal(client.paymentMethods.attach(made.id, { customer: other.id }));
      assert.match(taken.message, /already been attached/);

      assert.equal((await client.paymentMethods.detach(made.id)).customer, null);
      assert.equal((await client.paymentMethods.retrieve(made.id)).customer, null);
      assert.match((await refusal(client.paymentMethods.detach(made.id))).message, /not attached to a customer/);
      const again = await refusal(client.paymentMethods.attach(made.id, { customer: customer.id }));
      assert.match(again.message, /may not be used again/);
      assert.equal((await refusal(client.paymentMethods.retrieve("pm_none"))).code, "resource_missing");
    });

    it("pay what is due once one of them is the customer's default", async () => {
      const plan = await monthlyPlan();
      const customer = await client.customers.create({
        payment_method: "pm_card_visa",
        invoice_settings: { default_payment_method: "pm_card_visa" },
      });
      const method = customer.invoice_settings.default_payment_method;
      assert.match(method, /^pm_/);
      const subscription = await client.subscriptions.create({
        customer: customer.id,
        items: [{ plan: plan.id }],
        expand: ["latest_invoice.payment_intent", "customer.invoice_settings.default_payment_method"],
      });
      assert.equal(subscription.status, "active");
      const intent = subscription.latest_invoice.payment_intent;
      assert.equal(intent.status, "succeeded");
      assert.equal(intent.payment_method, method);
      assert.equal(subscription.customer.invoice_settings.default_payment_method.card.last4, "4242");
      const read = await client.paymentIntents.retrieve(intent.id);
      assert.equal(read.invoice, subscription.latest_invoice.id);
      assert.equal(read.amount_received, 1900);
      const listed = await client.paymentIntents.list({ customer: customer.id });
      assert.deepEqual(listed.data.map(({ id }) => id), [intent.id]);
    });

    it("confirm the payment of an incomplete subscription", async () => {
      const plan = await monthlyPlan();
      const customer = await client.customers.create({ source: "tok_chargeCustomerFail" });
      const subscription = await client.subscriptions.create({
        customer: customer.id,
        items: [{ plan: plan.id }],
        payment_behavior: "allow_incomplete",
        expand: ["latest_invoice.payment_intent"],
      });
      assert.equal(subscription.status, "incomplete");
      const intent = subscription.latest_invoice.payment_intent;
      assert.equal(intent.status, "requires_payment_method");
      assert.equal(intent.last_payment_error.code, "card_declined");
      const method = await client.paymentMethods.attach("pm_card_mastercard", { customer: customer.id });
      const confirmed = await client.paymentIntents.confirm(intent.id, { payment_method: method.id });
      assert.equal(confirmed.status, "succeeded");
      assert.equal((await client.subscriptions.retrieve(subscription.id)).status, "active");
      assert.equal((await refusal(client.paymentIntents.confirm(intent.id))).statusCode, 400);
      assert.equal((await refusal(client.paymentIntents.retrieve("pi_none"))).code, "resource_missing");
    });
  });
}

for (const [name, { stripe: client }] of Object.entries(clients)) {
  if (!client.setupIntents) continue;
  describe(`SetupIntents of the client, ${name},`, () => {
    it("make a payment method a customer's without a payment", async () => {
      const customer = await client.customers.create();
      const made = await client.setupIntents.create({ customer: customer.id, metadata: { a: "b" } });
      assert.equal(made.status, "requires_payment_method");
      assert.equal(made.usage, "off_session");
      assert.equal((await refusal(client.setupIntents.confirm(made.id))).param, "payment_method");
      const named = await client.setupIntents.update(made.id, { description: "for later" });
      assert.equal(named.description, "for later");
      const done = await client.setupIntents.confirm(made.id, { payment_method: "pm_card_visa" });
      assert.equal(done.status, "succeeded");
      const read = await client.setupIntents.retrieve(made.id, { expand: ["payment_method"] });
      assert.equal(read.payment_method.customer, customer.id);
      const { data } = await client.paymentMethods.list({ customer: customer.id, type: "card" });
      assert.deepEqual(data.map(({ id }) => id), [done.payment_method]);
      assert.equal((await refusal(client.setupIntents.confirm(made.id))).statusCode, 400);
      assert.equal((await refusal(client.setupIntents.cancel(made.id))).statusCode, 400);
    });

    it("are confirmed at once, declined, or canceled", async () => {
      const customer = await client.customers.create();
      const card = { customer: customer.id, payment_method: "pm_card_visa", confirm: true };
      assert.equal((await client.setupIntents.create(card)).status, "succeeded");
      const declined = { ...card, payment_method: "pm_card_chargeDeclined" };
      assert.equal((await refusal(client.setupIntents.create(declined))).code, "card_declined");
      const { id } = await client.setupIntents.create();
      const canceled = await client.setupIntents.cancel(id, { cancellation_reason: "abandoned" });
      assert.deepEqual([canceled.status, canceled.cancellation_reason], ["canceled", "abandoned"]);
      assert.equal((await refusal(client.setupIntents.retrieve("seti_none"))).code, "resource_missing");
    });
  });
}

describe("A PaymentIntent of 2018-05-21", () => {
  it("requires a source, and is confirmed with one", async () => {
    const version = "2018-05-21";
    const plan = await monthlyPlan();
    const customer = await stripe.customers.create({ source: "tok_chargeCustomerFail" });
    await stripe.subscriptions.create({ customer: customer.id, items: [{ plan: plan.id }] });
    const { body } = await call(version, "GET /v1/payment_intents", { customer: customer.id });
    const [intent] = body.data;
    assert.equal(intent.status, "requires_source");
    await stripe.customers.update(customer.id, { source: "tok_visa" });
    const confirmed = await call(version, `POST /v1/payment_intents/${intent.id}/confirm`);
    assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body));
    assert.equal(confirmed.body.status, "succeeded");
  });
});

for (const [name, { stripe: client }] of Object.entries(clients)) {
  describe(`Refunds of the client, ${name},`, () => {
    it("give a charge back in parts and never more than it", async () => {
      const plan = await monthlyPlan();
      const customer = await client.customers.create({ source: "tok_visa" });
      await client.subscriptions.create({ customer: customer.id, items: [{ plan: plan.id }] });
      const [{ id: charge }] = (await client.charges.list({ customer: customer.id })).data;
      const noted = await client.charges.update(charge, { description: "first", metadata: { a: "b" } });
      assert.deepEqual([noted.description, noted.metadata.a], ["first", "b"]);

      const part = await client.refunds.create({ charge, amount: 900, reason: "requested_by_customer" });
      assert.deepEqual([part.amount, part.charge, part.status], [900, charge, "succeeded"]);
      const tooMuch = await refusal(client.refunds.create({ charge, amount: 1001 }));
      assert.equal(tooMuch.param, "amount");
      const rest = await client.refunds.create({ charge });
      assert.equal(rest.amount, 1000);
      assert.match((await refusal(client.refunds.create({ charge }))).message, /already been refunded/);
      const refunded = await client.charges.retrieve(charge);
      assert.deepEqual([refunded.refunded, refunded.amount_refunded], [true, 1900]);

      assert.equal((await client.refunds.update(part.id, { metadata: { c: "d" } })).metadata.c, "d");
      assert.equal((await client.refunds.retrieve(part.id)).metadata.c, "d");
      const listed = await client.refunds.list({ charge });
      assert.deepEqual(listed.data.map(({ id }) => id), [rest.id, part.id]);
      assert.equal((await refusal(client.refunds.retrieve("re_none"))).code, "resource_missing");
      assert.equal((await refusal(client.refunds.create({ charge: "ch_none" }))).code, "resource_missing");
    });
  });
}

for (const [name, { stripe: client }] of Object.entries(clients)) {
  describe(`Charges by themselves of the client, ${name},`, () => {
    it("are made once for a key, declined with their reason, and of no invoice", async () => {
      const customer = await client.customers.create({ source: "tok_visa" });
      const order = { amount: 1200, currency: "eur", customer: customer.id, description: "Lamp", metadata: { a: "b" } };
      const key = { [name === "version 4" ? "idempotency_key" : "idempotencyKey"]: unique("charge") };
      const charge = await client.charges.create(order, key);
      assert.equal((await client.charges.create(order, key)).id, charge.id);
      assert.deepEqual(
        [charge.amount, charge.currency, charge.status, charge.description, charge.metadata.a, charge.invoice],
        [1200, "eur", "succeeded", "Lamp", "b", null],
      );
      assert.deepEqual((await client.charges.list({ customer: customer.id })).data.map(({ id }) => id), [charge.id]);
      assert.deepEqual((await client.invoices.list({ customer: customer.id })).data, []);
      assert.equal((await client.refunds.create({ charge: charge.id })).status, "succeeded");

      await client.customers.update(customer.id, { source: "tok_chargeCustomerFail" });
      const declined = await refusal(client.charges.create(order));
      assert.deepEqual([declined.statusCode, declined.code], [402, "card_declined"]);
      assert.equal((await client.charges.retrieve(declined.raw?.charge ?? declined.charge)).status, "failed");
      const small = await refusal(client.charges.create({ ...order, amount: 1 }));
      assert.deepEqual([small.param, small.code], ["amount", "amount_too_small"]);
    });

    it("may be PaymentIntents, confirmed at once or later", { skip: client.paymentIntents === undefined }, async () => {
      const customer = await client.customers.create({ source: "tok_visa" });
      const order = { amount: 900, currency: "usd", customer: customer.id, metadata: { a: "b" } };
      const later = await client.paymentIntents.create(order);
      assert.equal(later.amount, 900);
      const paid = await client.paymentIntents.confirm(later.id, { payment_method: customer.default_source });
      assert.deepEqual([paid.status, paid.amount_received, paid.invoice], ["succeeded", 900, null]);
      const once = await client.paymentIntents.create({
        ...order,
        payment_method: customer.default_source,
        confirm: true,
        off_session: true,
      });
      assert.deepEqual([once.status, once.metadata.a], ["succeeded", "b"]);
      const listed = (await client.paymentIntents.list({ customer: customer.id })).data.map(({ id }) => id);
      assert.deepEqual(listed, [once.id, later.id]);
    });
  });
}

describe("A request with an idempotency key", () => {
  it("makes one token, one payment method and one attachment, however often it is sent", async () => {
    const key = (what) => ({ idempotencyKey: unique(what) });
    const tokenKey = key("token");
    const tokens = [await stripe.tokens.create({ card }, tokenKey), await stripe.tokens.create({ card }, tokenKey)];
    assert.equal(tokens[0].id, tokens[1].id);
    const useKey = key("use");
    const customers = [];
    for (let i = 0; i < 2; ++i) customers.push(await stripe.customers.create({ source: tokens[0].id }, useKey));
    assert.equal(customers[0].id, customers[1].id);
    const methodKey = key("method");
    const wanted = { type: "card", card };
    const methods = [];
    for (let i = 0; i < 2; ++i) methods.push(await stripe.paymentMethods.create(wanted, methodKey));
    assert.equal(methods[0].id, methods[1].id);
    const attachKey = key("attach");
    for (let i = 0; i < 2; ++i)
      await stripe.paymentMethods.attach(methods[0].id, { customer: customers[0].id }, attachKey);
    const detachKey = key("detach");
    for (let i = 0; i < 2; ++i)
      assert.equal((await stripe.paymentMethods.detach(methods[0].id, {}, detachKey)).customer, null);
  });
});

describe("A customer", () => {
  it("is found by its email and what narrows it", async () => {
    const email = `search-${Date.now()}@example.com`;
    const first = await stripe.customers.create({ email, name: "Ada", metadata: { team: "blue" } });
    const second = await stripe.customers.create({ email, name: "Bob", metadata: { team: "blue" } });
    const ids = async (query) => (await stripe.customers.search({ query })).data.map(({ id }) => id);
    assert.deepEqual(await ids(`email:"${email}"`), [second.id, first.id]);
    assert.deepEqual(await ids(`email:"${email}" AND name:'Ada'`), [first.id]);
    assert.deepEqual(await ids(`metadata["team"]:"blue" AND email:"${email}" AND created>1`), [second.id, first.id]);
    assert.deepEqual(await ids(`email:"${email}" AND metadata['team']:'red'`), []);
    for (const query of ['name:"Ada"', "email:", 'email:"x" OR name:"y"', 'email~"x"', 'colour:"red" AND email:"x"']) {
      const error = await refusal(stripe.customers.search({ query }));
      assert.equal(error.param, "query", query);
    }
  });
});
