// A move from Stripe itself: what programs have stored goes on to work, and every subscription is billed from its next
// period on.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { clientsOf } from "./clients.mjs";
import { Daemon, day, everything as all, key, told } from "./import_daemon.mjs";
import { clock, everything, gold, ids, metered, monthly, now, tokens } from "./stripe_export.mjs";
import { StripeServer } from "./stripe_server.mjs";

const folder = mkdtempSync(join(tmpdir(), "billd-foreign-"));
const exported = join(folder, "export.json");
const tokensFile = join(folder, "tokens.json");
const keyFile = join(folder, "key");
const from = ["--file", exported, "--tokens", tokensFile];

/** An identifier of billd's for something of a kind that has one of Stripe's in all cases. */
const native = /"(cus|card|ba|sub|si|sub_sched)_X[0-9A-Za-z]{23}"/;

async function listening(handle) {
  const server = createServer(handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

before(() => {
  writeFileSync(exported, JSON.stringify(everything));
  writeFileSync(tokensFile, JSON.stringify(tokens));
  writeFileSync(keyFile, `${key}\n`);
});
after(() => rmSync(folder, { recursive: true, force: true }));

describe("A customer of Stripe's", () => {
  const target = new Daemon(folder, "target");
  const customers = [ids.jenny, ids.old, ids.late, ids.user, ids.gone, ids.planner];
  const received = [];
  let stripe, hook;

  before(async () => {
    await target.start();
    ({ stripe } = target);
    hook = await listening(async (request, response) => {
      let body = "";
      for await (const part of request) body += part;
      received.push(JSON.parse(body));
      response.end();
    });
    await stripe.webhookEndpoints.create({ url: `${hook.url}/hook`, enabled_events: ["*"] });
  });
  after(async () => {
    await target.stop();
    hook.server.close();
  });

  /** As bytes: whatever the client makes of them. */
  const raw = async (path) => {
    const response = await fetch(`${target.url}${path}`, { headers: { Authorization: `Bearer ${key}` } });
    assert.equal(response.status, 200, path);
    return response.text();
  };

  it("is taken with all that goes on, and what cannot be taken is told with its reason", async () => {
    const report = await target.import(...from);
    assert.equal(report.status, 3);
    assert.equal(report.kinds.customer.taken, customers.length + 1);
    assert.equal(report.kinds.subscription.taken, customers.length);
    assert.equal(report.kinds.subscription_schedule.taken, 1);
    assert.equal(report.kinds.invoice.taken, 2);
    assert.equal(report.kinds.invoiceitem.taken, 1);
    assert.equal(report.kinds.plan.taken, 3);
    assert.equal(report.kinds.price.taken, 1);
    assert.equal(report.kinds.promotion_code.taken, 1);
    const reasons = new Map(report.refused.map(({ object, id, reason }) => [id, `${object} ${reason}`]));
    assert.match(reasons.get("customer-7"), /customer .*identifier/);
    assert.match(reasons.get("pm_1NSepaLkdIwHu7ixSepaSepa"), /source .*sepa_debit/);
    assert.match(reasons.get("sub_1NSepaLkdIwHu7ixSepaSepb"), /subscription what it is paid with was not taken/);
    assert.equal(reasons.size, 3, JSON.stringify([...reasons]));
    assert.deepEqual(await target.broken(), []);
  });

  it("is found by every identifier that it had", async () => {
    const jenny = await stripe.customers.retrieve(ids.jenny, { expand: ["subscriptions", "default_source"] });
    assert.equal(jenny.id, ids.jenny);
    assert.equal(jenny.default_source.id, ids.jennyCard);
    assert.equal(jenny.subscriptions.data[0].id, ids.jennySubscription);
    assert.equal(jenny.metadata.crm, ids.jenny, "what is metadata is the caller's own");
    assert.equal(jenny.balance, -150);
    assert.equal((await stripe.customers.retrieveSource(ids.jenny, ids.jennyCard)).last4, "4242");
    const subscription = await stripe.subscriptions.retrieve(ids.jennySubscription, { expand: ["customer"] });
    assert.equal(subscription.customer.id, ids.jenny);
    assert.equal(subscription.items.data[0].id, ids.jennyItem);
    assert.equal(subscription.items.data[0].price.id, monthly.id);
    assert.equal((await stripe.subscriptionItems.retrieve(ids.jennyItem)).subscription, ids.jennySubscription);
    assert.equal((await stripe.invoiceItems.retrieve(ids.jennyPending)).customer, ids.jenny);
    assert.equal((await stripe.prices.retrieve(monthly.id)).unit_amount, 2000);
    assert.equal((await stripe.plans.retrieve(gold.id)).amount, 990);
    assert.equal((await stripe.products.retrieve(monthly.product)).name, "Gold");

    assert.equal((await stripe.customers.retrieveSource(ids.old, ids.oldSource)).id, ids.oldSource);
    assert.equal((await stripe.subscriptions.retrieve(ids.oldSubscription)).items.data[0].id, ids.oldItem);
    assert.equal((await stripe.paymentMethods.retrieve(ids.lateMethod)).customer, ids.late);
    assert.equal((await stripe.customers.retrieveSource(ids.user, ids.userAccount)).bank_name, "STRIPE TEST BANK");
    assert.equal((await stripe.subscriptions.retrieve(ids.goneSubscription)).status, "canceled");
    assert.equal((await stripe.invoices.retrieve(ids.goneInvoice)).subscription, ids.goneSubscription);
    const schedule = await stripe.subscriptionSchedules.retrieve(ids.plannerSchedule, { expand: ["subscription"] });
    assert.equal(schedule.subscription.id, ids.plannerSubscription);
    assert.equal(schedule.phases.length, 2);

    const invoice = await stripe.invoices.retrieve(ids.lateInvoice, { expand: ["payment_intent", "subscription"] });
    assert.equal(invoice.payment_intent.id, ids.lateIntent);
    assert.equal(invoice.subscription.id, ids.lateSubscription);
    assert.equal(invoice.number, "26F5C1DA-0007");
    assert.deepEqual([invoice.subtotal, invoice.tax, invoice.total], [3000, 475, 2975]);
    assert.deepEqual(invoice.lines.data.map(({ id }) => id).sort(), ["il_1MtHbELkdIwHu7ixItemItem", ids.lateLine]);
    assert.equal(invoice.discount.coupon.id, "Z4OV52SU");
    assert.equal(invoice.discount.id, "di_1Mt7f8LkdIwHu7ixTyQ8Zv5C");
    assert.equal(invoice.total_tax_amounts[0].tax_rate, "txr_1MnyuqLkdIwHu7ixBeKo7Bkx");

    for (const path of [
      ...customers.flatMap((id) => ["", "/subscriptions", "/sources"].map((part) => `/v1/customers/${id}${part}`)),
      `/v1/invoices/${ids.lateInvoice}`,
      `/v1/invoices/${ids.lateInvoice}/lines`,
      "/v1/customers?limit=100",
      "/v1/subscriptions?limit=100&expand[]=data.customer",
      "/v1/invoices?limit=100&expand[]=data.customer",
      "/v1/invoiceitems",
      "/v1/subscription_schedules",
      "/v1/payment_intents",
      "/v1/promotion_codes?expand[]=data.customer",
    ])
      assert.doesNotMatch(await raw(path), native, path);
  });

  it("stands in lists, whose cursors and filters take its identifiers", async () => {
    const listed = await all((parameters) => stripe.customers.list(parameters), { limit: 2 });
    for (const id of customers) assert.equal(listed.filter((each) => each.id === id).length, 1, id);
    const { data } = await stripe.customers.list({ starting_after: listed[1].id, limit: 1 });
    assert.equal(data[0].id, listed[2].id);
    const { data: before } = await stripe.customers.list({ ending_before: listed[2].id, limit: 1 });
    assert.equal(before[0].id, listed[1].id);
    const mine = await stripe.subscriptions.list({ customer: ids.jenny });
    assert.deepEqual(mine.data.map(({ id }) => id), [ids.jennySubscription]);
    const open = await stripe.invoices.list({ subscription: ids.lateSubscription, status: "open" });
    assert.deepEqual(open.data.map(({ id }) => id), [ids.lateInvoice]);
    const methods = await stripe.paymentMethods.list({ customer: ids.planner, type: "card" });
    assert.deepEqual(methods.data.map(({ id }) => id), [ids.plannerMethod]);
    const codes = await stripe.promotionCodes.list({ code: "WELCOMEBACK" });
    assert.equal(codes.data[0].customer, ids.jenny);
    assert.equal(codes.data[0].times_redeemed, 1);
    const { data: usage } = await stripe.rawRequest(
      "GET",
      `/v1/subscription_items/${ids.userItem}/usage_record_summaries`,
    );
    assert.deepEqual([usage.length, usage[0].total_usage, usage[0].subscription_item], [1, 120, ids.userItem]);
  });

  it("is changed by its identifiers, and events and webhooks tell of it by them", async () => {
    const options = { idempotencyKey: "moved-1" };
    await stripe.customers.update(ids.jenny, { metadata: { moved: "yes" } }, options);
    const again = await stripe.customers.update(ids.jenny, { metadata: { moved: "yes" } }, options);
    assert.equal(again.id, ids.jenny);
    assert.equal(again.lastResponse.headers["idempotent-replayed"], "true");
    await stripe.subscriptions.update(ids.oldSubscription, {
      items: [{ id: ids.oldItem, quantity: 3 }],
      proration_behavior: "none",
    });
    assert.equal((await stripe.subscriptionItems.retrieve(ids.oldItem)).quantity, 3);
    const added = await stripe.invoiceItems.create({
      customer: ids.old,
      subscription: ids.oldSubscription,
      amount: 500,
      currency: "usd",
    });
    assert.equal(added.subscription, ids.oldSubscription);
    await stripe.invoiceItems.del(added.id);
    const method = await stripe.paymentMethods.create({ type: "card", card: { token: "tok_visa" } });
    assert.equal((await stripe.paymentMethods.attach(method.id, { customer: ids.old })).customer, ids.old);
    const unknown = "cus_NffrFeUfNV2Hix";
    await assert.rejects(stripe.customers.retrieve(unknown), { statusCode: 404, message: /cus_NffrFeUfNV2Hix/ });
    await assert.rejects(stripe.subscriptions.update(ids.jennySubscription, { items: [{ id: ids.oldItem }] }), {
      message: new RegExp(ids.oldItem),
    });

    const { data } = await stripe.events.list({ limit: 10, type: "customer.updated" });
    assert.equal(data[0].data.object.id, ids.jenny);
    assert.equal(data[0].data.object.default_source, ids.jennyCard);
    assert.doesNotMatch(await raw("/v1/events?limit=100"), native);
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
      if (received.some(({ type }) => type === "customer.subscription.updated")) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { data: delivered } = received.find(({ type }) => type === "customer.subscription.updated");
    assert.equal(delivered.object.id, ids.oldSubscription);
    assert.equal(delivered.object.customer, ids.old);
    assert.doesNotMatch(JSON.stringify(received), native);
  });

  it("is explained and found by operators by its identifiers, and by those who speak Stancer's API", async () => {
    const { text } = await target.run("explain", ids.lateSubscription);
    assert.match(text, new RegExp(ids.lateSubscription));
    assert.doesNotMatch(text, /[a-z_]+_X[0-9A-Za-z]{23}/);
    for (const id of [ids.lateSubscription, ids.jenny]) {
      const page = await fetch(`${target.status.replace(/\/status$/, "")}/status/accounts/${id}`);
      assert.equal(page.status, 200);
      assert.match(await page.text(), new RegExp(id === ids.jenny ? id : ids.late));
    }
    const operators = target.status.replace(/\/status$/, "");
    const act = (action) => target.run(action, ids.late, "--why", "a test", "--yes", "--at", operators);
    const parked = await target.run("park", ids.late, "--why", "a test", "--at", operators);
    assert.equal(parked.status, 0, parked.said);
    const live = await fetch(`${operators}/status/live`);
    let told = "";
    for await (const part of live.body) {
      told += Buffer.from(part).toString();
      if (told.includes(ids.late)) break;
      assert.ok(told.length < 1e6, "it is among what is parked");
    }
    assert.doesNotMatch(told, /[a-z]+_X[0-9A-Za-z]{23}/);
    assert.equal((await act("unpark")).status, 0);
    const other = ids.jenny.replace("cus_", "cust_");
    const response = await fetch(`${target.url}/v1/customers/${other}`, {
      headers: { Authorization: `Basic ${btoa("stest_import:")}` },
    });
    assert.equal((await response.json()).id, other);
  });

  it("is not taken again, whatever has become of it", async () => {
    const before = await stripe.customers.retrieve(ids.jenny);
    const report = await target.import(...from);
    for (const [kind, count] of Object.entries(report.kinds)) assert.equal(count.taken, 0, kind);
    assert.equal(report.kinds.customer.already_there, customers.length + 1);
    assert.deepEqual(await stripe.customers.retrieve(ids.jenny), before);
  });

  it("is billed a year long from its next period on, and never twice", async () => {
    await target.advance(clock, now + 365 * day);
    const periods = async (id) => {
      const invoices = await all((parameters) => stripe.invoices.list(parameters), { subscription: id });
      return invoices
        .flatMap((invoice) => invoice.lines.data.filter(({ type }) => type === "subscription"))
        .map(({ period, amount, quantity }) => ({ ...period, amount, quantity }))
        .sort((a, b) => a.start - b.start);
    };
    const dates = (date) => Array.from({ length: 12 }, (_, place) => Date.UTC(2026, 3 + place, date, 8) / 1000);
    const jenny = await periods(ids.jennySubscription);
    assert.deepEqual(jenny.map(({ start }) => start), dates(5).slice(0, jenny.length));
    assert.equal(jenny.length, 12);
    assert.ok(jenny.every(({ amount }) => amount === 4000));
    const old = await periods(ids.oldSubscription);
    assert.equal(old.length, 12);
    assert.equal(old[0].start, Date.UTC(2026, 2, 31, 8) / 1000, "anchored on the 31st since 2014");
    assert.equal(old[1].start, Date.UTC(2026, 3, 30, 8) / 1000);
    const used = await periods(ids.userSubscription);
    assert.deepEqual(used.slice(0, 2).map(({ quantity }) => quantity), [120, 0]);
    assert.equal(used[0].amount, 840);
    assert.equal(used[0].start, Date.UTC(2026, 2, 10, 8) / 1000);
    const planned = await periods(ids.plannerSubscription);
    const amounts = planned.slice(0, 2).map(({ amount }) => amount);
    assert.deepEqual(amounts, [2000, 2000], "the second phase has another price");
    const [first] = (await all((parameters) => stripe.invoices.list(parameters), { customer: ids.jenny })).reverse();
    assert.equal(first.starting_balance, -150);
    assert.ok(first.lines.data.some(({ invoice_item }) => invoice_item === ids.jennyPending));
    assert.equal(first.number, "UFNV2HIB-0003");
    const late = await stripe.invoices.retrieve(ids.lateInvoice);
    assert.deepEqual([late.status, late.amount_paid], ["paid", 2975]);
    const charges = await all((parameters) => stripe.charges.list(parameters), {});
    const paid = charges.filter((charge) => charge.paid).map((charge) => charge.invoice);
    assert.equal(new Set(paid).size, paid.length, "no invoice was charged twice");
    assert.deepEqual(await target.broken(), []);
  });
});

// What programs of any age have stored goes on to work, until it is deleted by it.
for (const age of ["newest", "version 8", "version 4"])
  describe(`A customer of Stripe's, for the client that is ${age}`, () => {
    const target = new Daemon(folder, age.replace(" ", "-"));
    let stripe;

    before(async () => {
      await target.start();
      ({ stripe } = clientsOf(new URL(target.url))[age]);
      assert.equal((await target.import(...from)).status, 3);
    });
    after(() => target.stop());

    it("is found and listed by the identifiers that it had", async () => {
      const jenny = await stripe.customers.retrieve(ids.jenny, { expand: ["default_source"] });
      assert.deepEqual([jenny.id, jenny.default_source.id], [ids.jenny, ids.jennyCard]);
      const subscription = await stripe.subscriptions.retrieve(ids.oldSubscription, { expand: ["customer"] });
      assert.deepEqual([subscription.customer.id, subscription.items.data[0].id], [ids.old, ids.oldItem]);
      assert.equal((await stripe.subscriptionItems.retrieve(ids.oldItem)).id, ids.oldItem);
      assert.equal((await stripe.invoiceItems.retrieve(ids.jennyPending)).customer, ids.jenny);
      const invoice = await stripe.invoices.retrieve(ids.lateInvoice);
      assert.deepEqual([invoice.customer, invoice.subscription], [ids.late, ids.lateSubscription]);
      assert.equal(invoice.total, 2975);
      const { data: lines } = await stripe.invoices.listLineItems?.(ids.lateInvoice) ?? invoice.lines;
      assert.ok(lines.some(({ id }) => id === ids.lateLine || id === ids.lateSubscription));
      const { data: first } = await stripe.customers.list({ limit: 3 });
      const { data: next } = await stripe.customers.list({ limit: 3, starting_after: first[2].id });
      const known = [ids.jenny, ids.old, ids.late, ids.user, ids.gone, ids.planner, "cus_NoSepaPlease1"];
      assert.deepEqual([...first, ...next].map(({ id }) => id).filter((id) => !known.includes(id)), []);
      const { data: mine } = await stripe.subscriptions.list({ customer: ids.late });
      assert.deepEqual(mine.map(({ id }) => id), [ids.lateSubscription]);
    });

    it("is changed by them, once for each idempotency key", async () => {
      const once = { idempotency_key: "moved", idempotencyKey: "moved" };
      if (age === "version 4") delete once.idempotencyKey;
      else delete once.idempotency_key;
      for (let time = 0; time < 2; ++time) {
        const changed = await stripe.customers.update(ids.jenny, { metadata: { moved: "yes" } }, once);
        assert.deepEqual([changed.id, changed.metadata.moved], [ids.jenny, "yes"]);
      }
      const items = [{ id: ids.oldItem, quantity: 3 }];
      const changed = await stripe.subscriptions.update(ids.oldSubscription, { items });
      assert.deepEqual([changed.id, changed.items.data[0].quantity], [ids.oldSubscription, 3]);
      const credited = await stripe.invoiceItems.list({ customer: ids.old });
      assert.ok(credited.data.every(({ subscription }) => subscription === ids.oldSubscription));
      assert.equal(credited.data.length, 2, "one credits what was, one bills what is");
    });

    it("is deleted by them", async () => {
      const delSource = stripe.customers.deleteSource.bind(stripe.customers);
      assert.equal((await delSource(ids.jenny, ids.jennyCard)).id, ids.jennyCard);
      assert.equal((await stripe.customers.retrieve(ids.jenny)).default_source, null);
      const item = await stripe.invoiceItems.del(ids.jennyPending);
      assert.deepEqual([item.id, item.deleted], [ids.jennyPending, true]);
      const cancel = (stripe.subscriptions.cancel ?? stripe.subscriptions.del).bind(stripe.subscriptions);
      const ended = await cancel(ids.userSubscription);
      assert.deepEqual([ended.id, ended.status], [ids.userSubscription, "canceled"]);
      const gone = await stripe.customers.del(ids.late);
      assert.deepEqual([gone.id, gone.deleted], [ids.late, true]);
      assert.equal((await stripe.customers.retrieve(ids.late)).deleted, true);
      assert.equal((await stripe.subscriptions.retrieve(ids.lateSubscription)).status, "canceled");
      const { kinds } = await target.import(...from);
      assert.equal(kinds.customer.taken, 0, "who is deleted is not taken again");
      assert.deepEqual(await target.broken(), []);
    });
  });

describe("An import from Stripe", () => {
  it("from a running server is the same as from a file", async () => {
    const byFile = new Daemon(folder, "by-file");
    const byServer = new Daemon(folder, "by-server");
    const server = await new StripeServer().start();
    await Promise.all([byFile.start(), byServer.start()]);
    try {
      const expected = await byFile.import(...from);
      const report = await byServer.import("--from", server.url, "--key-file", keyFile, "--tokens", tokensFile);
      // The API is asked for cards and bank accounts only.
      const comparable = ({ status, kinds: { source, ...kinds }, refused }) => ({
        status,
        kinds,
        sources: source.taken,
        refused: refused.filter(({ object }) => object !== "source"),
      });
      assert.deepEqual(comparable(report), comparable(expected));
      assert.deepEqual(server.problems, [], "it answers as Stripe does");
      const objects = async ({ stripe }, customer) => [
        { ...(await stripe.customers.retrieve(customer, { expand: ["sources"] })), lastResponse: null },
        await all((parameters) => stripe.subscriptions.list(parameters), { customer, status: "all" }),
        await all((parameters) => stripe.invoices.list(parameters), { customer }),
      ];
      for (const id of [ids.jenny, ids.old, ids.late, ids.user, ids.gone, ids.planner])
        assert.deepEqual(await objects(byServer, id), await objects(byFile, id));
    } finally {
      server.stop();
      await Promise.all([byFile.stop(), byServer.stop()]);
    }
  });

  it("that was killed is completed by the next one, without doubles", async () => {
    const many = 600;
    const target = new Daemon(folder, "killed");
    const copies = join(folder, "many.json");
    const suffix = (number) => String(number).padStart(4, "0");
    const jenny = everything.customers.data[0];
    const sub = everything.subscriptions.data[0];
    const numbers = Array.from({ length: many }, (_, number) => suffix(number));
    writeFileSync(
      copies,
      JSON.stringify({
        plans: everything.plans,
        test_clocks: everything.test_clocks,
        customers: numbers.map((number) => ({
          ...jenny,
          id: `cus_NffrFeUfNV${number}`,
          default_source: `card_1MvoiELkdIwHu7ixOeFG${number}`,
          sources: [{ ...jenny.sources.data[0], id: `card_1MvoiELkdIwHu7ixOeFG${number}` }],
        })),
        subscriptions: numbers.map((number) => ({
          ...sub,
          id: `sub_1MowQVLkdIwHu7ixeRlq${number}`,
          customer: `cus_NffrFeUfNV${number}`,
          items: { data: [{ ...sub.items.data[0], id: `si_Na6dzxczY5${number}` }] },
        })),
      }),
    );
    const cards = Object.fromEntries(numbers.map((number) => [`card_1MvoiELkdIwHu7ixOeFG${number}`, "tok_visa"]));
    writeFileSync(join(folder, "cards.json"), JSON.stringify(cards));
    const args = ["--file", copies, "--tokens", join(folder, "cards.json")];
    await target.start();
    try {
      let kills = 0;
      for (let soFar = 0; kills < 5; ++kills) {
        const work = spawn(process.env.BILLD, ["import", "--mode", "test", "--state-dir", target.state, ...args], {
          stdio: "ignore",
        });
        const ended = once(work, "exit");
        for (let there = soFar; there < soFar + 60; ) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          const page = await target.stripe.customers.list({ limit: 1, include: ["total_count"] });
          there = page.total_count;
          if (there >= many || work.exitCode !== null) break;
        }
        work.kill("SIGKILL");
        const [code] = await ended;
        ({ total_count: soFar } = await target.stripe.customers.list({ limit: 1, include: ["total_count"] }));
        if (code === 0) break;
      }
      assert.ok(kills > 0, "it was killed at least once");
      const report = await target.import(...args);
      assert.equal(report.status, 0);
      assert.equal(report.kinds.customer.taken + report.kinds.customer.already_there, many);
      const listed = await all((parameters) => target.stripe.customers.list(parameters), {});
      assert.deepEqual(listed.map(({ id }) => id).sort(), numbers.map((number) => `cus_NffrFeUfNV${number}`));
      assert.equal((await all((parameters) => target.stripe.subscriptions.list(parameters), {})).length, many);
      assert.deepEqual(await target.broken(), []);
    } finally {
      await target.stop();
    }
  });

  it("goes on from billd to billd, and a year later both have billed the same", async () => {
    const source = new Daemon(folder, "first");
    const target = new Daemon(folder, "second");
    await Promise.all([source.start(), target.start()]);
    try {
      await source.import(...from);
      await source.advance(clock, now + 40 * day);
      // What was made since has an identifier of billd's.
      const items = [{ plan: gold.id }];
      const { id: added } = await source.stripe.subscriptions.create({ customer: ids.jenny, items });
      await source.stripe.rawRequest("POST", `/v1/subscription_items/${ids.userItem}/usage_records`, { quantity: 41 });
      const report = await target.import("--from", source.url, "--key-file", keyFile, "--tokens", tokensFile);
      assert.deepEqual(report.refused.map(({ id, reason }) => `${id}: ${reason}`), []);
      assert.equal((await target.stripe.subscriptions.retrieve(added)).customer, ids.jenny);
      const end = now + 405 * day;
      await Promise.all([source.advance(clock, end), target.advance(clock, end)]);
      for (const id of [ids.jenny, ids.old, ids.late, ids.user, ids.planner]) {
        const [expected, actual] = await Promise.all(
          [source, target].map(async ({ stripe }) => {
            const invoices = await all((parameters) => stripe.invoices.list(parameters), { customer: id });
            return invoices.filter((invoice) => invoice.created > now + 40 * day).map(told);
          }),
        );
        assert.ok(actual.length >= 12, `${actual.length} invoices`);
        assert.deepEqual(actual, expected, id);
      }
      assert.deepEqual(await target.broken(), []);
    } finally {
      await Promise.all([source.stop(), target.stop()]);
    }
  });
});
