// What the descriptions of the customers' operations say beside their parameters, sentence by sentence, in the words of
// three versions of the API: specification.md has the sentences.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { advance, later, monthlyPlan, newClock, start, unique } from "./clients.mjs";
import { descriptions } from "./descriptions.mjs";
import { asking, refusals, unknown, walks } from "./operations.mjs";
import { call, form } from "./wire.mjs";

const plan = await monthlyPlan();
const dearer = await monthlyPlan(undefined, { amount: 3900 });
const items = [{ plan: plan.id }];
const day = 86400;
const bankAccount = (number) => ({
  object: "bank_account",
  country: "US",
  currency: "usd",
  routing_number: "110000000",
  account_number: number,
});
/** All that the test gateway takes. */
const accountNumbers = ["000123456789", "000111111116", "000111111113", "000222222227", "000333333335"];

for (const { version } of descriptions) {
  const good = asking(version);
  const customer = (parameters) => good("POST /v1/customers", { source: "tok_visa", ...parameters });
  const subscribe = (owner, more) => good(`POST /v1/customers/${owner}/subscriptions`, { items, ...more });
  const pending = async (owner) =>
    (await good("GET /v1/invoiceitems", { customer: owner, pending: true })).data.map(({ amount }) => amount);
  const billed = async (owner) =>
    (await good("GET /v1/invoices", { customer: owner })).data.map(({ total, status }) => [total, status]);
  const coupon = async (percent_off = 50) =>
    (await good("POST /v1/coupons", { id: unique("half"), percent_off, duration: "forever" })).id;

  /** What is left of a customer that is deleted. */
  const gone = await (async () => {
    const { id, default_source: source } = await customer({ coupon: await coupon() });
    const { id: subscription } = await subscribe(id);
    await good(`DELETE /v1/customers/${id}`);
    return { id, source, subscription };
  })();

  describe(`Lists of customers of ${version}`, () => {
    it("are sorted by their creation, the newest first, whatever narrows them", async () => {
      const email = `${unique("order").replaceAll(" ", "-")}@example.com`;
      const made = [];
      for (let i = 0; i < 4; ++i) made.unshift(await customer({ email }));
      const ids = made.map(({ id }) => id);
      await walks(good, "GET /v1/customers", ids, { email });
      const times = (await good("GET /v1/customers", { limit: 100 })).data.map(({ created }) => created);
      assert.deepEqual(times, times.toSorted((left, right) => right - left));
      const { created } = made[0];
      const found = async (range) =>
        (await good("GET /v1/customers", { email, created: range })).data.map(({ id }) => id);
      const since = made.filter((each) => each.created >= created).map(({ id }) => id);
      assert.deepEqual(await found(created), since.filter((id) => ids.includes(id)));
      assert.deepEqual(await found({ gte: made[3].created, lte: created }), ids);
      assert.deepEqual(await found({ gt: created }), []);
      assert.deepEqual(await found({ lt: made[3].created }), []);
    });
    it("are of exactly the email, and of nobody's when nobody has it", async () => {
      const email = `${unique("exact").replaceAll(" ", "-")}@example.com`;
      const { id } = await customer({ email });
      assert.deepEqual((await good("GET /v1/customers", { email })).data.map((each) => each.id), [id]);
      assert.deepEqual((await good("GET /v1/customers", { email: `x${email}` })).data, []);
    });
  });

  describe(`What can be expanded of ${version}`, () => {
    it("is expanded wherever a customer's objects are read", async () => {
      const { id, default_source: card } = await customer({ coupon: await coupon() });
      const made = await subscribe(id, { coupon: await coupon() });
      const owner = `/v1/customers/${id}`;
      const bank = await good(`POST ${owner}/bank_accounts`, { bank_account: bankAccount("000123456789") });
      for (const path of [
        `sources/${card}`,
        `cards/${card}`,
        `bank_accounts/${bank.id}`,
        `subscriptions/${made.id}`,
        "discount",
        `subscriptions/${made.id}/discount`,
      ])
        assert.equal((await good(`GET ${owner}/${path}`, { expand: ["customer"] })).customer.id, id, path);
      for (const path of ["sources", "cards", "bank_accounts", "subscriptions"])
        for (const each of (await good(`GET ${owner}/${path}`, { expand: ["data.customer"] })).data)
          assert.equal(each.customer.id, id, path);
      const listed = await good("GET /v1/customers", { limit: 1, expand: ["data.default_source"] });
      assert.equal(listed.data[0].default_source.object, "card");
      const deep = ["subscriptions.data.latest_invoice.charge"];
      const { subscriptions } = await good(`GET ${owner}`, { expand: ["default_source", ...deep] });
      assert.equal(subscriptions.data[0].latest_invoice.charge.paid, true);
    });
  });

  describe(`A deleted customer of ${version}`, () => {
    const { id, source, subscription } = gone;
    const path = `/v1/customers/${id}`;
    const stays = (operation, at, parameters = {}) =>
      refusals(version, operation, at, [["what is deleted for good", parameters, unknown()]]);
    stays("POST /v1/customers/{customer}", path, { email: "back@example.com" });
    stays("DELETE /v1/customers/{customer}", path);
    stays("GET /v1/customers/{customer}/sources", `${path}/sources`);
    stays("POST /v1/customers/{customer}/sources", `${path}/sources`, { source: "tok_visa" });
    stays("GET /v1/customers/{customer}/sources/{id}", `${path}/sources/${source}`);
    stays("GET /v1/customers/{customer}/subscriptions", `${path}/subscriptions`);
    stays("POST /v1/customers/{customer}/subscriptions", `${path}/subscriptions`, { items });
    stays("GET /v1/customers/{customer}/discount", `${path}/discount`);

    it("is told by its identifier alone, in no list, and its subscriptions are canceled", async () => {
      assert.deepEqual(await good(`GET ${path}`), { id, object: "customer", deleted: true });
      const { data } = await good("GET /v1/customers", { limit: 100 });
      assert.equal(data.some((each) => each.id === id), false);
      assert.equal((await good(`GET /v1/subscriptions/${subscription}`)).status, "canceled");
    });
  });

  describe(`Sources of ${version}`, () => {
    it("are the ten newest on the customer, and all of them page by page", async () => {
      const { id, default_source: first } = await customer();
      const owner = `/v1/customers/${id}`;
      const ids = [first];
      for (const number of accountNumbers) {
        ids.unshift((await good(`POST ${owner}/bank_accounts`, { bank_account: bankAccount(number) })).id);
        ids.unshift((await good(`POST ${owner}/cards`, { card: "tok_mastercard" })).id);
      }
      const { sources } = await good(`GET ${owner}`, { expand: ["sources"] });
      assert.deepEqual(sources.data.map((each) => each.id), ids.slice(0, 10));
      assert.deepEqual([sources.has_more, sources.url], [true, `${owner}/sources`]);
      const of = (prefix) => ids.filter((each) => each.startsWith(prefix));
      await walks(good, `GET ${owner}/sources`, ids);
      await walks(good, `GET ${owner}/cards`, of("card_"));
      await walks(good, `GET ${owner}/bank_accounts`, of("ba_"));
      await walks(good, `GET ${owner}/sources`, of("card_"), { type: "card" });
      await walks(good, `GET ${owner}/sources`, of("ba_"), { type: "bank_account" });
      await walks(good, `GET ${owner}/sources`, of("card_"), { object: "card" });
    });
  });

  describe(`Subscriptions of a customer of ${version}`, () => {
    it("are its ten newest active ones on it, and all active ones page by page", async () => {
      const { id } = await customer();
      const ids = [];
      for (let i = 0; i < 13; ++i) ids.unshift((await subscribe(id)).id);
      await good(`DELETE /v1/customers/${id}/subscriptions/${ids.shift()}`);
      const { subscriptions } = await good(`GET /v1/customers/${id}`, { expand: ["subscriptions"] });
      assert.deepEqual(subscriptions.data.map((each) => each.id), ids.slice(0, 10));
      assert.deepEqual([subscriptions.has_more, subscriptions.url], [true, `/v1/customers/${id}/subscriptions`]);
      await walks(good, `GET /v1/customers/${id}/subscriptions`, ids);
    });

    it("change their plan or quantity with a proration, or without one, and the preview tells it", async () => {
      const clock = await newClock();
      const { id } = await customer({ test_clock: clock.id });
      const made = await subscribe(id);
      await advance(clock, start + 10 * day);
      const path = `/v1/customers/${id}/subscriptions/${made.id}`;
      const item = made.items.data[0].id;
      const preview = { customer: id, subscription: made.id, subscription_proration_date: start + 10 * day };
      const told = await good("GET /v1/invoices/upcoming", {
        ...preview,
        subscription_items: [{ id: item, plan: dearer.id, quantity: 2 }],
      });
      const change = { items: [{ id: item, plan: dearer.id, quantity: 2 }], proration_date: start + 10 * day };
      await good(`POST ${path}`, change);
      // 21 of 31 days: 1900 are taken back, and 2 × 3900 billed.
      const parts = [-Math.round((1900 * 21) / 31), Math.round((7800 * 21) / 31)];
      assert.deepEqual((await pending(id)).toSorted((left, right) => left - right), parts);
      assert.equal(told.total, 7800 + parts[0] + parts[1]);
      await good(`POST ${path}`, { items: [{ id: item, quantity: 3 }], prorate: false });
      assert.equal((await pending(id)).length, 2);
      await good(`POST ${path}`, { items: [{ id: item, quantity: 2 }], prorate: false });
      await advance(clock, later(1));
      assert.deepEqual((await billed(id))[0], [told.total, "paid"]);
    });

    it("name what is pending of a proration after its plan and its day", async () => {
      const clock = await newClock();
      const { id } = await customer({ test_clock: clock.id });
      const made = await subscribe(id);
      await advance(clock, start + 10 * day);
      await good(`POST /v1/customers/${id}/subscriptions/${made.id}`, {
        items: [{ id: made.items.data[0].id, plan: dearer.id }],
      });
      const { data } = await good("GET /v1/invoiceitems", { customer: id });
      const words = data.map(({ description, amount }) => [amount < 0, description.replace(/ on .* after /, " … ")]);
      assert.deepEqual(words, [[false, "Remaining time … 25 Jan 2026"], [true, "Unused time … 25 Jan 2026"]]);
    });
  });

  describe(`A subscription that is canceled, of ${version},`, () => {
    /** A customer in the middle of a month. */
    const busy = async () => {
      const clock = await newClock();
      const { id, default_source: card } = await customer({ test_clock: clock.id });
      const made = await subscribe(id);
      await advance(clock, start + 10 * day);
      return { clock, id, card, path: `/v1/customers/${id}/subscriptions/${made.id}`, made };
    };
    /** An item of its own, and a proration, which is what is answered. */
    const change = async ({ id, path, made }) => {
      await good("POST /v1/invoiceitems", { customer: id, amount: 700, currency: "usd" });
      await good(`POST ${path}`, { items: [{ id: made.items.data[0].id, plan: dearer.id }] });
      const [unused, rest] = [-Math.round((1900 * 21) / 31), Math.round((3900 * 21) / 31)];
      assert.deepEqual((await pending(id)).toSorted((left, right) => left - right), [unused, 700, rest]);
      return unused + rest;
    };
    /** By the words that each version has for it. */
    const cancelAtPeriodEnd = async (path) =>
      version < "2018-07-27"
        ? good(`DELETE ${path}`, { at_period_end: true })
        : good(`POST ${path}`, { cancel_at_period_end: true });

    it("at the period's end is active until then, then canceled, and never charged again", async () => {
      const it = await busy();
      const prorations = await change(it);
      const ending = await cancelAtPeriodEnd(it.path);
      assert.deepEqual([ending.status, ending.cancel_at_period_end], ["active", true]);
      assert.equal((await pending(it.id)).length, 3);
      await advance(it.clock, later(1) - 3 * day);
      assert.equal((await good(`GET ${it.path}`)).status, "active");
      await advance(it.clock, later(1));
      const ended = await good(`GET ${it.path}`);
      assert.deepEqual([ended.status, ended.ended_at], ["canceled", ended.current_period_end]);
      const invoices = [[700 + prorations, "paid"], [1900, "paid"]];
      assert.deepEqual(await billed(it.id), invoices);
      await advance(it.clock, later(2));
      assert.deepEqual(await billed(it.id), invoices);
    });

    it("at once, without another word, is ended now, and loses its pending prorations", async () => {
      const it = await busy();
      await change(it);
      const ended = await good(`DELETE ${it.path}`);
      assert.deepEqual([ended.status, ended.ended_at], ["canceled", start + 10 * day]);
      assert.deepEqual(await pending(it.id), [700]);
      await advance(it.clock, later(2));
      assert.deepEqual(await billed(it.id), [[700, "paid"], [1900, "paid"]]);
    });

    it("leaves pending items to the period's end, unless they are deleted by hand", async () => {
      const it = await busy();
      const item = { customer: it.id, amount: 700, currency: "usd" };
      await good("POST /v1/invoiceitems", item);
      const { id: unwanted } = await good("POST /v1/invoiceitems", { ...item, amount: 900 });
      await good(`DELETE ${it.path}`);
      await good(`DELETE /v1/invoiceitems/${unwanted}`);
      await advance(it.clock, later(1) - day);
      assert.deepEqual(await pending(it.id), [700]);
      await advance(it.clock, later(1));
      assert.deepEqual((await billed(it.id))[0], [700, "paid"]);
    });

    /** A customer whose renewal was declined: an unpaid invoice, and the subscription that it is of. */
    const declined = async () => {
      const it = await busy();
      await good(`POST /v1/customers/${it.id}`, { source: "tok_chargeCustomerFail" });
      await advance(it.clock, later(1));
      const [{ id }] = (await good("GET /v1/invoices", { subscription: it.made.id })).data;
      assert.equal((await good(`GET ${it.path}`)).status, "past_due");
      return { ...it, unpaid: id };
    };
    const invoiceOf = async ({ unpaid }) => good(`GET /v1/invoices/${unpaid}`);

    it("closes the customer's unpaid invoices, so that no payment is attempted any more", async () => {
      const it = await declined();
      const before = await invoiceOf(it);
      assert.deepEqual([before.paid, before.closed, before.attempt_count], [false, false, 1]);
      await good(`DELETE ${it.path}`);
      await good(`POST /v1/customers/${it.id}`, { source: "tok_visa" });
      await advance(it.clock, later(2));
      const after = await invoiceOf(it);
      assert.deepEqual([after.paid, after.closed, after.attempt_count], [false, true, 1]);
      assert.equal(after.next_payment_attempt, null);
    });

    it("lets its unpaid invoices be opened again by hand, and collected", async () => {
      const it = await declined();
      await good(`DELETE ${it.path}`);
      await good(`POST /v1/customers/${it.id}`, { source: "tok_visa" });
      await good(`POST /v1/invoices/${it.unpaid}`, { closed: false });
      await advance(it.clock, later(1, 4));
      const after = await invoiceOf(it);
      assert.deepEqual([after.paid, after.closed], [true, true]);
    });

    it("may have its unpaid invoices paid by hand before", async () => {
      const it = await declined();
      assert.equal((await good(`POST /v1/invoices/${it.unpaid}/pay`, { source: it.card })).paid, true);
      assert.equal((await good(`DELETE ${it.path}`)).status, "canceled");
      assert.equal((await invoiceOf(it)).paid, true);
    });
  });

  describe(`A discount of ${version}`, () => {
    it("that is removed is not taken from what is billed later", async () => {
      const clock = await newClock();
      const { id } = await customer({ test_clock: clock.id, coupon: await coupon() });
      const made = await subscribe(id);
      await advance(clock, later(1));
      await good(`DELETE /v1/customers/${id}/discount`);
      await advance(clock, later(2));
      await good(`POST /v1/customers/${id}/subscriptions/${made.id}`, { coupon: await coupon(10) });
      await advance(clock, later(3));
      await good(`DELETE /v1/customers/${id}/subscriptions/${made.id}/discount`);
      await advance(clock, later(4));
      const totals = (await billed(id)).map(([total]) => total);
      assert.deepEqual(totals, [1900, 1710, 1900, 950, 950]);
    });
  });

  describe(`A request of ${version}`, () => {
    const types = { form: "application/x-www-form-urlencoded", json: "application/json; charset=utf-8" };
    const send = async (kind, method, path, parameters) => {
      const body = kind === "json" ? JSON.stringify(parameters) : form(parameters).join("&");
      return call(version, `${method} ${path}`, {}, { "content-type": types[kind] }, body);
    };
    for (const kind of ["form", "json"])
      it(`has its parameters in its body, as ${kind}, also when it deletes`, async () => {
        const made = await send(kind, "POST", "/v1/customers", { email: "body@example.com", source: "tok_visa" });
        assert.equal(made.status, 200);
        assert.match(made.headers.get("content-type"), /^application\/json/);
        const { id } = made.body;
        const path = `/v1/customers/${id}/subscriptions`;
        const { body } = await send(kind, "POST", path, { items: [{ plan: plan.id, quantity: 2 }] });
        assert.equal(body.quantity, 2);
        const ending = await send(kind, "DELETE", `${path}/${body.id}`, { at_period_end: true });
        assert.deepEqual([ending.body.status, ending.body.cancel_at_period_end], ["active", true]);
        const refused = await send(kind, "DELETE", `/v1/customers/${id}`, { colour: "red" });
        assert.deepEqual([refused.status, refused.body.error.param], [400, "colour"]);
        assert.equal((await good(`GET /v1/customers/${id}`)).email, "body@example.com");
      });
    it("of a kind of body that there is not is refused", async () => {
      const headers = { "content-type": "application/xml" };
      assert.equal((await call(version, "POST /v1/customers", {}, headers, "<customer/>")).status, 400);
    });
    it("by a method that there is not is refused, and nothing is changed", async () => {
      const { id } = await customer({ email: "same@example.com" });
      for (const method of ["PUT", "PATCH"]) {
        const { status, body } = await call(version, `${method} /v1/customers/${id}`, { email: "x@example.com" });
        assert.equal(status, 404);
        assert.match(body.error.message, /Unrecognized request URL/);
      }
      assert.equal((await good(`GET /v1/customers/${id}`)).email, "same@example.com");
    });
  });
}
