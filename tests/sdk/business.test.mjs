// How somebody who reads Stripe's newest guides builds a subscription business with the newest client.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { advance, later, newClock, refusal, start, stripe, unique } from "./clients.mjs";

const day = 86400;

async function product(amount, more = {}) {
  return stripe.products.create({
    name: unique("Pro"),
    default_price_data: { unit_amount: amount, currency: "usd", recurring: { interval: "month" } },
    ...more,
  });
}

const basic = (await product(1000)).default_price;
const pro = (await product(3000)).default_price;

describe("A business", () => {
  it("describes a product together with its price", async () => {
    const made = await product(2900, { expand: ["default_price"], metadata: { tier: "pro" } });
    assert.deepEqual([made.default_price.unit_amount, made.default_price.product], [2900, made.id]);
    const { data } = await stripe.prices.list({ product: made.id });
    assert.deepEqual(data.map(({ id }) => id), [made.default_price.id]);
    const wrong = { name: "x", default_price_data: { currency: "usd" } };
    assert.equal((await refusal(stripe.products.create(wrong))).param, "default_price_data[unit_amount]");
  });

  it("sells a subscription that begins with its payment, and is paid so from then on", async () => {
    const clock = await newClock();
    const customer = await stripe.customers.create({ test_clock: clock.id, email: "ann@example.com" });
    const made = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: basic, quantity: 2 }],
      currency: "usd",
      automatic_tax: { enabled: false },
      payment_behavior: "default_incomplete",
      payment_settings: { save_default_payment_method: "on_subscription" },
      expand: ["latest_invoice.payment_intent"],
    });
    assert.equal(made.status, "incomplete");
    assert.equal(made.payment_settings.save_default_payment_method, "on_subscription");
    const intent = made.latest_invoice.payment_intent;
    assert.deepEqual([intent.status, intent.amount], ["requires_payment_method", 2000]);
    // The card that is entered is nobody's yet.
    const { id: card } = await stripe.paymentMethods.create({ type: "card", card: { token: "tok_visa" } });
    const bad = { payment_method: "pm_card_chargeCustomerFail" };
    assert.equal((await refusal(stripe.paymentIntents.confirm(intent.id, bad))).code, "card_declined");
    assert.equal((await stripe.subscriptions.retrieve(made.id)).default_payment_method, null);
    const entered = { payment_method: card, return_url: "https://x.test/" };
    const paid = await stripe.paymentIntents.confirm(intent.id, entered);
    assert.deepEqual([paid.status, paid.payment_method], ["succeeded", card]);
    const expand = ["default_payment_method", "latest_invoice.charge"];
    const begun = await stripe.subscriptions.retrieve(made.id, { expand });
    assert.deepEqual([begun.status, begun.default_payment_method.id], ["active", card]);
    assert.equal(begun.default_payment_method.customer, customer.id);
    await advance(clock, later(1));
    const { data } = await stripe.charges.list({ customer: customer.id });
    assert.deepEqual(data.map((each) => [each.payment_method, each.paid]), [
      [card, true],
      [card, true],
      [data[2].payment_method, false],
    ]);
  });

  it("confirms with a card of the test mode as often as it likes, and adds it once", async () => {
    const { id: customer } = await stripe.customers.create();
    const terms = { customer, items: [{ price: basic }], payment_behavior: "default_incomplete" };
    for (let time = 1; time <= 2; ++time) {
      const made = await stripe.subscriptions.create({ ...terms, expand: ["latest_invoice.payment_intent"] });
      const { id } = made.latest_invoice.payment_intent;
      const paid = await stripe.paymentIntents.confirm(id, { payment_method: "pm_card_visa" });
      assert.equal(paid.status, "succeeded");
      const { data } = await stripe.paymentMethods.list({ customer });
      assert.equal(data.length, time);
      assert.equal((await stripe.paymentMethods.retrieve(data[0].id)).customer, customer);
    }
    const offered = { automatic_payment_methods: { enabled: true, allow_redirects: "never" } };
    const direct = { amount: 500, currency: "usd", customer, payment_method: "pm_card_visa", confirm: true };
    assert.equal((await stripe.paymentIntents.create({ ...direct, ...offered })).status, "succeeded");
    const setup = await stripe.setupIntents.create({ customer, ...offered });
    assert.equal(setup.status, "requires_payment_method");
    const strange = await refusal(stripe.setupIntents.create({ customer, payment_method_types: ["ideal"] }));
    assert.equal(strange.param, "payment_method_types");
    const mine = (await stripe.paymentMethods.list({ customer })).data[0].id;
    const { id: other } = await stripe.customers.create();
    const taken = { amount: 500, currency: "usd", customer: other, payment_method: mine, confirm: true };
    assert.match((await refusal(stripe.paymentIntents.create(taken))).message, /already been attached/);
    const none = await refusal(stripe.paymentIntents.create({ ...taken, payment_method: "pm_none" }));
    assert.equal(none.code, "resource_missing");
  });

  it("previews an upgrade, and bills exactly that", async () => {
    const clock = await newClock();
    const { id: customer } = await stripe.customers.create({ test_clock: clock.id, source: "tok_visa" });
    const made = await stripe.subscriptions.create({ customer, items: [{ price: basic }] });
    await advance(clock, start + 10 * day);
    const change = { items: [{ id: made.items.data[0].id, price: pro }], proration_behavior: "always_invoice" };
    const at = { proration_date: start + 10 * day };
    const told = await stripe.invoices.createPreview({
      customer,
      subscription: made.id,
      subscription_details: { ...change, ...at },
      expand: ["lines.data.price"],
    });
    const upgraded = await stripe.subscriptions.update(made.id, { ...change, ...at, expand: ["latest_invoice"] });
    assert.equal(upgraded.latest_invoice.total, told.total);
    assert.deepEqual(
      upgraded.latest_invoice.lines.data.map(({ description, amount }) => [description, amount]),
      told.lines.data.map(({ description, amount }) => [description, amount]),
    );
    const fresh = await stripe.invoices.createPreview({ customer, subscription_details: { items: [{ price: pro }] } });
    assert.equal(fresh.total, 3000);
    const wrong = { customer, subscription: made.id, subscription_details: { items: [{ price: "price_none" }] } };
    const refused = await refusal(stripe.invoices.createPreview(wrong));
    assert.equal(refused.param, "subscription_details[items][0][price]");
    const unheard = await refusal(stripe.invoices.createPreview({ customer, subscription_details: { colour: "red" } }));
    assert.equal(unheard.param, "subscription_details[colour]");
  });

  it("gives discounts by the list, and reads them back as objects", async () => {
    const { id: customer } = await stripe.customers.create({ source: "tok_visa" });
    const { id: coupon } = await stripe.coupons.create({ percent_off: 25, duration: "forever" });
    const terms = { customer, items: [{ price: basic }], discounts: [{ coupon }] };
    const made = await stripe.subscriptions.create({ ...terms, expand: ["discounts", "latest_invoice.discounts"] });
    assert.deepEqual(made.discounts.map((each) => each.coupon.id), [coupon]);
    assert.deepEqual(made.latest_invoice.discounts.map((each) => each.coupon.id), [coupon]);
    assert.equal(made.latest_invoice.total, 750);
    const without = await stripe.subscriptions.update(made.id, { discounts: "" });
    assert.deepEqual(without.discounts, []);
    const two = { discounts: [{ coupon }, { coupon }] };
    assert.equal((await refusal(stripe.subscriptions.update(made.id, two))).param, "discounts");
  });

  it("is told when a price is in another currency, or a tax is to be looked up", async () => {
    const { id: customer } = await stripe.customers.create({ source: "tok_visa" });
    const terms = { customer, items: [{ price: basic }] };
    assert.equal((await refusal(stripe.subscriptions.create({ ...terms, currency: "eur" }))).param, "currency");
    const taxed = await refusal(stripe.subscriptions.create({ ...terms, automatic_tax: { enabled: true } }));
    assert.equal(taxed.param, "automatic_tax[enabled]");
  });

  it("is paid an invoice by the payment method that it names", async () => {
    const { id: customer } = await stripe.customers.create({ source: "tok_visa" });
    const { id: other } = await stripe.paymentMethods.attach("pm_card_mastercard", { customer });
    await stripe.invoiceItems.create({ customer, amount: 500, currency: "usd" });
    const include = { pending_invoice_items_behavior: "include", auto_advance: false };
    const { id } = await stripe.invoices.create({ customer, ...include });
    await stripe.invoices.finalizeInvoice(id);
    const both = { payment_method: other, source: "card_x" };
    assert.equal((await refusal(stripe.invoices.pay(id, both))).param, "payment_method");
    const paid = await stripe.invoices.pay(id, { payment_method: other, expand: ["charge"] });
    assert.deepEqual([paid.status, paid.charge.payment_method], ["paid", other]);
  });
});
