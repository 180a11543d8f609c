// One billd brought along into another: the same customers under the same identifiers, and a year later the same
// invoices.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Daemon, day, everything, key, told } from "./import_daemon.mjs";

const folder = mkdtempSync(join(tmpdir(), "billd-import-"));
const keyFile = join(folder, "key");
const start = Date.UTC(2026, 0, 31, 12) / 1000;
const imported = start + 40 * day;

describe("An import", () => {
  const source = new Daemon(folder, "source");
  const target = new Daemon(folder, "target");
  let clock;
  const customers = [];

  before(async () => {
    writeFileSync(keyFile, `${key}\n`);
    await Promise.all([source.start(), target.start()]);
    const { stripe } = source;
    clock = (await stripe.testHelpers.testClocks.create({ frozen_time: start, name: "import" })).id;
    const plan = (more) =>
      stripe.plans.create({ amount: 1900, currency: "usd", interval: "month", product: { name: "Basic" }, ...more });
    const monthly = await plan({ id: "gold", nickname: "Gold" });
    const weekly = await plan({ amount: 500, interval: "week", interval_count: 2 });
    const yearly = await plan({ amount: 9900, interval: "year" });
    const tiers = [{ up_to: 2, unit_amount: 500 }, { up_to: "inf", unit_amount: 300, flat_amount: 100 }];
    const tiered = await plan({ amount: undefined, billing_scheme: "tiered", tiers_mode: "graduated", tiers });
    await stripe.coupons.create({ id: "quarter", percent_off: 25, duration: "forever" });
    const lives = [
      ["tok_visa", { items: [{ plan: monthly.id, quantity: 3 }] }],
      ["tok_mastercard", { items: [{ plan: weekly.id }] }],
      ["tok_visa", { items: [{ plan: yearly.id }], metadata: { color: "blue" } }],
      ["tok_amex", { items: [{ plan: monthly.id }], trial_end: start + 60 * day }],
      ["tok_discover", { items: [{ plan: monthly.id }], cancel_at_period_end: true, trial_end: start + 50 * day }],
      ["tok_visa", { items: [{ plan: monthly.id }] }, "tok_chargeCustomerFail"],
      ["tok_jcb", { items: [{ plan: tiered.id, quantity: 5 }] }],
      ["btok_us_verified", { items: [{ plan: monthly.id }], description: "by debit" }],
    ];
    for (const [token, subscription, later] of lives) {
      const customer = await stripe.customers.create({
        email: `${customers.length}@example.com`,
        name: `Nr. ${customers.length}`,
        metadata: { number: `${customers.length}` },
        source: token,
        test_clock: clock,
      });
      await stripe.subscriptions.create({ customer: customer.id, ...subscription });
      if (later) await stripe.customers.update(customer.id, { source: later });
      customers.push(customer.id);
    }
    await source.advance(clock, imported);
    const [first, second] = customers;
    await stripe.invoiceItems.create({ customer: first, amount: 700, currency: "usd", description: "pending" });
    const method = await stripe.paymentMethods.create({ type: "card", card: { token: "tok_mastercard" } });
    await stripe.paymentMethods.attach(method.id, { customer: second });
    await stripe.customers.update(second, { invoice_settings: { default_payment_method: method.id } });
  });

  after(async () => {
    await Promise.all([source.stop(), target.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  const objects = async ({ stripe }, id) => ({
    customer: { ...(await stripe.customers.retrieve(id)), lastResponse: undefined },
    subscriptions: await everything((parameters) => stripe.subscriptions.list(parameters), { customer: id }),
    // Charges stay with the former system; attempts are counted on.
    open: (await everything((parameters) => stripe.invoices.list(parameters), { customer: id, status: "open" }))
      .map((invoice) => ({ ...invoice, charge: null })),
    pending: await everything((parameters) => stripe.invoiceItems.list(parameters), { customer: id, pending: true }),
    methods: await everything((parameters) => stripe.paymentMethods.list(parameters), { customer: id, type: "card" }),
  });

  it("takes everything that goes on, under its identifiers", async () => {
    const report = await target.import("--from", source.url, "--key-file", keyFile);
    assert.deepEqual(report.refused, []);
    assert.equal(report.status, 0);
    assert.equal(report.kinds.customer.taken, customers.length);
    assert.equal(report.kinds.subscription.taken, customers.length);
    assert.equal(report.kinds.plan.taken, 4);
    assert.equal(report.kinds.coupon.taken, 1);
    assert.equal(report.kinds.invoiceitem.taken, 1);
    assert.equal((await target.stripe.coupons.retrieve("quarter")).percent_off, 25);
    assert.ok(report.kinds.invoice.taken >= 1, "one is past due");
    for (const id of customers) assert.deepEqual(await objects(target, id), await objects(source, id));
  });

  it("changes nothing the second time", async () => {
    const report = await target.import("--from", source.url, "--key-file", keyFile);
    assert.equal(report.status, 0);
    for (const [kind, count] of Object.entries(report.kinds)) assert.equal(count.taken, 0, kind);
    assert.equal(report.kinds.customer.already_there, customers.length);
    for (const id of customers) assert.deepEqual(await objects(target, id), await objects(source, id));
  });

  it("bills a year as the former system does, and nothing twice", async () => {
    const end = imported + 365 * day;
    await Promise.all([source.advance(clock, end), target.advance(clock, end)]);
    let count = 0;
    for (const id of customers) {
      const [expected, actual] = await Promise.all(
        [source, target].map(async ({ stripe }) => {
          const invoices = await everything((parameters) => stripe.invoices.list(parameters), { customer: id });
          return invoices.filter((invoice) => invoice.created > imported).map(told);
        }),
      );
      assert.deepEqual(actual, expected, id);
      count += actual.length;
    }
    assert.ok(count > 12 + 26, `${count} invoices`);
    const charges = await everything((parameters) => target.stripe.charges.list(parameters), {});
    const paid = charges.filter((charge) => charge.paid).map((charge) => charge.invoice);
    assert.equal(new Set(paid).size, paid.length, "no invoice was charged twice");
  });

  it("tells what it does not take, and takes the rest", async () => {
    const other = new Daemon(folder, "other");
    await other.start();
    try {
      const { stripe } = source;
      const customer = await stripe.customers.retrieve(customers[0]);
      const { data } = await stripe.subscriptions.list({ customer: customers[0] });
      const file = join(folder, "export.json");
      writeFileSync(
        file,
        JSON.stringify({
          plans: {
            object: "list",
            data: [{ id: "tiers", billing_scheme: "tiered", currency: "usd", interval: "month" }],
          },
          coupons: [{ id: "half", percent_off: 50, duration: "forever" }],
          customers: [{ ...customer, test_clock: null }, { id: "somebody" }],
          subscriptions: [data[0], { ...data[0], id: "sub_planned", schedule: "sub_sched_1" }],
        }),
      );
      const report = await other.import("--file", file);
      assert.equal(report.status, 3);
      const reasons = new Map(report.refused.map(({ id, reason }) => [id, reason]));
      assert.match(reasons.get("tiers"), /tiers are not told/);
      assert.equal(report.kinds.coupon.taken, 1);
      assert.match(reasons.get("somebody"), /identifier/);
      assert.match(reasons.get("sub_planned"), /schedule/);
      assert.equal(report.kinds.customer.taken, 1);
      assert.equal(report.kinds.subscription.taken, 1);
      assert.equal((await other.stripe.subscriptions.list({ customer: customers[0] })).data[0].id, data[0].id);
    } finally {
      await other.stop();
    }
  });
});
