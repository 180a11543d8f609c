// Credit notes, a customer's balance and subscription schedules, operation by operation in the words of the versions,
// and by the newest client through time.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { advance, later, monthlyPlan, newClock, start, stripe, unique } from "./clients.mjs";
import { descriptions } from "./descriptions.mjs";
import { asking, bad, impossible, paging, refusals, strange, unexpandable, unknown, walks } from "./operations.mjs";

const plan = await monthlyPlan();
const dearer = await monthlyPlan(stripe, { amount: 2900 });

for (const { version } of descriptions) {
  const good = asking(version);
  const customer = async (more = {}) => (await good("POST /v1/customers", { source: "tok_visa", ...more })).id;
  /** An open invoice over 10.00 and 20.00, or a paid one. */
  const invoice = async ({ paid = false } = {}) => {
    const of = await customer();
    for (const amount of [1000, 2000])
      await good("POST /v1/invoiceitems", { customer: of, amount, currency: "usd", description: `of ${amount}` });
    const { id } = await good("POST /v1/invoices", {
      customer: of,
      auto_advance: false,
      pending_invoice_items_behavior: "include",
    });
    await good(`POST /v1/invoices/${id}/finalize`);
    return paid ? good(`POST /v1/invoices/${id}/pay`) : good(`GET /v1/invoices/${id}`);
  };

  describe(`Credit notes of ${version}`, () => {
    const all = "/v1/credit_notes";
    it("take back part of an invoice before it is paid, and are voided", async () => {
      const { id, lines, customer: of } = await invoice();
      const line = lines.data.find(({ amount }) => amount === 2000);
      const parts = [{ type: "invoice_line_item", invoice_line_item: line.id, amount: 500 }];
      const tried = await good(`GET ${all}/preview`, { invoice: id, lines: parts });
      assert.deepEqual([tried.amount, tried.status, tried.type], [500, "issued", "pre_payment"]);
      const shown = await good(`GET ${all}/preview/lines`, { invoice: id, lines: parts });
      assert.deepEqual(shown.data.map((each) => each.amount), [500]);
      assert.equal((await good(`GET ${all}`, { invoice: id })).data.length, 0, "nothing is kept of what is tried out");
      const made = await good(`POST ${all}`, { invoice: id, lines: parts, memo: "sorry", reason: "order_change" });
      assert.deepEqual([made.amount, made.memo, made.reason, made.customer], [500, "sorry", "order_change", of]);
      assert.equal((await good(`GET /v1/invoices/${id}`)).amount_due, 2500);
      const changed = await good(`POST ${all}/${made.id}`, { memo: "very sorry", metadata: { a: "b" } });
      assert.deepEqual([changed.memo, changed.metadata], ["very sorry", { a: "b" }]);
      assert.deepEqual(await good(`GET ${all}/${made.id}`), changed);
      assert.equal((await good(`GET ${all}/${made.id}`, { expand: ["invoice"] })).invoice.id, id);
      assert.equal((await good(`POST ${all}/${made.id}/void`)).status, "void");
      assert.equal((await good(`GET /v1/invoices/${id}`)).amount_due, 3000);
    });
    it("keep the share of each discount that the line had", async () => {
      const { id: of } = await good("POST /v1/customers", { source: "tok_visa" });
      const coupon = async (percent_off) =>
        (await good("POST /v1/coupons", { id: unique("c"), percent_off, duration: "once" })).id;
      await good("POST /v1/invoiceitems", {
        customer: of,
        amount: 1000,
        currency: "usd",
        discounts: [{ coupon: await coupon(10) }],
      });
      const include = { pending_invoice_items_behavior: "include", auto_advance: false };
      const drawn = await good("POST /v1/invoices", { customer: of, ...include });
      await good(`POST /v1/invoices/${drawn.id}`, { discounts: [{ coupon: await coupon(50) }] });
      const open = await good(`POST /v1/invoices/${drawn.id}/finalize`);
      assert.equal(open.total, 450);
      const [line] = open.lines.data;
      const parts = [{ type: "invoice_line_item", invoice_line_item: line.id, amount: 500 }];
      const note = await good(`POST ${all}`, { invoice: open.id, lines: parts });
      assert.deepEqual([note.amount, note.discount_amount], [225, 275]);
      const shares = line.discount_amounts.map(({ discount }, place) => ({ amount: [50, 225][place], discount }));
      assert.deepEqual(note.discount_amounts, shares);
      assert.deepEqual(note.lines.data[0].discount_amounts, shares);
      const rest = await good(`POST ${all}`, { invoice: open.id, lines: parts });
      assert.deepEqual(rest.discount_amounts.map(({ amount }) => amount), [50, 225]);
    });
    it("give money back after it was paid: to the card, to the balance, or otherwise", async () => {
      const { id, customer: of } = await invoice({ paid: true });
      const made = await good(`POST ${all}`, {
        invoice: id,
        amount: 600,
        refund_amount: 300,
        credit_amount: 200,
        out_of_band_amount: 100,
      });
      assert.deepEqual([made.type, made.out_of_band_amount], ["post_payment", 100]);
      const whole = await good(`GET ${all}/${made.id}`, { expand: ["refund", "customer_balance_transaction"] });
      assert.equal(whole.refund.amount, 300);
      assert.equal(whole.customer_balance_transaction.amount, -200);
      assert.equal((await good(`GET /v1/customers/${of}`)).balance, -200);
      const [transaction] = (await good(`GET /v1/customers/${of}/balance_transactions`)).data;
      assert.deepEqual([transaction.credit_note, transaction.type], [made.id, "credit_note"]);
    });
    it("are listed by invoice, by customer and altogether, and their lines as well", async () => {
      const { id, customer: of } = await invoice();
      const ids = [];
      for (const unit_amount of [100, 200, 300]) {
        const line = { type: "custom_line_item", description: "d", unit_amount };
        const lines = [1, 2].map((quantity) => ({ ...line, quantity }));
        ids.unshift((await good(`POST ${all}`, { invoice: id, lines })).id);
      }
      await walks(good, `GET ${all}`, ids, { invoice: id });
      await walks(good, `GET ${all}`, ids, { customer: of });
      const newest = await good(`GET ${all}`, { limit: 100 });
      assert.ok(ids.every((each) => newest.data.some((note) => note.id === each)));
      const lines = await good(`GET ${all}/${ids[0]}/lines`, { limit: 1 });
      assert.deepEqual([lines.data.length, lines.has_more, lines.data[0].amount], [1, true, 300]);
    });
    refusals(version, `POST ${all}`, all, [
      strange,
      ["no invoice", { amount: 1 }, bad("invoice", "parameter_missing")],
      ["an unknown invoice", { invoice: "in_none", amount: 1 }, unknown("invoice")],
      ["neither an amount nor lines", async () => ({ invoice: (await invoice()).id }), { status: 400 }],
      ["more than is due", async () => ({ invoice: (await invoice()).id, amount: 3001 }), bad("amount")],
      [
        "a refund before there is a payment",
        async () => ({ invoice: (await invoice()).id, amount: 1, refund_amount: 1 }),
        bad("refund_amount"),
      ],
      [
        "parts that are not the whole",
        async () => ({ invoice: (await invoice({ paid: true })).id, amount: 100, refund_amount: 50 }),
        bad("amount"),
      ],
      [
        "an unknown line",
        async () => ({
          invoice: (await invoice()).id,
          lines: [{ type: "invoice_line_item", invoice_line_item: "il_none", amount: 1 }],
        }),
        { status: 404 },
      ],
      [
        "a line of the invoice without its name",
        async () => ({ invoice: (await invoice()).id, lines: [{ type: "invoice_line_item", amount: 1 }] }),
        bad("lines[0][invoice_line_item]", "parameter_missing"),
      ],
      [
        "a line of its own words with an amount",
        async () => ({ invoice: (await invoice()).id, lines: [{ type: "custom_line_item", amount: 1 }] }),
        bad("lines[0][amount]"),
      ],
      [
        "a reason that there is not",
        async () => ({ invoice: (await invoice()).id, amount: 1, reason: "x" }),
        bad("reason"),
      ],
    ]);
    for (const what of ["", "/lines"])
      refusals(version, `GET ${all}/preview${what}`, `${all}/preview${what}`, [
        ["no invoice", { amount: 1 }, bad("invoice", "parameter_missing")],
        ["more than is due", async () => ({ invoice: (await invoice()).id, amount: 3001 }), bad("amount")],
      ]);
    for (const [method, what] of [["GET", ""], ["POST", ""], ["POST", "/void"], ["GET", "/lines"]])
      refusals(version, `${method} ${all}/{id}${what}`, `${all}/cn_none${what}`, [
        ["an unknown credit note", {}, unknown()],
        strange,
      ]);
    refusals(version, `POST ${all}/{id}/void`, async () => {
      const { id } = await invoice({ paid: true });
      const note = await good(`POST ${all}`, { invoice: id, amount: 100, out_of_band_amount: 100 });
      return `${all}/${note.id}/void`;
    }, [["one of an invoice that is paid", {}, impossible()]]);
    refusals(version, `GET ${all}`, all, [
      strange,
      unexpandable,
      ...paging,
      ["an unknown invoice", { invoice: "in_none" }, unknown("invoice")],
      ["an unknown customer", { customer: "cus_none" }, unknown("customer")],
    ]);
  });

  describe(`Balances of ${version}`, () => {
    const path = (of) => `/v1/customers/${of}/balance_transactions`;
    const all = path("{customer}");
    it("change by transactions, which are read, described and listed", async () => {
      const of = await customer();
      const ids = [];
      for (const amount of [-500, 200, -100])
        ids.unshift((await good(`POST ${path(of)}`, { amount, currency: "usd", description: "d" })).id);
      await walks(good, `GET ${path(of)}`, ids);
      const [id] = ids;
      const read = await good(`GET ${path(of)}/${id}`, { expand: ["customer"] });
      assert.deepEqual([read.amount, read.ending_balance, read.type], [-100, -400, "adjustment"]);
      assert.equal(read.customer.balance, -400);
      const changed = await good(`POST ${path(of)}/${id}`, { description: "other", metadata: { a: "b" } });
      assert.deepEqual([changed.description, changed.metadata, changed.amount], ["other", { a: "b" }, -100]);
      const again = await good(`POST ${path(of)}/${id}`, { description: "", metadata: { a: "", c: "d" } });
      assert.deepEqual([again.description, again.metadata], [null, { c: "d" }]);
      assert.deepEqual(await good(`GET ${path(of)}/${id}`), again);
    });
    refusals(version, `POST ${all}`, async () => path(await customer()), [
      strange,
      ["no amount", { currency: "usd" }, bad("amount", "parameter_missing")],
      ["no currency", { amount: 1 }, bad("currency", "parameter_missing")],
      ["nothing", { amount: 0, currency: "usd" }, bad("amount")],
      ["a long description", { amount: 1, currency: "usd", description: "d".repeat(351) }, bad("description")],
    ]);
    refusals(version, `POST ${all}`, async () => {
      const of = await customer();
      await good(`POST ${path(of)}`, { amount: 1, currency: "usd" });
      return path(of);
    }, [["another currency", { amount: 1, currency: "eur" }, { status: 400 }]]);
    for (const method of ["GET", "POST"]) {
      refusals(version, `${method} ${all}/{transaction}`, async () => `${path(await customer())}/cbtxn_none`, [
        ["an unknown transaction", {}, unknown("transaction")],
        strange,
      ]);
      refusals(version, `${method} ${all}/{transaction}`, async () => {
        const { id } = await good(`POST ${path(await customer())}`, { amount: 1, currency: "usd" });
        return `${path(await customer())}/${id}`;
      }, [["somebody else's", {}, unknown("transaction")]]);
      refusals(version, `${method} ${all}`, path("cus_none"), [
        ["an unknown customer", { ...(method === "POST" && { amount: 1, currency: "usd" }) }, unknown("customer")],
      ]);
    }
    refusals(version, `GET ${all}`, async () => path(await customer()), [strange, unexpandable, ...paging]);
  });

  describe(`Subscription schedules of ${version}`, () => {
    const all = "/v1/subscription_schedules";
    const phases = [
      { items: [{ plan: plan.id }], iterations: 2 },
      {
        items: [{ plan: dearer.id, quantity: 2 }],
        iterations: 1,
        proration_behavior: "none",
        metadata: { phase: "2" },
      },
    ];
    const schedule = async (more = {}) =>
      good(`POST ${all}`, { customer: await customer(), start_date: "now", phases, ...more });
    it("begin at once, are read, changed and canceled with their subscription", async () => {
      const made = await schedule({ metadata: { a: "b" }, end_behavior: "cancel" });
      assert.deepEqual([made.status, made.end_behavior, made.phases.length], ["active", "cancel", 2]);
      assert.equal(made.current_phase.start_date, made.phases[0].start_date);
      const expand = ["subscription", "phases.items.price", "customer"];
      const read = await good(`GET ${all}/${made.id}`, { expand });
      assert.deepEqual([read.subscription.schedule, read.subscription.status], [made.id, "active"]);
      assert.deepEqual(read.phases.map(({ items }) => items[0].price.id), [plan.id, dearer.id]);
      const subscription = await good(`GET /v1/subscriptions/${made.subscription}`, { expand: ["schedule"] });
      assert.equal(subscription.schedule.id, made.id);
      const changed = await good(`POST ${all}/${made.id}`, {
        end_behavior: "release",
        metadata: { a: "" },
        default_settings: { description: "Gold" },
        phases: [
          { items: [{ plan: plan.id }], start_date: made.phases[0].start_date, end_date: made.phases[0].end_date },
          { items: [{ plan: plan.id, quantity: 3 }], iterations: 1, billing_cycle_anchor: "phase_start" },
        ],
      });
      assert.deepEqual([changed.end_behavior, changed.metadata, changed.phases.length], ["release", {}, 2]);
      assert.equal((await good(`GET /v1/subscriptions/${made.subscription}`)).description, "Gold");
      const canceled = await good(`POST ${all}/${made.id}/cancel`, { invoice_now: false, prorate: false });
      assert.equal(canceled.status, "canceled");
      assert.equal((await good(`GET /v1/subscriptions/${made.subscription}`)).status, "canceled");
    });
    it("begin and end a phase now, and anchor their phases", async () => {
      const of = await customer();
      const first = { ...phases[0], start_date: "now" };
      const made = await good(`POST ${all}`, {
        customer: of,
        phases: [first, phases[1]],
        default_settings: { billing_cycle_anchor: "phase_start" },
      });
      assert.deepEqual([made.status, made.default_settings.billing_cycle_anchor], ["active", "phase_start"]);
      assert.equal(made.phases[0].billing_cycle_anchor, null);
      // A phase lasts a second at least.
      await new Promise((resolve) => setTimeout(resolve, 1100));
      const { iterations, ...open } = phases[0];
      const changed = await good(`POST ${all}/${made.id}`, {
        phases: [
          { ...open, start_date: made.phases[0].start_date, end_date: "now" },
          { ...phases[1], start_date: "now", billing_cycle_anchor: "automatic" },
        ],
        default_settings: { billing_cycle_anchor: "automatic" },
      });
      assert.equal(changed.default_settings.billing_cycle_anchor, "automatic");
      assert.equal(changed.current_phase.start_date, changed.phases[1].start_date);
      const subscription = await good(`GET /v1/subscriptions/${made.subscription}`);
      assert.deepEqual([subscription.plan.id, subscription.quantity], [dearer.id, 2]);
    });
    it("are made of a subscription and released", async () => {
      const of = await customer();
      const { id } = await good("POST /v1/subscriptions", { customer: of, items: [{ plan: plan.id }] });
      const made = await good(`POST ${all}`, { from_subscription: id });
      assert.deepEqual([made.subscription, made.status, made.phases.length], [id, "active", 1]);
      await good(`POST ${all}/${made.id}`, { end_behavior: "cancel" });
      const released = await good(`POST ${all}/${made.id}/release`, { preserve_cancel_date: true });
      assert.deepEqual([released.status, released.subscription], ["released", null]);
      assert.equal(released.released_subscription, id);
      const { schedule: none, cancel_at: end } = await good(`GET /v1/subscriptions/${id}`);
      assert.deepEqual([none, end], [null, made.phases[0].end_date]);
    });
    it("wait for their day, and are listed", async () => {
      const of = await customer();
      const ids = [];
      for (const start_date of [4e9, 4e9 + 1, 4e9 + 2]) ids.unshift((await schedule({ customer: of, start_date })).id);
      await walks(good, `GET ${all}`, ids, { customer: of });
      await walks(good, `GET ${all}`, ids, { customer: of, scheduled: true });
      assert.equal((await good(`GET ${all}`, { customer: of, scheduled: false })).data.length, 0);
      await good(`POST ${all}/${ids[0]}/cancel`);
      const canceled = await good(`GET ${all}`, { customer: of, canceled_at: { gt: 1 } });
      assert.deepEqual(canceled.data.map(({ id }) => id), [ids[0]]);
      const newest = await good(`GET ${all}`, { limit: 100 });
      assert.ok(ids.every((each) => newest.data.some(({ id }) => id === each)));
    });
    it("have terms of their own in each phase, and what is billed once", async () => {
      const price_data = { currency: "usd", product: plan.product, unit_amount: 700 };
      const made = await schedule({
        default_settings: { collection_method: "send_invoice", invoice_settings: { days_until_due: 5 } },
        phases: [
          {
            items: [{ price_data: { ...price_data, recurring: { interval: "month" } } }],
            iterations: 1,
            add_invoice_items: [{ price_data }],
            description: "first",
            currency: "usd",
          },
          {
            items: [{ price: plan.id }],
            iterations: 1,
            trial: true,
            collection_method: "charge_automatically",
          },
        ],
      });
      const [first, second] = made.phases;
      assert.deepEqual([first.description, first.collection_method, second.collection_method], [
        "first",
        null,
        "charge_automatically",
      ]);
      assert.equal(second.trial_end, second.end_date);
      const begun = await good(`GET /v1/subscriptions/${made.subscription}`, { expand: ["latest_invoice"] });
      assert.deepEqual([begun.latest_invoice.total, begun.latest_invoice.status], [1400, "draft"]);
    });
    const with_phase = (change) => async () => ({
      customer: await customer(),
      start_date: "now",
      phases: [{ items: [{ plan: plan.id }], iterations: 1, ...change }],
    });
    refusals(version, `POST ${all}`, all, [
      strange,
      ["nobody", { phases }, bad("customer", "parameter_missing")],
      ["an unknown customer", { customer: "cus_none", phases }, unknown("customer")],
      ["no phases", async () => ({ customer: await customer() }), bad("phases", "parameter_missing")],
      ["an unknown subscription", { from_subscription: "sub_none" }, unknown("from_subscription")],
      ["a subscription and phases", { from_subscription: "sub_none", phases }, bad("phases")],
      [
        "a beginning that is past",
        async () => ({ customer: await customer(), start_date: 1, phases }),
        bad("start_date"),
      ],
      ["a phase without items", with_phase({ items: undefined }), bad("phases[0][items]", "parameter_missing")],
      ["a phase with an unknown plan", with_phase({ items: [{ plan: "none" }] }), { status: 404 }],
      ["a phase with two ends", with_phase({ end_date: 4e9 }), bad("phases")],
      ["a phase with an unknown payment method", with_phase({ default_payment_method: "pm_x" }), { status: 404 }],
      ["a phase in another currency", with_phase({ currency: "eur" }), { status: 400 }],
      [
        "an end that there is not",
        async () => ({ customer: await customer(), phases, end_behavior: "x" }),
        bad("end_behavior"),
      ],
    ]);
    for (const [method, what] of [["GET", ""], ["POST", ""], ["POST", "/cancel"], ["POST", "/release"]])
      refusals(version, `${method} ${all}/{schedule}${what}`, `${all}/sub_sched_none${what}`, [
        ["an unknown schedule", {}, unknown("schedule")],
        strange,
      ]);
    for (const what of ["", "/cancel", "/release"])
      refusals(version, `POST ${all}/{schedule}${what}`, async () => {
        const { id } = await schedule({ start_date: 4e9 });
        await good(`POST ${all}/${id}/cancel`);
        return `${all}/${id}${what}`;
      }, [["a schedule that is over", {}, impossible(/canceled/)]]);
    refusals(version, `GET ${all}`, all, [
      strange,
      unexpandable,
      ...paging,
      ["an unknown customer", { customer: "cus_none" }, unknown("customer")],
    ]);
  });
}

