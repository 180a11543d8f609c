// What is rarer on a subscription's way, brought along from billd to billd: drafts and their words, schedules, usage of
// every kind, changes that wait for their payment. A year later both have billed the same.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Daemon, day, everything, key, told } from "./import_daemon.mjs";

const folder = mkdtempSync(join(tmpdir(), "billd-import-rare-"));
const keyFile = join(folder, "key");
const start = Date.UTC(2026, 0, 31, 12) / 1000;
const imported = start + 40 * day;

describe("An import of what is rare", () => {
  const source = new Daemon(folder, "source");
  const target = new Daemon(folder, "target");
  const from = () => ["--from", source.url, "--key-file", keyFile];
  const ids = {};
  let clock, stripe, gold, silver, setup, vat;

  const customer = async (name, more = {}) => {
    const { id } = await stripe.customers.create({ name, source: "tok_visa", test_clock: clock, ...more });
    ids[name] = id;
    return id;
  };
  const subscribed = async (name, more, ofCustomer) => {
    const id = await customer(name, ofCustomer);
    return stripe.subscriptions.create({ customer: id, items: [{ plan: gold }], ...more });
  };
  const used = async (item, quantity, at) =>
    stripe.rawRequest("POST", `/v1/subscription_items/${item}/usage_records`, {
      quantity,
      timestamp: at,
      action: "set",
    });

  before(async () => {
    writeFileSync(keyFile, `${key}\n`);
    await Promise.all([source.start(), target.start()]);
    ({ stripe } = source);
    clock = (await stripe.testHelpers.testClocks.create({ frozen_time: start, name: "rare" })).id;
    const plan = async (more) =>
      (
        await stripe.plans.create({
          amount: 1900,
          currency: "usd",
          interval: "month",
          product: { name: "Basic" },
          ...more,
        })
      ).id;
    gold = await plan({ id: "gold" });
    silver = await plan({ id: "silver", amount: 900 });
    const product = (await stripe.products.create({ name: "Setup" })).id;
    setup = (await stripe.prices.create({ product, currency: "usd", unit_amount: 4900 })).id;
    vat = (await stripe.taxRates.create({ display_name: "VAT", percentage: 19, inclusive: false })).id;
    await stripe.coupons.create({ id: "quarter", percent_off: 25, duration: "forever" });
    await stripe.coupons.create({ id: "welcome", amount_off: 300, currency: "usd", duration: "once" });

    const office = { tax_id_data: [{ type: "eu_vat", value: "DE123456789" }] };
    await subscribed("taxed", { default_tax_rates: [vat] }, office);
    const words = { footer: "Thank you", custom_fields: [{ name: "Order", value: "17" }] };
    await subscribed("worded", {}, { invoice_settings: words });
    await subscribed("discounted", { coupon: "quarter" });
    const metered = {};
    for (const aggregate_usage of ["last_during_period", "last_ever", "max", "sum"]) {
      const by = await plan({ amount: 7, usage_type: "metered", aggregate_usage });
      const { items } = await subscribed(aggregate_usage, { items: [{ plan: by }] });
      metered[aggregate_usage] = items.data[0].id;
    }
    await subscribed("often", {
      pending_invoice_item_interval: { interval: "week", interval_count: 1 },
      payment_settings: { save_default_payment_method: "on_subscription" },
    });
    const trial = {
      trial_end: start + 5 * day,
      trial_settings: { end_behavior: { missing_payment_method: "pause" } },
    };
    await subscribed("paused", trial, { source: undefined });
    await subscribed("backdated", {
      backdate_start_date: start - 20 * day,
      billing_cycle_anchor: start + 11 * day,
      proration_behavior: "none",
    });
    const changing = await subscribed("changing", {});
    const phase = (more) => ({ items: [{ plan: gold }], proration_behavior: "none", ...more });
    await stripe.subscriptionSchedules.create({
      customer: await customer("planned"),
      start_date: start,
      end_behavior: "release",
      phases: [
        phase({ end_date: Date.UTC(2026, 3, 30, 12) / 1000 }),
        phase({
          items: [{ plan: silver, quantity: 2 }],
          iterations: 3,
          coupon: "quarter",
          add_invoice_items: [{ price: setup, quantity: 2 }],
          default_tax_rates: [vat],
          metadata: { phase: "second" },
        }),
      ],
    });
    await source.advance(clock, imported);

    await stripe.subscriptionSchedules.create({
      customer: await customer("not started"),
      start_date: imported + 20 * day,
      end_behavior: "cancel",
      default_settings: { billing_cycle_anchor: "phase_start" },
      phases: [
        phase({ iterations: 2, coupon: "quarter", add_invoice_items: [{ price: setup }] }),
        phase({ items: [{ plan: silver }], iterations: 4, billing_cycle_anchor: "automatic" }),
      ],
      metadata: { kept: "yes" },
    });
    const period = Math.floor(imported - 5 * day);
    await used(metered.last_during_period, 50, period);
    await used(metered.last_during_period, 30, period + day);
    await used(metered.last_ever, 11, period);
    await used(metered.max, 40, period);
    await used(metered.max, 20, period + day);
    await used(metered.sum, 20, period);
    await used(metered.sum, 5, period + day);
    const often = (await stripe.subscriptions.list({ customer: ids.often })).data[0].id;
    await stripe.invoiceItems.create({ customer: ids.often, subscription: often, amount: 250, currency: "usd" });

    const draft = async (name, ofInvoice, ofItem = {}) => {
      const ours = { customer: ids[name], currency: "usd" };
      const made = await stripe.invoices.create({ ...ours, auto_advance: true, ...ofInvoice });
      await stripe.invoiceItems.create({ ...ours, invoice: made.id, amount: 1000, ...ofItem });
      return made.id;
    };
    ids.taxedDraft = await draft("taxed", { default_tax_rates: [vat], description: "Extra" });
    ids.itemTaxedDraft = await draft("taxed", {}, { tax_rates: [vat] });
    ids.wordedDraft = await draft("worded", {
      footer: "Pay soon",
      custom_fields: [{ name: "Project", value: "Moon" }],
      statement_descriptor: "MOON",
    });
    ids.ownDraft = await draft("worded", { discounts: [{ coupon: "welcome" }] });
    await customer("generous", { coupon: "quarter" });
    ids.discountedDraft = await draft("generous", {});
    ids.undiscountedDraft = await draft("generous", { discounts: "" });

    await stripe.customers.update(ids.changing, { source: "tok_chargeCustomerFail" });
    const waiting = await stripe.subscriptions.update(changing.id, {
      items: [{ id: changing.items.data[0].id, plan: gold, quantity: 3 }],
      payment_behavior: "pending_if_incomplete",
      proration_behavior: "always_invoice",
    });
    assert.ok(waiting.pending_update, "it waits");
    ids.waiting = changing.id;
  });

  after(async () => {
    await Promise.all([source.stop(), target.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  const objects = async (daemon, id) => {
    const of = (list, more = {}) => everything((parameters) => list(parameters), { customer: id, ...more });
    const { subscriptions, invoices, invoiceItems, subscriptionSchedules } = daemon.stripe;
    const unpaid = ({ status }) => status === "draft" || status === "open";
    return {
      customer: { ...(await daemon.stripe.customers.retrieve(id, { expand: ["tax_ids"] })), lastResponse: undefined },
      subscriptions: await of(subscriptions.list.bind(subscriptions)),
      unpaid: (await of(invoices.list.bind(invoices))).filter(unpaid).map((invoice) => ({ ...invoice, charge: null })),
      pending: await of(invoiceItems.list.bind(invoiceItems), { pending: true }),
      schedules: (await of(subscriptionSchedules.list.bind(subscriptionSchedules)))
        .filter(({ status }) => status === "active" || status === "not_started"),
    };
  };
  const names = () => Object.entries(ids).filter(([, id]) => id.startsWith("cus_"));

  it("takes everything as it is", async () => {
    const report = await target.import(...from());
    assert.deepEqual(report.refused, []);
    assert.equal(report.status, 0);
    assert.equal(report.kinds.tax_id.taken, 1);
    assert.equal(report.kinds.subscription_schedule.taken, 2);
    for (const [name, id] of names()) assert.deepEqual(await objects(target, id), await objects(source, id), name);
    const draft = await target.stripe.invoices.retrieve(ids.taxedDraft);
    assert.deepEqual([draft.status, draft.tax, draft.total], ["draft", 190, 1190]);
    const own = await target.stripe.invoices.retrieve(ids.ownDraft);
    assert.deepEqual([own.total, own.discount.invoice], [700, ids.ownDraft]);
    assert.deepEqual(await target.broken(), []);
  });

  it("drops a change that is not paid for in time, and bills a year as the former system does", async () => {
    const end = imported + 365 * day;
    await Promise.all([source.advance(clock, end), target.advance(clock, end)]);
    const changed = await target.stripe.subscriptions.retrieve(ids.waiting);
    assert.deepEqual([changed.pending_update, changed.items.data[0].quantity], [null, 1]);
    let count = 0;
    for (const [name, id] of names()) {
      const [expected, actual] = await Promise.all(
        [source, target].map(async ({ stripe }) => {
          const invoices = await everything((parameters) => stripe.invoices.list(parameters), { customer: id });
          const since = invoices.filter((invoice) => invoice.created >= imported && invoice.status !== "void");
          return since.map((invoice) => ({
            ...told(invoice),
            // A schedule that began since has made another one in each.
            subscription: name === "not started" ? "its own" : invoice.subscription,
            tax: invoice.tax,
            discount: invoice.discount?.coupon.id,
            footer: invoice.footer,
            custom_fields: invoice.custom_fields,
          }));
        }),
      );
      assert.deepEqual(actual, expected, name);
      count += actual.length;
    }
    assert.ok(count > 120, `${count} invoices`);
    const charges = await everything((parameters) => target.stripe.charges.list(parameters), {});
    const paid = charges.filter((charge) => charge.paid).map((charge) => charge.invoice);
    assert.equal(new Set(paid).size, paid.length, "no invoice was charged twice");
    assert.deepEqual(await target.broken(), []);
  });
});
