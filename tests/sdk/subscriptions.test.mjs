// A year in the life of a subscription, as each client sees it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { advance, clients, later, monthlyPlan, newClock, start, stripe } from "./clients.mjs";

for (const [name, { stripe: client, cancelAtPeriodEnd }] of Object.entries(clients)) {
  describe(`The client, ${name}`, () => {
    it("sees a year of paid invoices, cancels at the period's end, and sees the end", async () => {
      const clock = await newClock();
      const plan = await monthlyPlan(client);
      const customer = await client.customers.create({
        email: "jenny@example.com",
        source: "tok_visa",
        test_clock: clock.id,
      });
      const subscription = await client.subscriptions.create({
        customer: customer.id,
        items: [{ plan: plan.id, quantity: 2 }],
      });
      assert.equal(subscription.status, "active");
      assert.equal(subscription.current_period_start, start);
      assert.equal(subscription.current_period_end, later(1, 0));

      for (let month = 1; month <= 12; ++month) await advance(clock, later(month));

      // The first was paid at once, then one for each month.
      const invoices = await client.invoices.list({ customer: customer.id, limit: 100 });
      assert.equal(invoices.data.length, 13);
      for (const invoice of invoices.data) {
        assert.equal(invoice.status, "paid");
        assert.equal(invoice.paid, true);
        assert.equal(invoice.amount_paid, 3800);
        assert.equal(invoice.attempt_count, 1);
      }
      assert.deepEqual(
        invoices.data.map((invoice) => invoice.lines.data[0].period.start),
        [...Array(13).keys()].reverse().map((month) => later(month, 0)),
      );
      assert.equal(new Set(invoices.data.map((invoice) => invoice.charge)).size, 13);
      const charges = await client.charges.list({ customer: customer.id, limit: 100 });
      assert.equal(charges.data.length, 13);
      assert.ok(charges.data.every((charge) => charge.paid && charge.amount === 3800));

      const ending = await cancelAtPeriodEnd(client, subscription.id);
      assert.equal(ending.status, "active");
      assert.equal(ending.cancel_at_period_end, true);
      await advance(clock, later(13));
      const ended = await client.subscriptions.retrieve(subscription.id);
      assert.equal(ended.status, "canceled");
      assert.equal(ended.ended_at, later(13, 0));
      const after = await client.invoices.list({ customer: customer.id, limit: 100 });
      assert.equal(after.data.length, 13);
    });
  });
}

describe("A subscription", () => {
  it("is free while on trial and then paid", async () => {
    const clock = await newClock();
    const plan = await monthlyPlan();
    const customer = await stripe.customers.create({ source: "tok_visa", test_clock: clock.id });
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ plan: plan.id }],
      trial_period_days: 14,
    });
    assert.equal(subscription.status, "trialing");
    await advance(clock, start + 15 * 24 * 3600);
    assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, "active");
    const invoices = await stripe.invoices.list({ customer: customer.id });
    assert.deepEqual(
      invoices.data.map((invoice) => [invoice.status, invoice.amount_paid]),
      [
        ["paid", 1900],
        ["paid", 0],
      ],
    );
  });

  it("becomes past due when its card is declined, and active again with a better one", async () => {
    const clock = await newClock();
    const plan = await monthlyPlan();
    const customer = await stripe.customers.create({ source: "tok_visa", test_clock: clock.id });
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ plan: plan.id }] });
    await stripe.customers.update(customer.id, { source: "tok_chargeCustomerFail" });
    await advance(clock, later(1));
    assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, "past_due");
    const [unpaid] = (await stripe.invoices.list({ customer: customer.id, limit: 1 })).data;
    assert.equal(unpaid.status, "open");
    assert.equal(unpaid.attempt_count, 1);
    await stripe.customers.update(customer.id, { source: "tok_mastercard" });
    await advance(clock, later(1, 2 + 3 * 24));
    assert.equal((await stripe.invoices.retrieve(unpaid.id)).status, "paid");
    assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, "active");
  });
});