describe("A schedule, to the newest client,", () => {
  it("changes its subscription as time passes, and lets it go", async () => {
    const clock = await newClock();
    const customer = await stripe.customers.create({ source: "tok_visa", test_clock: clock.id });
    const schedule = await stripe.subscriptionSchedules.create({
      customer: customer.id,
      start_date: start + 24 * 3600,
      end_behavior: "release",
      phases: [
        { items: [{ price: plan.id }], iterations: 1 },
        { items: [{ price: dearer.id }], iterations: 1, metadata: { phase: "second" } },
      ],
    });
    assert.equal(schedule.status, "not_started");
    await advance(clock, later(0, 30));
    const begun = await stripe.subscriptionSchedules.retrieve(schedule.id, { expand: ["subscription"] });
    assert.equal(begun.status, "active");
    assert.equal(begun.subscription.items.data[0].price.id, plan.id);
    await advance(clock, later(1, 30));
    const second = await stripe.subscriptions.retrieve(begun.subscription.id);
    assert.deepEqual([second.items.data[0].price.id, second.metadata], [dearer.id, { phase: "second" }]);
    await advance(clock, later(2, 30));
    assert.equal((await stripe.subscriptionSchedules.retrieve(schedule.id)).status, "released");
    const paid = (await stripe.invoices.list({ customer: customer.id })).data.map(({ amount_paid }) => amount_paid);
    assert.deepEqual(paid, [2900, 2900, 1900]);
    await stripe.customers.update(customer.id, { name: unique("still there") });
  });

  it("pauses what its subscription collects, three ways", async () => {
    const clock = await newClock();
    const outcomes = {};
    const subscriptions = {};
    for (const behavior of ["keep_as_draft", "mark_uncollectible", "void"]) {
      const { id } = await stripe.customers.create({ source: "tok_visa", test_clock: clock.id });
      const made = await stripe.subscriptions.create({ customer: id, items: [{ price: plan.id }] });
      const resumes_at = later(2, -1);
      await stripe.subscriptions.update(made.id, { pause_collection: { behavior, resumes_at } });
      subscriptions[behavior] = made.id;
    }
    for (const month of [1, 2]) await advance(clock, later(month));
    for (const [behavior, subscription] of Object.entries(subscriptions)) {
      outcomes[behavior] = (await stripe.invoices.list({ subscription })).data.map(({ status }) => status);
      assert.equal((await stripe.subscriptions.retrieve(subscription)).pause_collection, null);
    }
    assert.deepEqual(outcomes, {
      keep_as_draft: ["paid", "draft", "paid"],
      mark_uncollectible: ["paid", "uncollectible", "paid"],
      void: ["paid", "void", "paid"],
    });
  });
});
