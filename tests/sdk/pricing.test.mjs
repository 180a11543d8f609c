// Coupons, taxes and usage as they meet what is billed, in the words of three versions of the API.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { monthlyPlan, stripe, unique } from "./clients.mjs";
import { descriptions } from "./descriptions.mjs";
import { asking, bad, paging, refusals, strange, unknown } from "./operations.mjs";

const plan = await monthlyPlan();
const metered = await monthlyPlan(stripe, { amount: 10, usage_type: "metered" });

for (const { version } of descriptions) {
  const good = asking(version);
  const customer = async (more = {}) => (await good("POST /v1/customers", { source: "tok_visa", ...more })).id;
  const subscribe = (of, more = {}) =>
    good("POST /v1/subscriptions", { customer: of, items: [{ plan: plan.id }], ...more });
  const coupon = async (more = {}) =>
    (await good("POST /v1/coupons", { id: unique("off"), percent_off: 50, duration: "forever", ...more })).id;

  describe(`Coupons at work of ${version}`, () => {
    const one = "/v1/subscriptions/{subscription_exposed_id}/discount";
    it("are taken off invoices and shown with them", async () => {
      const of = await customer();
      const made = await subscribe(of, { coupon: await coupon(), expand: ["latest_invoice"] });
      const invoice = await good(`GET /v1/invoices/${made.latest_invoice?.id ?? made.latest_invoice}`);
      assert.deepEqual([invoice.subtotal, invoice.total, invoice.amount_due], [1900, 950, 950]);
      assert.equal(invoice.discount.id, made.discount.id);
      assert.equal((await good(`DELETE /v1/subscriptions/${made.id}/discount`)).deleted, true);
      assert.equal((await good("GET /v1/invoices/upcoming", { customer: of })).total, 1900);
      const tried = await good("GET /v1/invoices/upcoming", { customer: of, coupon: await coupon() });
      assert.equal(tried.total, 950);
    });
    it("are redeemed as often as they may be", async () => {
      const few = await coupon({ max_redemptions: 1 });
      await customer({ coupon: few });
      const spent = await good(`GET /v1/coupons/${encodeURIComponent(few)}`);
      assert.deepEqual([spent.times_redeemed, spent.valid], [1, false]);
    });
    const undiscounted = async () => `/v1/subscriptions/${(await subscribe(await customer())).id}/discount`;
    refusals(version, `DELETE ${one}`, undiscounted, [
      ["a subscription without one", {}, unknown()],
      ["an unknown subscription", {}, unknown(), "/v1/subscriptions/sub_none/discount"],
      strange,
    ]);
    refusals(version, "POST /v1/customers", "/v1/customers", [
      ["an unknown coupon", { coupon: "none" }, unknown("coupon")],
      ["a coupon that is used up", async () => ({ coupon: await spentCoupon() }), bad("coupon")],
    ]);
    const spentCoupon = async () => {
      const few = await coupon({ max_redemptions: 1 });
      await customer({ coupon: few });
      return few;
    };
  });

  describe(`Taxes of ${version}`, () => {
    it("are on the invoice as a percentage", async () => {
      const made = await subscribe(await customer(), { tax_percent: 20 });
      assert.equal(made.tax_percent, 20);
      const [invoice] = (await good("GET /v1/invoices", { subscription: made.id })).data;
      assert.deepEqual([invoice.subtotal, invoice.tax, invoice.tax_percent, invoice.total], [1900, 380, 20, 2280]);
    });
    if (version >= "2020")
      it("are on the invoice by their rates", async () => {
        const rate = await good("POST /v1/tax_rates", { display_name: "VAT", percentage: 25, inclusive: true });
        const made = await subscribe(await customer(), { default_tax_rates: [rate.id] });
        assert.equal(made.default_tax_rates[0].id, rate.id);
        const [invoice] = (await good("GET /v1/invoices", { subscription: made.id })).data;
        assert.deepEqual([invoice.total, invoice.tax], [1900, 380]);
        const [taken] = invoice.total_tax_amounts;
        assert.deepEqual([taken.amount, taken.inclusive, taken.tax_rate], [380, true, rate.id]);
      });
    refusals(version, "POST /v1/subscriptions", "/v1/subscriptions", [
      [
        "a tax of more than all",
        async () => ({ customer: await customer(), items: [{ plan: plan.id }], tax_percent: 101 }),
        bad("tax_percent"),
      ],
    ]);
  });

  describe(`Usage of ${version}`, () => {
    const records = "/v1/subscription_items/{subscription_item}/usage_records";
    const summaries = "/v1/subscription_items/{subscription_item}/usage_record_summaries";
    const item = async (of = metered.id) =>
      (await subscribe(await customer(), { items: [{ plan: of }] })).items.data[0].id;
    it("is recorded and summed up", async () => {
      const id = await item();
      const path = `/v1/subscription_items/${id}`;
      const timestamp = Math.floor(Date.now() / 1000);
      const made = await good(`POST ${path}/usage_records`, { quantity: 5, timestamp });
      assert.deepEqual([made.object, made.quantity, made.subscription_item], ["usage_record", 5, id]);
      await good(`POST ${path}/usage_records`, { quantity: 2, timestamp, action: "set" });
      const [current] = (await good(`GET ${path}/usage_record_summaries`)).data;
      assert.deepEqual([current.total_usage, current.invoice, current.subscription_item], [2, null, id]);
    });
    refusals(version, `POST ${records}`, async () => `/v1/subscription_items/${await item()}/usage_records`, [
      ["no quantity", {}, bad("quantity", "parameter_missing")],
      ["what is used up to be", { quantity: 1, timestamp: 4e9 }, bad("timestamp")],
      ["an unknown item", { quantity: 1 }, unknown(), "/v1/subscription_items/si_none/usage_records"],
      [
        "an item that is not metered",
        { quantity: 1 },
        bad("subscription_item"),
        async () => `/v1/subscription_items/${await item(plan.id)}/usage_records`,
      ],
      ["a parameter that there is not", { quantity: 1, colour: "red" }, bad("colour", "parameter_unknown")],
    ]);
    const summed = async () => `/v1/subscription_items/${await item()}/usage_record_summaries`;
    if (version >= "2020")
      refusals(version, `GET ${summaries}`, summed, [
        ["an unknown item", {}, unknown(), "/v1/subscription_items/si_none/usage_record_summaries"],
        strange,
        ...paging,
      ]);
  });
}
