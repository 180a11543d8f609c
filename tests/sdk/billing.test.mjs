// What is billed, operation by operation in the words of three versions: subscriptions and their items, invoice items,
// invoices, charges, refunds and what collects them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { advance, monthlyPlan, newClock, start, stripe, unique } from "./clients.mjs";
import { descriptions } from "./descriptions.mjs";
import { asking, bad, impossible, paging, refusals, strange, unexpandable, unknown, walks } from "./operations.mjs";
import { call } from "./wire.mjs";

const plan = await monthlyPlan();
const dearer = await monthlyPlan(stripe, { amount: 2900 });

for (const { version } of descriptions) {
  const good = asking(version);
  const customer = async (more = {}) => (await good("POST /v1/customers", { source: "tok_visa", ...more })).id;
  const item = (of, more = {}) =>
    good("POST /v1/invoiceitems", { customer: of, amount: 1000, currency: "usd", ...more });
  const subscribe = (of, more = {}) =>
    good("POST /v1/subscriptions", { customer: of, items: [{ plan: plan.id }], ...more });
  /** An invoice of one item: a draft. */
  const draft = async (of, more = {}) => {
    await item(of);
    return good("POST /v1/invoices", { customer: of, pending_invoice_items_behavior: "include", ...more });
  };
  const open = async (of, more) => {
    const { id } = await draft(of, { auto_advance: false, ...more });
    return good(`POST /v1/invoices/${id}/finalize`);
  };
  /** A customer's charge that succeeded. */
  const charge = async () => {
    const of = await customer();
    await subscribe(of);
    return (await good("GET /v1/charges", { customer: of })).data[0];
  };

  describe(`Subscriptions of ${version}`, () => {
    const one = "/v1/subscriptions/{subscription_exposed_id}";
    it("are made, read, changed, listed and canceled", async () => {
      const of = await customer();
      const ids = [];
      for (let i = 0; i < 3; ++i) ids.unshift((await subscribe(of, { metadata: { i } })).id);
      await walks(good, "GET /v1/subscriptions", ids, { customer: of });
      assert.equal((await good("GET /v1/subscriptions", { customer: of, plan: dearer.id })).data.length, 0);
      const changed = await good(`POST /v1/subscriptions/${ids[0]}`, { metadata: { i: "", j: "x" }, prorate: true });
      assert.deepEqual(changed.metadata, { j: "x" });
      const read = await good(`GET /v1/subscriptions/${ids[0]}`, { expand: ["customer", "latest_invoice.charge"] });
      assert.equal(read.customer.id, of);
      assert.equal(read.latest_invoice.charge.amount, 1900);
      const ended = await good(`DELETE /v1/subscriptions/${ids[0]}`, { prorate: true, invoice_now: true });
      assert.equal(ended.status, "canceled");
      const { data: over } = await good("GET /v1/subscriptions", { customer: of, status: "ended" });
      assert.deepEqual(over.map(({ id }) => id), [ids[0]]);
      const soon = { current_period_end: { gt: 4e9 } };
      assert.deepEqual((await good("GET /v1/subscriptions", { customer: of, ...soon })).data, []);
    });
    it("begin with a price that the request describes, which takes no others", async () => {
      const { id: product } = await good("POST /v1/products", { name: unique("Basic"), type: "service" });
      const price_data = { currency: "usd", product, unit_amount: 1500, recurring: { interval: "month" } };
      const of = await customer();
      const made = await subscribe(of, { items: [{ price_data, quantity: 2 }] });
      const [{ price }] = made.items.data;
      assert.deepEqual([price.unit_amount, price.product, price.active], [1500, product, false]);
      assert.deepEqual(await good(`GET /v1/prices/${price.id}`), price);
      const again = await call(version, "POST /v1/subscriptions", { customer: of, items: [{ price: price.id }] });
      assert.equal(again.status, 400);
      const changed = await good(`POST /v1/subscriptions/${made.id}`, {
        items: [{ id: made.items.data[0].id, price_data: { ...price_data, unit_amount: 1700 } }],
      });
      assert.equal(changed.items.data[0].price.unit_amount, 1700);
      const prices = await good("GET /v1/prices", { product });
      assert.equal(prices.data.length, 2);
      const nobody = await customer({ source: undefined });
      const refused = await call(version, "POST /v1/subscriptions", { customer: nobody, items: [{ price_data }] });
      assert.match(refused.body.error.message, /no attached payment source/);
      assert.equal((await good("GET /v1/prices", { product })).data.length, 2, "what is refused leaves no price");
    });
    it("bill what is paid once with their first invoice, also with that of a trial", async () => {
      const product_data = { name: unique("Setup") };
      const setup = await good("POST /v1/prices", { unit_amount: 5000, currency: "usd", product_data });
      const add_invoice_items = [{ price: setup.id, quantity: 2 }];
      for (const more of [{}, { trial_period_days: 14 }]) {
        const of = await customer();
        const made = await subscribe(of, { add_invoice_items, expand: ["latest_invoice"], ...more });
        assert.equal(made.status, more.trial_period_days ? "trialing" : "active");
        const amounts = made.latest_invoice.lines.data.map(({ amount, description }) => [amount, description]);
        assert.deepEqual(amounts[0], [10000, product_data.name]);
        assert.equal(made.latest_invoice.amount_paid, more.trial_period_days ? 10000 : 11900);
      }
      const of = await customer();
      const made = await subscribe(of);
      await good(`POST /v1/subscriptions/${made.id}`, { add_invoice_items });
      const [pending] = (await good("GET /v1/invoiceitems", { customer: of, pending: true })).data;
      assert.deepEqual([pending.amount, pending.subscription, pending.price.id], [10000, made.id, setup.id]);
    });
    it("wait for their first payment when they are told to", async () => {
      const of = await customer();
      const waiting = await subscribe(of, { payment_behavior: "default_incomplete", expand: ["latest_invoice"] });
      // Source: Stripe, incomplete came with version 2019-03-14.
      assert.equal(waiting.status, version < "2019-03-14" ? "past_due" : "incomplete");
      const { id, status, attempted, payment_intent } = waiting.latest_invoice;
      assert.deepEqual([status, attempted], ["open", false]);
      assert.equal((await good(`GET /v1/payment_intents/${payment_intent}`)).amount, 1900);
      assert.equal((await good(`POST /v1/invoices/${id}/pay`)).paid, true);
      assert.equal((await good(`GET /v1/subscriptions/${waiting.id}`)).status, "active");
    });
    it("pause their collection and resume it", async () => {
      const { id } = await subscribe(await customer());
      for (const behavior of ["keep_as_draft", "mark_uncollectible", "void"]) {
        const paused = await good(`POST /v1/subscriptions/${id}`, { pause_collection: { behavior, resumes_at: 4e9 } });
        assert.deepEqual(paused.pause_collection, { behavior, resumes_at: 4e9 });
      }
      const resumed = await good(`POST /v1/subscriptions/${id}`, { pause_collection: "" });
      assert.equal(resumed.pause_collection, null);
    });
    it("are paid by a source of their own, described, and told why they end", async () => {
      const of = await customer();
      const card = await good(`POST /v1/customers/${of}/sources`, { source: "tok_mastercard" });
      const method = await good("POST /v1/payment_methods", { type: "card", card: { token: "tok_amex" } });
      await good(`POST /v1/payment_methods/${method.id}/attach`, { customer: of });
      const made = await subscribe(of, { default_source: card.id, description: "Gold" });
      assert.deepEqual([made.default_source, made.description], [card.id, "Gold"]);
      const other = await good(`POST /v1/subscriptions/${made.id}`, { default_payment_method: method.id });
      assert.equal(other.default_payment_method, method.id);
      const none = await good(`POST /v1/subscriptions/${made.id}`, { default_payment_method: "", description: "" });
      assert.deepEqual([none.default_payment_method, none.description], [null, null]);
      const ended = await good(`DELETE /v1/subscriptions/${made.id}`, {
        cancellation_details: { comment: "too dear", feedback: "too_expensive" },
      });
      assert.deepEqual(ended.cancellation_details, {
        comment: "too dear",
        feedback: "too_expensive",
        reason: "cancellation_requested",
      });
    });
    it("are put and taken back at an end of their own", async () => {
      const { id, current_period_end: end } = await subscribe(await customer());
      const ending = await good(`POST /v1/subscriptions/${id}`, { cancel_at: end + 1000 });
      assert.equal(ending.cancel_at, end + 1000);
      assert.equal((await good(`POST /v1/subscriptions/${id}`, { cancel_at: "" })).cancel_at, null);
    });
    refusals(version, "POST /v1/subscriptions", "/v1/subscriptions", [
      strange,
      ["no customer", { items: [{ plan: plan.id }] }, bad("customer", "parameter_missing")],
      ["an unknown customer", { customer: "cus_none", items: [{ plan: plan.id }] }, unknown("customer")],
    ]);
    const of = async (more) => ({ customer: await customer(), items: [{ plan: plan.id }], ...more });
    refusals(version, "POST /v1/subscriptions", "/v1/subscriptions", [
      ["no items", async () => of({ items: undefined }), bad("items", "parameter_missing")],
      ["a negative quantity", async () => of({ items: [{ plan: plan.id, quantity: -1 }] }), bad("items[0][quantity]")],
      ["a plan and a price", async () => of({ items: [{ plan: plan.id, price: plan.id }] }), { status: 400 }],
      ["a trial that is over", async () => of({ trial_end: 1 }), bad("trial_end")],
      ["both ways of a trial", async () => of({ trial_end: 4e9, trial_period_days: 3 }), bad("trial_end")],
      ["a source of somebody else", async () => of({ default_source: "card_none" }), unknown("default_source")],
      [
        "a payment method of somebody else",
        async () => of({ default_payment_method: "pm_none" }),
        unknown("default_payment_method"),
      ],
      ["days without invoices that are sent", async () => of({ days_until_due: 3 }), bad("days_until_due")],
      ["an anchor that is past", async () => of({ billing_cycle_anchor: 1 }), bad("billing_cycle_anchor")],
      ["an end that is past", async () => of({ cancel_at: 1 }), bad("cancel_at")],
      ["a behaviour that there is not", async () => of({ payment_behavior: "hope" }), bad("payment_behavior")],
      [
        "a described price without a product",
        async () => {
          const price_data = { currency: "usd", recurring: { interval: "month" }, unit_amount: 1 };
          return of({ items: [{ price_data }] });
        },
        bad("items[0][price_data][product]", "parameter_missing"),
      ],
      [
        "a described price without an amount",
        async () => {
          const { id: product } = await good("POST /v1/products", { name: "x", type: "service" });
          return of({ items: [{ price_data: { currency: "usd", recurring: { interval: "month" }, product } }] });
        },
        bad("items[0][price_data][unit_amount]", "parameter_missing"),
      ],
      [
        "what recurs among what is paid once",
        async () => of({ add_invoice_items: [{ price: plan.id }] }),
        { ...bad("add_invoice_items[0][price]"), message: /only accepts prices with `type=one_time`/ },
      ],
    ]);
    refusals(version, `POST ${one}`, async () => `/v1/subscriptions/${(await subscribe(await customer())).id}`, [
      ["a behaviour of pauses that there is not", { pause_collection: { behavior: "x" } }, { status: 400 }],
      ["a pause that ends in the past", { pause_collection: { behavior: "void", resumes_at: 1 } }, { status: 400 }],
      ["two ends", { cancel_at: 4e9, cancel_at_period_end: true }, bad("cancel_at")],
      ["an item that there is not", { items: [{ id: "si_none", quantity: 2 }] }, { status: 404 }],
      ["a date of proration outside of the period", { plan: dearer.id, proration_date: 1 }, bad("proration_date")],
      ["an anchor that is none", { billing_cycle_anchor: "soon" }, bad("billing_cycle_anchor")],
      strange,
    ]);
    for (const method of ["GET", "POST", "DELETE"])
      refusals(version, `${method} ${one}`, "/v1/subscriptions/sub_none", [
        ["an unknown subscription", {}, unknown()],
        strange,
      ]);
    refusals(version, "GET /v1/subscriptions", "/v1/subscriptions", [
      strange,
      unexpandable,
      ...paging,
      ["a status that there is not", { status: "asleep" }, bad("status")],
      ["an unknown customer", { customer: "cus_none" }, unknown("customer")],
    ]);
  });

  describe(`Changes of subscriptions of ${version}`, () => {
    const upgrade = { plan: dearer.id, proration_behavior: "always_invoice" };
    /** A subscription whose customer's card is declined from now on. */
    const declining = async () => {
      const of = await customer();
      const made = await subscribe(of);
      await good(`POST /v1/customers/${of}`, { source: "tok_chargeCustomerFail" });
      return { of, id: made.id, first: made.latest_invoice };
    };
    it("wait for their payment, are made when it comes, and dropped when its invoice is voided", async () => {
      const { of, id, first } = await declining();
      const change = { ...upgrade, payment_behavior: "pending_if_incomplete" };
      const waiting = await good(`POST /v1/subscriptions/${id}`, { ...change, expand: ["latest_invoice"] });
      assert.equal(waiting.plan.id, plan.id);
      assert.equal(waiting.latest_invoice.status, "open");
      assert.equal(waiting.pending_update.subscription_items[0].plan.id, dearer.id);
      assert.ok(waiting.pending_update.expires_at <= Math.floor(Date.now() / 1000) + 23 * 3600 + 1);
      await good(`POST /v1/invoices/${waiting.latest_invoice.id}/void`);
      const dropped = await good(`GET /v1/subscriptions/${id}`);
      assert.deepEqual([dropped.pending_update, dropped.latest_invoice, dropped.plan.id], [null, first, plan.id]);
      const again = await good(`POST /v1/subscriptions/${id}`, change);
      await good(`POST /v1/customers/${of}`, { source: "tok_visa" });
      await good(`POST /v1/invoices/${again.latest_invoice}/pay`);
      const made = await good(`GET /v1/subscriptions/${id}`);
      assert.deepEqual([made.pending_update, made.plan.id], [null, dearer.id]);
    });
    it("are refused as a whole when they must be paid and are not", async () => {
      const { id, first } = await declining();
      const change = { ...upgrade, payment_behavior: "error_if_incomplete" };
      const refused = await call(version, `POST /v1/subscriptions/${id}`, change);
      assert.deepEqual([refused.status, refused.body.error.code], [402, "card_declined"]);
      const same = await good(`GET /v1/subscriptions/${id}`);
      assert.deepEqual([same.plan.id, same.latest_invoice, same.pending_update], [plan.id, first, null]);
    });
    it("are refused so without a word of it in the first versions, and made in the later ones", async () => {
      for (const by of ["subscription", "item"]) {
        const { id, first } = await declining();
        const [item] = (await good("GET /v1/subscription_items", { subscription: id })).data;
        const path = by === "item" ? `/v1/subscription_items/${item.id}` : `/v1/subscriptions/${id}`;
        const { status, body } = await call(version, `POST ${path}`, upgrade);
        const after = await good(`GET /v1/subscriptions/${id}`);
        if (version < "2019-03-14") {
          assert.deepEqual([status, body.error.code], [402, "card_declined"]);
          assert.deepEqual([after.plan.id, after.latest_invoice, after.status], [plan.id, first, "active"]);
        } else {
          assert.deepEqual([status, after.plan.id, after.status], [200, dearer.id, "past_due"]);
        }
        // What is not for a change that waits is made, as ever.
        assert.deepEqual((await good(`POST /v1/subscriptions/${id}`, { metadata: { a: "b" } })).metadata, { a: "b" });
      }
    });
    it("leave the payment to the customer when they are to", async () => {
      const { id } = await subscribe(await customer());
      const change = { ...upgrade, payment_behavior: "default_incomplete" };
      const changed = await good(`POST /v1/subscriptions/${id}`, change);
      assert.deepEqual([changed.plan.id, changed.status], [dearer.id, "past_due"]);
      await good(`POST /v1/invoices/${changed.latest_invoice}/pay`);
      assert.equal((await good(`GET /v1/subscriptions/${id}`)).status, "active");
    });
    it("of an item may wait, too", async () => {
      const { id } = await declining();
      const [item] = (await good("GET /v1/subscription_items", { subscription: id })).data;
      const change = { quantity: 3, proration_behavior: "always_invoice", payment_behavior: "pending_if_incomplete" };
      assert.equal((await good(`POST /v1/subscription_items/${item.id}`, change)).quantity, 1);
      assert.equal((await good(`GET /v1/subscriptions/${id}`)).pending_update.subscription_items[0].quantity, 3);
    });
    it("tell how often pending items are billed, and what a trial's end brings", async () => {
      const made = await subscribe(await customer(), {
        pending_invoice_item_interval: { interval: "week" },
        backdate_start_date: Math.floor(Date.now() / 1000) - 86400,
        trial_settings: { end_behavior: { missing_payment_method: "cancel" } },
        expand: ["latest_invoice"],
      });
      assert.deepEqual(made.pending_invoice_item_interval, { interval: "week", interval_count: 1 });
      assert.equal(made.next_pending_invoice_item_invoice, made.current_period_start + 7 * 86400);
      assert.ok(made.start_date < made.created);
      assert.deepEqual(
        made.latest_invoice.lines.data.map(({ proration }) => proration),
        [true, false],
      );
      assert.equal(made.trial_settings.end_behavior.missing_payment_method, "cancel");
      const ended = await good(`POST /v1/subscriptions/${made.id}`, { pending_invoice_item_interval: "" });
      assert.equal(ended.pending_invoice_item_interval, null);
    });
    it("resume what a trial's end has paused", async () => {
      const clock = await newClock();
      const { id: of } = await good("POST /v1/customers", { test_clock: clock.id });
      const trial_settings = { end_behavior: { missing_payment_method: "pause" } };
      const { id } = await subscribe(of, { trial_period_days: 7, trial_settings });
      await advance(clock, start + 8 * 86400);
      const paused = await good(`GET /v1/subscriptions/${id}`);
      assert.equal(paused.status, version < "2022-11-15" ? "unpaid" : "paused");
      await good(`POST /v1/customers/${of}`, { source: "tok_visa" });
      const resumed = await good(`POST /v1/subscriptions/${id}/resume`, { billing_cycle_anchor: "now" });
      assert.equal(resumed.status, "active");
      assert.equal(resumed.current_period_start, start + 8 * 86400);
    });
    refusals(version, "POST /v1/subscriptions/{subscription}/resume", "/v1/subscriptions/sub_none/resume", [
      ["an unknown one", {}, unknown()],
      strange,
      ["an anchor that there is not", { billing_cycle_anchor: "then" }, bad("billing_cycle_anchor")],
      [
        "one that is not paused",
        {},
        impossible(/paused/),
        async () => `/v1/subscriptions/${(await subscribe(await customer())).id}/resume`,
      ],
    ]);
  });

  describe(`Tax IDs of ${version}`, () => {
    it("are added, read, listed and taken away, and stand on invoices", async () => {
      const tax_id_data = [{ type: "eu_vat", value: "DE123456789" }];
      const of = await customer({ tax_id_data, expand: ["tax_ids"] });
      const ids = [(await good(`GET /v1/customers/${of}/tax_ids`)).data[0].id];
      for (const value of ["12-3456789", "98-7654321"])
        ids.unshift((await good(`POST /v1/customers/${of}/tax_ids`, { type: "us_ein", value })).id);
      await walks(good, `GET /v1/customers/${of}/tax_ids`, ids);
      const first = await good(`GET /v1/customers/${of}/tax_ids/${ids[2]}`);
      assert.deepEqual([first.country, first.type, first.value], ["DE", "eu_vat", "DE123456789"]);
      assert.equal((await good(`DELETE /v1/customers/${of}/tax_ids/${ids[0]}`)).deleted, true);
      const invoice = await open(of);
      assert.deepEqual(invoice.customer_tax_ids, [...tax_id_data, { type: "us_ein", value: "12-3456789" }]);
    });
    const below = async () => `/v1/customers/${await customer()}/tax_ids`;
    const nothing = async () => `${await below()}/txi_none`;
    refusals(version, "POST /v1/customers/{customer}/tax_ids", "/v1/customers/cus_none/tax_ids", [
      ["an unknown customer", { type: "us_ein", value: "1" }, unknown("customer")],
      ["no type", { value: "1" }, bad("type", "parameter_missing"), below],
      ["a type that there is not", { type: "moon", value: "1" }, bad("type"), below],
      ["no value", { type: "us_ein" }, bad("value", "parameter_missing"), below],
      strange,
    ]);
    refusals(version, "GET /v1/customers/{customer}/tax_ids", "", [strange, ...paging].map((each) => [...each, below]));
    for (const method of ["GET", "DELETE"])
      refusals(version, `${method} /v1/customers/{customer}/tax_ids/{id}`, "", [
        ["an unknown one", {}, unknown(), nothing],
      ]);
  });

  describe(`Items of subscriptions of ${version}`, () => {
    const all = "/v1/subscription_items";
    it("are added, read, changed, listed and removed", async () => {
      const { id: subscription } = await subscribe(await customer());
      const ids = [(await good(`GET ${all}`, { subscription })).data[0].id];
      for (const quantity of [2, 3]) {
        const other = await monthlyPlan();
        ids.push((await good(`POST ${all}`, { subscription, plan: other.id, quantity, metadata: { a: "b" } })).id);
      }
      await walks(good, `GET ${all}`, ids, { subscription });
      const change = { quantity: 5, proration_behavior: "none", metadata: { a: "" } };
      const changed = await good(`POST ${all}/${ids[1]}`, change);
      assert.deepEqual([changed.quantity, changed.metadata], [5, {}]);
      assert.equal((await good(`GET ${all}/${ids[1]}`)).quantity, 5);
      const deleted = await good(`DELETE ${all}/${ids[1]}`);
      assert.deepEqual(deleted, { id: ids[1], object: "subscription_item", deleted: true });
    });
    const subscription = async () => (await subscribe(await customer())).id;
    refusals(version, `POST ${all}`, all, [
      strange,
      ["no subscription", { plan: plan.id }, bad("subscription", "parameter_missing")],
      ["an unknown subscription", { plan: plan.id, subscription: "sub_none" }, unknown("subscription")],
      ["no plan", async () => ({ subscription: await subscription() }), { status: 400 }],
      ["an unknown plan", async () => ({ subscription: await subscription(), plan: "none" }), { status: 404 }],
    ]);
    for (const method of ["GET", "POST", "DELETE"])
      refusals(version, `${method} ${all}/{item}`, `${all}/si_none`, [["an unknown item", {}, unknown()], strange]);
    refusals(version, `DELETE ${all}/{item}`, async () => {
      const { items } = await subscribe(await customer());
      return `${all}/${items.data[0].id}`;
    }, [["the last item", {}, { status: 400 }]]);
    refusals(version, `GET ${all}`, async () => all, [
      ["no subscription", {}, bad("subscription", "parameter_missing")],
      ["an unknown subscription", { subscription: "sub_none" }, unknown("subscription")],
    ]);
  });

  describe(`Invoice items of ${version}`, () => {
    const all = "/v1/invoiceitems";
    it("are made, read, changed, listed and deleted", async () => {
      const of = await customer();
      const ids = [];
      for (let i = 0; i < 3; ++i) ids.unshift((await item(of, { description: `Nr. ${i}` })).id);
      await walks(good, `GET ${all}`, ids, { customer: of });
      const changed = await good(`POST ${all}/${ids[0]}`, { amount: 700, description: "other", metadata: { a: "b" } });
      assert.deepEqual([changed.amount, changed.description, changed.metadata], [700, "other", { a: "b" }]);
      assert.equal((await good(`GET ${all}/${ids[0]}`, { expand: ["customer"] })).customer.id, of);
      assert.deepEqual(await good(`DELETE ${all}/${ids[0]}`), { id: ids[0], object: "invoiceitem", deleted: true });
    });
    it("have the price that they name or describe", async () => {
      const of = await customer();
      const product_data = { name: unique("Setup") };
      const price = await good("POST /v1/prices", { unit_amount: 250, currency: "usd", product_data });
      const priced = await item(of, { amount: undefined, currency: undefined, price: price.id, quantity: 3 });
      assert.deepEqual([priced.amount, priced.quantity, priced.price.id, priced.description], [
        750,
        3,
        price.id,
        product_data.name,
      ]);
      const price_data = { currency: "usd", product: price.product, unit_amount_decimal: "12.5" };
      const described = await item(of, { amount: undefined, currency: undefined, price_data, quantity: 3 });
      assert.deepEqual([described.amount, described.price.unit_amount_decimal], [38, "12.5"]);
      assert.deepEqual(await good(`GET /v1/prices/${described.price.id}`), described.price);
      const changed = await good(`POST ${all}/${described.id}`, { price: price.id, quantity: 1 });
      assert.deepEqual([changed.amount, changed.price.id], [250, price.id]);
    });
    it("have discounts of their own, before the invoice's", async () => {
      const of = await customer();
      await subscribe(of);
      const coupon = async (more) => (await good("POST /v1/coupons", { duration: "once", ...more })).id;
      const tenth = await coupon({ percent_off: 10 });
      const less = await coupon({ amount_off: 100, currency: "usd" });
      const made = await item(of, { discounts: [{ coupon: tenth }, { coupon: less }], expand: ["discounts"] });
      assert.deepEqual(made.discounts.map((each) => each.coupon.id), [tenth, less]);
      assert.equal((await good(`GET /v1/coupons/${tenth}`)).times_redeemed, 1);
      const half = { discounts: [{ coupon: await coupon({ percent_off: 50 }) }] };
      const told = await good("GET /v1/invoices/upcoming", { customer: of, ...half });
      const bill = await draft(of, { ...half, expand: ["discounts", "lines.data.discounts"] });
      // Of 1000, then of 900 and of 800; the customer's other item of 1000 has its half.
      const line = bill.lines.data.find(({ invoice_item: id }) => id === made.id);
      assert.deepEqual(line.discount_amounts.map(({ amount }) => amount), [100, 100, 400]);
      assert.deepEqual(line.discounts.map((each) => each.coupon.id), [tenth, less]);
      assert.deepEqual(bill.total_discount_amounts.map(({ amount }) => amount).toSorted(), [100, 100, 900]);
      assert.deepEqual([bill.total, told.total], [900, (800 + plan.amount) / 2]);
      const kept = { discounts: [{ discount: line.discounts[1].id }] };
      const changed = await good(`POST ${all}/${made.id}`, kept);
      assert.deepEqual(changed.discounts, [line.discounts[1].id]);
      assert.equal((await good(`GET /v1/invoices/${bill.id}`)).total, 950);
      await good(`POST ${all}/${made.id}`, { discounts: "" });
      assert.equal((await good(`GET /v1/invoices/${bill.id}`)).total, 1000);
    });
    it("are added to a draft that rests, also with a price that is described", async () => {
      const of = await customer();
      const rests = { auto_advance: false, collection_method: "send_invoice", days_until_due: 30 };
      const { id } = await draft(of, rests);
      const price_data = { currency: "usd", product: plan.product, unit_amount: 250 };
      const more = { amount: undefined, currency: undefined, invoice: id, price_data };
      const { id: added } = await item(of, { ...more, quantity: 2 });
      assert.equal((await good(`GET /v1/invoices/${id}`)).total, 1500);
      await good(`POST ${all}/${added}`, { price_data: { ...price_data, unit_amount: 300 } });
      assert.equal((await good(`GET /v1/invoices/${id}`)).total, 1600);
      const other = await customer();
      const { status, body } = await call(version, `POST ${all}`, { customer: other, invoice: id, price_data });
      assert.deepEqual([status, body.error.param], [404, "invoice"]);
    });
    refusals(version, `POST ${all}`, all, [
      strange,
      [
        "an unknown coupon",
        async () => ({ customer: await customer(), amount: 1, currency: "usd", discounts: [{ coupon: "none" }] }),
        unknown("discounts"),
      ],
      [
        "a discount of two origins",
        async () => ({
          customer: await customer(),
          amount: 1,
          currency: "usd",
          discounts: [{ coupon: "a", promotion_code: "b" }],
        }),
        bad("discounts"),
      ],
      [
        "a discount of another object",
        async () => ({ customer: await customer(), amount: 1, currency: "usd", discounts: [{ discount: "di_x" }] }),
        unknown("discounts"),
      ],
      [
        "a discount of a credit",
        async () => ({
          customer: await customer(),
          amount: -1,
          currency: "usd",
          discounts: [{ coupon: (await good("POST /v1/coupons", { percent_off: 5, duration: "once" })).id }],
        }),
        bad("discounts"),
      ],
      ["no customer", { amount: 1, currency: "usd" }, bad("customer", "parameter_missing")],
      ["an unknown customer", { customer: "cus_none", amount: 1, currency: "usd" }, unknown("customer")],
      ["no amount", async () => ({ customer: await customer() }), bad("amount", "parameter_missing")],
      ["no currency", async () => ({ customer: await customer(), amount: 1 }), bad("currency", "parameter_missing")],
      [
        "an amount and a price",
        async () => ({ customer: await customer(), amount: 1, price: "price_none" }),
        bad("amount"),
      ],
      ["an unknown price", async () => ({ customer: await customer(), price: "price_none" }), unknown("price")],
      ["a price that recurs", async () => ({ customer: await customer(), price: plan.id }), bad("price")],
      [
        "an unknown subscription",
        async () => ({ customer: await customer(), amount: 1, currency: "usd", subscription: "sub_none" }),
        unknown("subscription"),
      ],
      [
        "a period that ends before it begins",
        async () => ({ customer: await customer(), amount: 1, currency: "usd", period: { start: 9, end: 8 } }),
        bad("period"),
      ],
    ]);
    for (const method of ["GET", "POST", "DELETE"])
      refusals(version, `${method} ${all}/{invoiceitem}`, `${all}/ii_none`, [
        ["an unknown item", {}, unknown()],
        strange,
      ]);
    refusals(version, `GET ${all}`, all, [
      strange,
      unexpandable,
      ...paging,
      ["an unknown customer", { customer: "cus_none" }, unknown("customer")],
      ["an unknown invoice", { invoice: "in_none" }, unknown("invoice")],
    ]);
  });

  describe(`What stands on invoices of ${version}`, () => {
    it("is the customer's, or their own", async () => {
      const custom_fields = [{ name: "PO", value: "77" }];
      const of = await customer({ invoice_settings: { footer: "Thank you.", custom_fields } });
      const { invoice_settings } = await good(`GET /v1/customers/${of}`);
      assert.deepEqual([invoice_settings.footer, invoice_settings.custom_fields], ["Thank you.", custom_fields]);
      const plain = await draft(of);
      assert.deepEqual([plain.footer, plain.custom_fields], ["Thank you.", custom_fields]);
      const own = await draft(of, { footer: "Net 30", custom_fields: "", statement_descriptor: "ADA" });
      assert.deepEqual([own.footer, own.custom_fields, own.statement_descriptor], ["Net 30", null, "ADA"]);
      const changed = await good(`POST /v1/invoices/${own.id}`, { footer: "" });
      assert.equal(changed.footer, null);
    });
    it("is reduced by their own discount", async () => {
      const { id: coupon } = await good("POST /v1/coupons", { id: unique("c"), percent_off: 25, duration: "forever" });
      const of = await customer({ coupon });
      assert.equal((await draft(of)).total, 750);
      const without = await draft(of, { discounts: "" });
      assert.deepEqual([without.total, without.discount], [1000, null]);
      const { id: other } = await good("POST /v1/coupons", { amount_off: 1, currency: "usd", duration: "once" });
      const changed = await good(`POST /v1/invoices/${without.id}`, { discounts: [{ coupon: other }] });
      assert.deepEqual([changed.total, changed.discount.coupon.id], [999, other]);
    });
    refusals(version, "POST /v1/invoices", "/v1/invoices", [
      [
        "five custom fields",
        async () => ({ customer: await customer(), custom_fields: Array(5).fill({ name: "a", value: "b" }) }),
        bad("custom_fields"),
      ],
      [
        "a descriptor without a letter",
        async () => ({ customer: await customer(), statement_descriptor: "123" }),
        bad("statement_descriptor"),
      ],
      [
        "two discounts",
        async () => ({ customer: await customer(), discounts: [{ coupon: "a" }, { coupon: "b" }] }),
        bad("discounts"),
      ],
    ]);
  });

  describe(`Invoices of ${version}`, () => {
    it("are drawn up, read, changed, listed and deleted", async () => {
      const of = await customer();
      const ids = [];
      for (let i = 0; i < 3; ++i) ids.unshift((await draft(of, { description: `Nr. ${i}` })).id);
      await walks(good, "GET /v1/invoices", ids, { customer: of });
      assert.equal((await good("GET /v1/invoices", { customer: of, status: "paid" })).data.length, 0);
      const changed = await good(`POST /v1/invoices/${ids[0]}`, { description: "other", metadata: { a: "b" } });
      assert.deepEqual([changed.description, changed.metadata], ["other", { a: "b" }]);
      assert.equal((await good(`GET /v1/invoices/${ids[0]}`, { expand: ["customer"] })).customer.id, of);
      assert.deepEqual(await good(`DELETE /v1/invoices/${ids[0]}`), { id: ids[0], object: "invoice", deleted: true });
    });
    it("are finalized and paid, once", async () => {
      const { id } = await open(await customer());
      const paid = await good(`POST /v1/invoices/${id}/pay`);
      assert.deepEqual([paid.status, paid.paid, paid.amount_paid], ["paid", true, 1000]);
      assert.match(paid.number, /-0001$/);
      const again = await call(version, `POST /v1/invoices/${id}/pay`);
      assert.equal(again.status, 400);
    });
    it("are sent, voided and given up", async () => {
      const of = await customer();
      const sent = await draft(of, { collection_method: "send_invoice", days_until_due: 10 });
      assert.equal((await good(`POST /v1/invoices/${sent.id}/send`)).status, "open");
      assert.equal((await good(`POST /v1/invoices/${sent.id}/void`)).status, "void");
      const other = await open(of);
      assert.equal((await good(`POST /v1/invoices/${other.id}/mark_uncollectible`)).status, "uncollectible");
    });
    it("are closed, opened again and forgiven, as the first versions say", async () => {
      const { id } = await open(await customer());
      assert.equal((await good(`POST /v1/invoices/${id}`, { closed: true })).closed, true);
      assert.equal((await good(`POST /v1/invoices/${id}`, { forgiven: true })).forgiven, true);
      const other = await draft(await customer(), { auto_advance: false });
      assert.equal(other.closed, true);
      assert.equal((await good(`POST /v1/invoices/${other.id}`, { closed: false })).closed, false);
    });
    it("page through their lines", async () => {
      const of = await customer();
      for (let i = 0; i < 2; ++i) await item(of);
      const { id } = await draft(of);
      const lines = await good(`GET /v1/invoices/${id}/lines`);
      assert.equal(lines.data.length, 3);
      await walks(good, `GET /v1/invoices/${id}/lines`, lines.data.map((line) => line.id));
    });
    it("are told before they are drawn up", async () => {
      const of = await customer();
      const { id, items } = await subscribe(of);
      await item(of);
      const upcoming = await good("GET /v1/invoices/upcoming", { customer: of });
      assert.deepEqual([upcoming.total, "id" in upcoming], [2900, false]);
      const changed = await good("GET /v1/invoices/upcoming", {
        subscription: id,
        subscription_items: [{ id: items.data[0].id, plan: dearer.id }],
        subscription_proration_behavior: "none",
        invoice_items: [{ amount: 100, currency: "usd", description: "tried out" }],
      });
      assert.equal(changed.total, 2900 + 1000 + 100);
      const lines = await good("GET /v1/invoices/upcoming/lines", { customer: of, limit: 1 });
      assert.deepEqual([lines.data.length, lines.has_more], [1, true]);
    });
    refusals(version, "POST /v1/invoices", "/v1/invoices", [
      strange,
      ["no customer", {}, bad("customer", "parameter_missing")],
      ["an unknown customer", { customer: "cus_none" }, unknown("customer")],
      [
        "nothing to be billed",
        async () => ({ customer: await customer(), pending_invoice_items_behavior: "include_and_require" }),
        impossible(/Nothing to invoice/),
      ],
      [
        "no days for an invoice that is sent",
        async () => {
          const of = await customer();
          await item(of);
          return { customer: of, collection_method: "send_invoice", pending_invoice_items_behavior: "include" };
        },
        { status: 400 },
      ],
    ]);
    refusals(version, "GET /v1/invoices", "/v1/invoices", [
      strange,
      unexpandable,
      ...paging,
      ["a status that there is not", { status: "lost" }, bad("status")],
      ["an unknown customer", { customer: "cus_none" }, unknown("customer")],
    ]);
    for (const [method, what] of [
      ["GET", ""],
      ["POST", ""],
      ["DELETE", ""],
      ["GET", "/lines"],
      ...["finalize", "pay", "send", "void", "mark_uncollectible"].map((act) => ["POST", `/${act}`]),
    ])
      refusals(version, `${method} /v1/invoices/{invoice}${what}`, `/v1/invoices/in_none${what}`, [
        ["an unknown invoice", {}, unknown()],
        strange,
      ]);
    const paid = (what) => async () => {
      const { id } = await open(await customer());
      await good(`POST /v1/invoices/${id}/pay`);
      return `/v1/invoices/${id}${what}`;
    };
    for (const act of ["finalize", "pay", "void", "mark_uncollectible"])
      refusals(version, `POST /v1/invoices/{invoice}/${act}`, paid(`/${act}`), [
        ["an invoice that is paid", {}, impossible()],
      ]);
    refusals(version, "DELETE /v1/invoices/{invoice}", paid(""), [["an invoice that is paid", {}, impossible()]]);
    for (const what of ["", "/lines"])
      refusals(version, `GET /v1/invoices/upcoming${what}`, `/v1/invoices/upcoming${what}`, [
        strange,
        ["nobody", {}, bad("customer", "parameter_missing")],
        ["an unknown customer", { customer: "cus_none" }, unknown("customer")],
        ["an unknown subscription", { subscription: "sub_none" }, unknown("subscription")],
        ["a customer to whom nothing is coming", async () => ({ customer: await customer() }), { status: 404 }],
      ]);
  });

  describe(`Charges and refunds of ${version}`, () => {
    it("are read, listed, described and given back", async () => {
      const { id, customer: of } = await charge();
      assert.deepEqual((await good("GET /v1/charges", { customer: of })).data.map((each) => each.id), [id]);
      const described = await good(`POST /v1/charges/${id}`, { description: "d", metadata: { a: "b" } });
      assert.deepEqual([described.description, described.metadata], ["d", { a: "b" }]);
      const first = await good("POST /v1/refunds", { charge: id, amount: 100, reason: "duplicate" });
      assert.deepEqual([first.amount, first.reason, first.status], [100, "duplicate", "succeeded"]);
      const second = await good(`POST /v1/charges/${id}/refunds`, { amount: 200 });
      assert.equal((await good(`GET /v1/refunds/${first.id}`, { expand: ["charge"] })).charge.amount_refunded, 300);
      assert.equal((await good(`GET /v1/charges/${id}/refunds/${second.id}`)).amount, 200);
      assert.deepEqual((await good(`POST /v1/refunds/${first.id}`, { metadata: { a: "b" } })).metadata, { a: "b" });
      const below = await good(`POST /v1/charges/${id}/refunds/${second.id}`, { metadata: { c: "d" } });
      assert.deepEqual(below.metadata, { c: "d" });
      const whole = await good(`POST /v1/charges/${id}/refund`, { amount: 1600 });
      assert.deepEqual([whole.object, whole.refunded], ["charge", true]);
      const ids = whole.refunds.data.map((each) => each.id);
      await walks(good, "GET /v1/refunds", ids, { charge: id });
      await walks(good, `GET /v1/charges/${id}/refunds`, ids);
      const newest = await good("GET /v1/refunds", { limit: 100 });
      assert.ok(ids.every((each) => newest.data.some((refund) => refund.id === each)));
      const newer = await good("GET /v1/refunds", { ending_before: ids[2], limit: 100 });
      assert.ok(newer.data.some((refund) => refund.id === ids[0]));
    });
    it("are made by themselves, too", async () => {
      const of = await customer();
      const made = await good("POST /v1/charges", { customer: of, amount: 700, currency: "usd", description: "d" });
      assert.deepEqual([made.amount, made.paid, made.description, made.invoice], [700, true, "d", null]);
      assert.equal((await good(`GET /v1/charges/${made.id}`)).customer, of);
    });
    refusals(version, "POST /v1/charges", "/v1/charges", [
      strange,
      ["nobody", { amount: 1, currency: "usd" }, bad("customer", "parameter_missing")],
      ["an unknown customer", { customer: "cus_none", amount: 100, currency: "usd" }, unknown("customer")],
      [
        "a card that is declined",
        async () => {
          const of = await customer({ source: "tok_chargeCustomerFail" });
          return { customer: of, amount: 700, currency: "usd" };
        },
        { status: 402, type: "card_error" },
      ],
    ]);
    refusals(version, "POST /v1/refunds", "/v1/refunds", [
      strange,
      ["no charge", {}, bad("charge", "parameter_missing")],
      ["an unknown charge", { charge: "ch_none" }, unknown("charge")],
      ["more than there is", async () => ({ charge: (await charge()).id, amount: 5000 }), bad("amount")],
      ["a reason that there is not", async () => ({ charge: (await charge()).id, reason: "mood" }), bad("reason")],
    ]);
    for (const method of ["GET", "POST"]) {
      refusals(version, `${method} /v1/refunds/{refund}`, "/v1/refunds/re_none", [
        ["an unknown refund", {}, unknown()],
        strange,
      ]);
      refusals(version, `${method} /v1/charges/{charge}`, "/v1/charges/ch_none", [
        ["an unknown charge", {}, unknown()],
        strange,
      ]);
    }
    for (const path of ["/v1/charges", "/v1/refunds"])
      refusals(version, `GET ${path}`, path, [strange, unexpandable, ...paging]);
  });

  describe(`PaymentIntents and SetupIntents of ${version}`, () => {
    it("are made by themselves, and confirmed", async () => {
      const of = await customer();
      const [{ id: payment_method }] = (await good("GET /v1/payment_methods", { customer: of, type: "card" })).data;
      const wanted = { customer: of, amount: 700, currency: "usd", payment_method, confirm: true };
      const made = await good("POST /v1/payment_intents", wanted);
      assert.deepEqual([made.amount, made.status], [700, "succeeded"]);
      assert.equal((await good(`GET /v1/payment_intents/${made.id}`)).customer, of);
      const again = await call(version, `POST /v1/payment_intents/${made.id}/confirm`);
      assert.equal(again.status, 400);
      const { data: charges } = await good("GET /v1/charges", { payment_intent: made.id });
      assert.deepEqual(charges.map(({ amount, paid }) => [amount, paid]), [[700, true]]);
      assert.deepEqual((await good("GET /v1/charges", { payment_intent: "pi_none" })).data, []);
    });
    it("are made and confirmed in the words of 2018", async () => {
      const of = await customer();
      const { default_source: source } = await good(`GET /v1/customers/${of}`);
      const amount = { amount: 700, currency: "usd", allowed_source_types: ["card"] };
      const wanted = { customer: of, source, attempt_confirmation: true, ...amount };
      assert.equal((await good("POST /v1/payment_intents", wanted)).status, "succeeded");
    });
    refusals(version, "POST /v1/payment_intents", "/v1/payment_intents", [
      strange,
      [
        "a kind of source that there is not",
        { customer: "cus_none", amount: 100, currency: "usd", allowed_source_types: ["shell"] },
        bad("allowed_source_types"),
      ],
      ["nobody", { amount: 1, currency: "usd" }, bad("customer", "parameter_missing")],
      ["an unknown customer", { customer: "cus_none", amount: 100, currency: "usd" }, unknown("customer")],
    ]);
    it("are listed by whom they are for", async () => {
      const of = await customer();
      const ids = [];
      for (let i = 0; i < 3; ++i) ids.unshift((await good("POST /v1/setup_intents", { customer: of })).id);
      await walks(good, "GET /v1/setup_intents", ids, { customer: of });
      const card = { token: "tok_visa" };
      const { id: payment_method } = await good("POST /v1/payment_methods", { type: "card", card });
      const { id } = await good("POST /v1/setup_intents", { customer: of, payment_method, confirm: true });
      assert.deepEqual((await good("GET /v1/setup_intents", { payment_method })).data.map((each) => each.id), [id]);
      assert.deepEqual((await good("GET /v1/setup_intents", { customer: of, created: { gt: 4e9 } })).data, []);
      const method = await good(`GET /v1/customers/${of}/payment_methods/${payment_method}`);
      assert.equal(method.customer, of);
    });
    refusals(version, "GET /v1/setup_intents", "/v1/setup_intents", [strange, unexpandable, ...paging]);
  });

  describe(`Events of ${version}`, () => {
    it("are delivered again when somebody asks for it", async () => {
      // Of a type that no other test waits for.
      const type = "customer.deleted";
      const url = `https://example.com/${version}`;
      const endpoint = await good("POST /v1/webhook_endpoints", { url, enabled_events: [type] });
      await good(`DELETE /v1/customers/${await customer()}`);
      const [{ id }] = (await good("GET /v1/events", { type, limit: 1 })).data;
      assert.equal((await good(`POST /v1/events/${id}/retry`)).id, id);
      await good(`DELETE /v1/webhook_endpoints/${endpoint.id}`);
    });
  });
}
