// What an import makes of the ways in which Stripe's API answers, and what it says when it cannot go on.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { Daemon, day, everything as all, key, run } from "./import_daemon.mjs";
import {
  card,
  clock,
  coupon,
  customer,
  everything,
  gold,
  invoice,
  item,
  line,
  list,
  month,
  now,
  price,
  subscription,
} from "./stripe_export.mjs";
import { StripeServer } from "./stripe_server.mjs";

const folder = mkdtempSync(join(tmpdir(), "billd-stripe-api-"));
const keyFile = join(folder, "key");
const tokensFile = join(folder, "tokens.json");
before(() => {
  writeFileSync(keyFile, `${key}\n`);
  writeFileSync(tokensFile, JSON.stringify({ mToisGZ01V71BCos: "tok_visa" }));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const number = (place) => String(place).padStart(5, "0");
const name = (place) => `cus_NffrFeUfNV${number(place)}`;
/** Customers with a card and a subscription each, the latest first as the API lists them. */
function many(count) {
  const places = Array.from({ length: count }, (_, place) => count - place);
  const cardOf = (place) => `card_1MvoiELkdIwHu7ixO${number(place)}`;
  return {
    products: everything.products,
    plans: everything.plans,
    test_clocks: everything.test_clocks,
    customers: list(
      places.map((place) =>
        customer(name(place), {
          created: month(1) + place,
          default_source: cardOf(place),
          sources: list([card(cardOf(place), name(place))]),
        }),
      ),
    ),
    subscriptions: list(
      places.map((place) =>
        subscription(
          `sub_1MowQVLkdIwHu7ix${number(place)}`,
          name(place),
          [item(`si_Na6dzxcz${number(place)}`, gold)],
          [month(3, 5), month(4, 5)],
        ),
      ),
    ),
  };
}

let target, server, count = 0;
beforeEach(async () => {
  target = new Daemon(folder, `target-${++count}`);
  await target.start();
});
afterEach(async () => {
  server?.stop();
  server = undefined;
  await target.stop();
});

async function serve(options) {
  server = await new StripeServer(options).start();
  return ["--from", server.url, "--key-file", keyFile, "--tokens", tokensFile];
}

describe("An import from Stripe's API", () => {
  it("reads page after page, at a version that it understands, and asks for nothing unknown there", async () => {
    const data = many(230);
    // More cards than are told with their customer.
    const [first] = data.customers.data;
    const more = Array.from({ length: 130 }, (_, place) => card(`card_1Many${number(place)}`, first.id));
    first.sources.data.push(...more);
    const report = await target.import(...(await serve({ data })));
    assert.deepEqual([report.status, report.refused], [0, []], report.said);
    assert.equal(report.kinds.customer.taken, 230);
    assert.equal(report.kinds.subscription.taken, 230);
    assert.equal(report.kinds.source.taken, 230 + 130);
    assert.deepEqual(server.problems, [], "the answers are of Stripe's own description");
    const listed = await all((parameters) => target.stripe.customers.list(parameters), {});
    assert.deepEqual(listed.map(({ id }) => id), data.customers.data.map(({ id }) => id), "in their order");
    assert.match(report.said, /230 customers looked at: 230 taken, 0 already there; 0 objects not taken so far/);
    assert.match(report.said, /\d+ customers\/s/);
  });

  it("takes the same, and tells of the same in the same order, however many customers are read at once", async () => {
    const data = many(40);
    for (const each of data.customers.data.slice(0, 20)) each.sources.data[0].fingerprint = "unknown";
    const from = await serve({ data });
    const one = await target.import(...from, "--at-once", "1");
    const other = new Daemon(folder, `target-${++count}`);
    await other.start();
    try {
      const several = await other.import(...from, "--at-once", "16");
      assert.equal(one.status, 3);
      assert.deepEqual(several.kinds, one.kinds);
      assert.deepEqual(several.refused, one.refused);
      assert.deepEqual(await other.broken(), []);
    } finally {
      await other.stop();
    }
  });

  it("waits when there are too many requests, and asks again when the server has failed", async () => {
    const faults = [
      { on: /customers$/, status: 429, headers: { "Retry-After": "1" }, times: 1 },
      { on: /subscriptions$/, status: 429, times: 5 },
      { on: /payment_methods$/, status: 503, times: 3 },
      { on: /invoiceitems$/, status: 500, times: 2 },
    ];
    const report = await target.import(...(await serve({ data: many(20), faults })));
    assert.deepEqual([report.status, report.kinds.customer.taken], [0, 20], report.said);
    assert.ok(server.faults.every(({ times }) => times === 0));
    const asked = server.requests.filter(({ path }) => path === "/v1/customers").map(({ at }) => at);
    assert.ok(asked[1] - asked[0] >= 990, `asked again after ${asked[1] - asked[0]} ms, not the second it was told`);
  });

  it("says what a key may not read before it takes anyone", async () => {
    const faults = [{ on: /subscription_schedules$/, status: 403, message: "The provided key lacks it", times: 1e6 }];
    const from = await serve({ data: many(20), faults });
    const report = await target.import(...from);
    assert.equal(report.status, 1);
    assert.match(report.said, /403 to \/v1\/subscription_schedules \(The provided key lacks it\): the key must/);
    assert.deepEqual((await target.stripe.customers.list()).data, []);
    server.faults = [];
    assert.equal((await target.import(...from)).kinds.customer.taken, 20, "the next one takes them");
  });

  it("that breaks off says how it goes on, and does", async () => {
    const faults = [{ on: /customers\/cus_NffrFeUfNV00010\/sources/, status: 400, times: 1e6 }];
    const data = many(30);
    const broken = data.customers.data.find(({ id }) => id === name(10));
    const more = Array.from({ length: 11 }, (_, place) => card(`card_1Many${number(place)}`, broken.id));
    broken.sources.data.push(...more);
    const from = await serve({ data, faults });
    const report = await target.import(...from);
    assert.equal(report.status, 1);
    assert.match(report.said, /400 to \/v1\/customers\/cus_NffrFeUfNV00010\/sources/);
    assert.match(report.said, /the same command again goes on from there/);
    assert.ok(report.kinds.customer.taken >= 19, `${report.kinds.customer.taken}`);
    server.faults = [];
    const next = await target.import(...from);
    assert.equal(next.status, 0);
    assert.equal(next.kinds.customer.taken, 30 - report.kinds.customer.taken);
    assert.equal(next.kinds.customer.already_there, report.kinds.customer.taken);
    assert.deepEqual(await target.broken(), []);
  });

  it("that is interrupted finishes whom it has begun, reports, and is completed by the next", async () => {
    const from = await serve({ data: many(1500) });
    const work = spawn(
      process.env.BILLD,
      ["import", "--mode", "test", "--json", "--state-dir", target.state, "--at-once", "4", ...from],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const read = async (stream) => (await stream.toArray()).join("");
    const texts = Promise.all([read(work.stdout), read(work.stderr)]);
    const ended = once(work, "exit");
    while (server.requests.filter(({ path }) => path === "/v1/subscriptions").length < 100)
      await new Promise((resolve) => setTimeout(resolve, 10));
    work.kill("SIGINT");
    assert.deepEqual(await ended, [130, null]);
    const [printed, said] = await texts;
    assert.match(said, /stopping when the \d customers under way are done/);
    assert.match(said, /stopped; what was taken so far stays, and the same command again goes on from there/);
    const { taken } = JSON.parse(printed).kinds.customer;
    assert.ok(taken > 0 && taken < 1500, `${taken}`);
    const next = await target.import(...from);
    assert.deepEqual([next.kinds.customer.already_there, next.kinds.customer.taken], [taken, 1500 - taken]);
  });

  it("asks an API that tells no more than by itself for the rest", async () => {
    const report = await target.import(...(await serve({ data: many(3), expands: false })));
    assert.deepEqual([report.status, report.kinds.customer.taken, report.kinds.source.taken], [0, 3, 3], report.said);
    const asked = server.requests.filter(({ path }) => path === "/v1/customers");
    assert.equal(asked.length, 3, "once in vain, then without and with the test clock");
  });

  it("goes through TLS when it knows the certificate's authority, and not otherwise", async () => {
    const [secret, certificate] = ["tls.key", "tls.pem"].map((file) => join(folder, file));
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", secret];
    execFileSync("openssl", ["req", "-x509", ...made, "-out", certificate, ...subject], { stdio: "ignore" });
    const tls = { key: readFileSync(secret), cert: readFileSync(certificate) };
    const from = await serve({ data: many(3), tls });
    assert.match(from[1], /^https:/);
    const refused = await target.import(...from);
    assert.equal(refused.status, 1);
    assert.match(refused.said, /certificate/);
    const args = ["import", "--mode", "test", "--json", "--state-dir", target.state, ...from];
    const { status, text } = await run(args, { SSL_CERT_FILE: certificate });
    assert.deepEqual([status, JSON.parse(text).kinds.customer.taken], [0, 3]);
  });
});

describe("What an import cannot take of Stripe's", () => {
  const planOf = (id, more) => price(id, { amount: 100, amount_decimal: "100", ...more });
  const of = (place) => name(place);
  const period = [month(3, 5), month(4, 5)];

  it("is never made up for: no other card is charged than the one that was chosen", async () => {
    const data = many(1);
    const [jenny] = data.customers.data;
    jenny.default_source = "src_1SepaLkdIwHu7ixSepa";
    jenny.invoice_settings.default_payment_method = "pm_1SepaLkdIwHu7ixSepa";
    const report = await target.import(...(await serve({ data })));
    assert.equal(report.status, 3);
    assert.deepEqual(
      report.refused.map(({ object, id }) => [object, id]),
      [
        ["default_source", "src_1SepaLkdIwHu7ixSepa"],
        ["default_payment_method", "pm_1SepaLkdIwHu7ixSepa"],
      ],
    );
    assert.match(report.refused[0].reason, /nothing is collected from another card .*customer cus_NffrFeUfNV00001/);
    const taken = await target.stripe.customers.retrieve(jenny.id, { expand: ["sources"] });
    assert.equal(taken.sources.data.length, 1);
    assert.deepEqual([taken.default_source, taken.invoice_settings.default_payment_method], [null, null]);
    await target.advance(clock, now + 60 * day);
    const { data: invoices } = await target.stripe.invoices.list({ customer: jenny.id });
    assert.ok(invoices.length > 0 && invoices.every(({ status, attempted }) => status === "open" && attempted));
    assert.deepEqual((await target.stripe.charges.list({ customer: jenny.id })).data, []);
  });

  it("is refused by itself, with the reason, and the rest is taken", async () => {
    const data = many(4);
    const byMeter = planOf("price_meter", { usage_type: "metered", meter: "mtr_61QxA" });
    const weekly = planOf("price_weekly", { interval: "week" });
    data.plans = list([byMeter, weekly, ...data.plans.data]);
    data.subscriptions.data.push(
      subscription("sub_meter", of(1), [item("si_meter", byMeter)], period),
      subscription("sub_mixed", of(2), [item("si_mixed1", gold), item("si_mixed2", weekly)], period),
      subscription("sub_thresholds", of(3), [item("si_thresholds", gold)], period, {
        billing_thresholds: { amount_gte: 5000, reset_billing_cycle_anchor: false },
      }),
    );
    data.invoices = list([
      invoice("in_short", of(4), {
        lines: list([line("il_short", 990, { plan: gold, subscription: `sub_1MowQVLkdIwHu7ix${number(4)}` })]),
        number: "AAAA-0001",
        subscription: `sub_1MowQVLkdIwHu7ix${number(4)}`,
        amount_due: 900,
        total: 900,
      }),
    ]);
    const report = await target.import(...(await serve({ data })));
    assert.equal(report.status, 3);
    assert.deepEqual(server.problems, []);
    const reasons = Object.fromEntries(report.refused.map(({ id, reason }) => [id, reason]));
    assert.match(reasons.price_meter, /billing meter/);
    assert.match(reasons.sub_meter, /billing meter/);
    assert.match(reasons.sub_mixed, /different intervals/);
    assert.match(reasons.sub_thresholds, /billing_thresholds/);
    assert.match(reasons.in_short, /lines come to 990, and its total is 900/);
    assert.equal(report.refused.length, 5);
    assert.deepEqual([report.kinds.customer.taken, report.kinds.subscription.taken], [4, 4]);
  });

  it("is no coupon's restriction to products: that is asked for, for it is not told by itself", async () => {
    const data = many(1);
    const [jenny] = data.customers.data;
    const restricted = { ...coupon, id: "only-silver", applies_to: { products: ["prod_silver"] } };
    data.products = list([...data.products.data, { ...data.products.data[0], id: "prod_silver", name: "Silver" }]);
    data.coupons = list([restricted]);
    data.subscriptions.data[0].discount = {
      id: "di_1Mt7f8LkdIwHu7ixTyQ8Zv5C",
      object: "discount",
      coupon: restricted,
      customer: jenny.id,
      end: null,
      promotion_code: null,
      start: month(1),
      subscription: data.subscriptions.data[0].id,
    };
    const report = await target.import(...(await serve({ data })));
    assert.deepEqual([report.status, report.refused], [0, []]);
    const taken = await target.stripe.coupons.retrieve("only-silver", { expand: ["applies_to"] });
    assert.deepEqual(taken.applies_to.products, ["prod_silver"]);
    await target.advance(clock, month(4, 6));
    const { data: [next] } = await target.stripe.invoices.list({ customer: jenny.id });
    assert.equal(next.total, 990, "what is not silver costs what it costs");
  });
});

describe("Somebody new to billd import", () => {
  const fails = async (args, expected) => {
    const { status, said, text } = await target.run("import", "--mode", "test", ...args);
    assert.notEqual(status, 0);
    assert.match(said, expected);
    assert.equal(text, "");
    assert.deepEqual((await target.stripe.customers.list()).data, []);
  };
  const file = (content) => {
    const path = join(folder, `file-${++count}.json`);
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return ["--file", path];
  };

  it("is told what is wrong with the key or the address, at once", async () => {
    const wrong = join(folder, "wrong-key");
    writeFileSync(wrong, "sk_test_wrong\n");
    const [, url] = await serve({ data: many(2) });
    await fails(["--from", url, "--key-file", wrong], /401 to \/v1\/products: the key in --key-file/);
    const { said } = await target.run("import", "--mode", "test", "--from", url, "--key-file", wrong);
    assert.doesNotMatch(said, /sk_test_wrong/);
    await fails(["--from", url], /--from takes --key-file/);
    await fails([], /--from, or a file of its answers with --file/);
    const began = Date.now();
    await fails(["--from", "http://127.0.0.1:1", "--key-file", keyFile], /127.0.0.1:1: .*/);
    await fails(["--from", `${url}/v2`, "--key-file", keyFile], /404 to \/v1\/plans.*--from names the base/);
    const page = createServer((request, response) => response.end("<html>Welcome</html>"));
    page.listen(0, "127.0.0.1");
    await once(page, "listening");
    const address = `http://127.0.0.1:${page.address().port}`;
    await fails(["--from", address, "--key-file", keyFile], /no JSON object to \/v1\/products: --from names the base/);
    page.close();
    assert.ok(Date.now() - began < 10_000, "an API that never answered is not waited for");
    const from = ["--from", `${url}/v1/`, "--key-file", keyFile, "--tokens", tokensFile];
    const { status } = await target.run("import", "--mode", "test", ...from);
    assert.equal(status, 0, "with /v1 it is the same");
  });

  it("is told when the report could not be written", async () => {
    const from = await serve({ data: many(2) });
    const full = openSync("/dev/full", "w");
    const args = ["import", "--mode", "test", "--state-dir", target.state, ...from];
    const work = spawn(process.env.BILLD, args, { stdio: ["ignore", full, "pipe"] });
    const said = (await work.stderr.toArray()).join("");
    assert.match(said, /the report could not be written: No space left on device/);
    assert.equal((await target.stripe.customers.list()).data.length, 2, "the customers are there");
  });

  it("is told where a file is broken, and what it must hold", async () => {
    const { customers } = many(2);
    await fails(file('{\n "customers": [\n  {"id": "cus_1",}\n ]\n}\n'), /line 3: .*nothing was taken/);
    await fails(file('{"customers": ['), /incomplete JSON|line 1/);
    await fails(file([1]), /holds no JSON object/);
    await fails(file({ customer: customers }), /member `customer`, which is none of products, plans/);
    await fails(file({ object: "list", data: [] }), /member `object`/);
    await fails(file({ customers: { ...customers, has_more: true } }), /`customers` .* only one page of several/);
    await fails(file({ customers: "all" }), /neither an array nor a list object/);
    await fails(file({ plans: [] }), /holds no customers/);
    await fails(["--file", join(folder, "absent.json")], /absent.json/);
    await fails([...file({ customers }), "--tokens", join(folder, "key")], /holds no JSON object of tokens/);
    await fails([...file({ customers }), "--gateway", "acme"], /no \[gateways.acme\] in the configuration/);
    await fails([...file({ customers }), "--at-once", "0"], /--at-once/);
  });

  it("may bring a file of answers of Stripe's newest versions", async () => {
    const data = many(1);
    const [jenny] = data.customers.data;
    const [agreed] = data.subscriptions.data;
    const { plan: told, ...itemOf } = agreed.items.data[0];
    const { current_period_start, current_period_end, discount: none, ...newer } = agreed;
    const pricing = { price_details: { price: gold.id, product: gold.product }, type: "price_details" };
    const report = await target.import(
      ...file({
        plans: data.plans,
        test_clocks: data.test_clocks,
        customers: data.customers,
        coupons: list([coupon]),
        subscriptions: list([
          {
            ...newer,
            discounts: [{ id: "di_1", source: { type: "coupon", coupon: coupon.id }, start: month(3) }],
            items: list([{ ...itemOf, current_period_start, current_period_end }]),
          },
        ]),
        invoices: list([
          {
            ...invoice("in_1Newest", jenny.id, { number: "AAAA-0001", amount_due: 990, total: 990 }),
            lines: list([
              {
                id: "il_1Newest",
                object: "line_item",
                amount: 990,
                currency: "usd",
                parent: {
                  type: "subscription_item_details",
                  subscription_item_details: {
                    invoice_item: null,
                    proration: false,
                    subscription: agreed.id,
                    subscription_item: itemOf.id,
                  },
                },
                period: { start: current_period_start, end: current_period_end },
                pricing: { ...pricing, unit_amount_decimal: "990" },
                quantity: 1,
                taxes: [],
              },
            ]),
            parent: { type: "subscription_details", subscription_details: { subscription: agreed.id, metadata: {} } },
          },
        ]),
        invoiceitems: list([
          {
            id: "ii_1Newest",
            object: "invoiceitem",
            amount: 500,
            currency: "usd",
            customer: jenny.id,
            date: month(3, 6),
            invoice: null,
            parent: { type: "subscription_details", subscription_details: { subscription: agreed.id } },
            period: { start: month(3, 6), end: month(3, 6) },
            pricing: null,
            quantity: 1,
          },
        ]),
      }),
      "--tokens",
      tokensFile,
    );
    assert.deepEqual([report.status, report.refused], [0, []], report.said);
    const { stripe } = target;
    const taken = await stripe.subscriptions.retrieve(agreed.id);
    assert.equal(taken.current_period_end, current_period_end);
    assert.equal(taken.discount.coupon.id, coupon.id);
    const owed = await stripe.invoices.retrieve("in_1Newest");
    assert.deepEqual([owed.subscription, owed.lines.data[0].plan.id, owed.total], [agreed.id, gold.id, 990]);
    assert.equal((await stripe.invoiceItems.retrieve("ii_1Newest")).subscription, agreed.id);
    assert.deepEqual(await target.broken(), []);
  });
});
