// What can be sold, operation by operation in the words of three versions: products, plans, prices, coupons, promotion
// codes, tax rates, and the clocks and endpoints beside them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { unique } from "./clients.mjs";
import { descriptions } from "./descriptions.mjs";
import { asking, bad, paging, refusals, strange, unexpandable, unknown, walks } from "./operations.mjs";

const name = () => unique("thing").replaceAll(" ", "-");

for (const { version } of descriptions) {
  const good = asking(version);
  const product = (more = {}) => good("POST /v1/products", { name: name(), type: "service", ...more });

  describe(`Products of ${version}`, () => {
    it("are made, read, changed, listed and deleted", async () => {
      const metadata = { colour: "red" };
      const made = await product({ id: name(), description: "d", metadata });
      assert.deepEqual(made.metadata, metadata);
      assert.deepEqual(await good(`GET /v1/products/${made.id}`), made);
      const changed = await good(`POST /v1/products/${made.id}`, { name: "Other", active: false, metadata: "" });
      assert.deepEqual([changed.name, changed.active, changed.metadata], ["Other", false, {}]);
      const ids = [made.id];
      for (let i = 0; i < 2; ++i) ids.unshift((await product()).id);
      const found = await good("GET /v1/products", { ids: ids.slice(0, 2) });
      assert.deepEqual(found.data.map(({ id }) => id), ids.slice(0, 2));
      const deleted = await good(`DELETE /v1/products/${made.id}`);
      assert.deepEqual(deleted, { id: made.id, object: "product", deleted: true });
    });
    refusals(version, "POST /v1/products", "/v1/products", [
      ["a product without a name", {}, bad("name", "parameter_missing")],
      strange,
      ["an activity that is none", { name: "x", active: "perhaps" }, bad("active")],
    ]);
    for (const method of ["GET", "POST", "DELETE"])
      refusals(version, `${method} /v1/products/{id}`, "/v1/products/prod_none", [
        ["an unknown product", {}, unknown()],
        strange,
      ]);
    refusals(version, "GET /v1/products", "/v1/products", [strange, unexpandable, ...paging]);
  });

  describe(`Plans of ${version}`, () => {
    const plan = (more = {}) =>
      good("POST /v1/plans", { amount: 700, currency: "usd", interval: "month", product: { name: name() }, ...more });
    it("are made, read, changed, listed and deleted", async () => {
      const { id: owner } = await product();
      const ids = [];
      for (const interval of ["day", "week", "year"]) ids.unshift((await plan({ interval, product: owner })).id);
      await walks(good, "GET /v1/plans", ids, { product: owner });
      const [id] = ids;
      const change = { nickname: "Gold", trial_period_days: 3, metadata: { a: 1 } };
      const changed = await good(`POST /v1/plans/${id}`, change);
      assert.deepEqual([changed.nickname, changed.trial_period_days, changed.metadata], ["Gold", 3, { a: "1" }]);
      assert.equal((await good(`GET /v1/plans/${id}`, { expand: ["product"] })).product.id, owner);
      assert.deepEqual(await good(`DELETE /v1/plans/${id}`), { id, object: "plan", deleted: true });
    });
    it("have tiers, packages and what is metered", async () => {
      const tiers = [{ up_to: 5, unit_amount: 100 }, { up_to: "inf", unit_amount: 80, flat_amount: 10 }];
      const tiered = await plan({ amount: undefined, billing_scheme: "tiered", tiers_mode: "volume", tiers });
      assert.equal(tiered.amount, null);
      const shown = await good(`GET /v1/plans/${tiered.id}`, { expand: ["tiers"] });
      assert.deepEqual(shown.tiers.map(({ up_to }) => up_to), [5, null]);
      const packages = await plan({ transform_usage: { divide_by: 10, round: "up" } });
      assert.deepEqual(packages.transform_usage, { divide_by: 10, round: "up" });
      const metered = await plan({ usage_type: "metered", aggregate_usage: "max" });
      assert.deepEqual([metered.usage_type, metered.aggregate_usage], ["metered", "max"]);
    });
    refusals(version, "POST /v1/plans", "/v1/plans", [
      strange,
      ["no currency", { amount: 1, interval: "month", product: { name: "x" } }, bad("currency", "parameter_missing")],
      ["no interval", { amount: 1, currency: "usd", product: { name: "x" } }, bad("interval", "parameter_missing")],
      ["no amount", { currency: "usd", interval: "month", product: { name: "x" } }, bad("amount", "parameter_missing")],
      ["an unknown product", { amount: 1, currency: "usd", interval: "month", product: "prod_0" }, unknown("product")],
      ["an interval that there is not", { amount: 1, currency: "usd", interval: "night" }, bad("interval")],
      [
        "more than three years",
        { amount: 1, currency: "usd", interval: "year", interval_count: 4, product: { name: "x" } },
        bad("interval_count"),
      ],
      [
        "an identifier that is taken",
        async () => ({ id: (await plan()).id, amount: 1, currency: "usd", interval: "month", product: { name: "x" } }),
        { status: 400, code: "resource_already_exists" },
      ],
    ]);
    for (const method of ["GET", "POST", "DELETE"])
      refusals(version, `${method} /v1/plans/{plan}`, "/v1/plans/plan_none", [
        ["an unknown plan", {}, unknown()],
        strange,
      ]);
    refusals(version, "GET /v1/plans", "/v1/plans", [strange, unexpandable, ...paging]);
  });

  describe(`Prices of ${version}`, () => {
    const price = (more = {}) =>
      good("POST /v1/prices", { unit_amount: 700, currency: "usd", product_data: { name: name() }, ...more });
    it("are made, read, changed and listed", async () => {
      const { id: owner } = await product();
      const ids = [];
      for (let i = 0; i < 3; ++i)
        ids.unshift((await price({ product: owner, product_data: undefined, recurring: { interval: "month" } })).id);
      await walks(good, "GET /v1/prices", ids, { product: owner });
      const key = name();
      const changed = await good(`POST /v1/prices/${ids[0]}`, { nickname: "n", lookup_key: key, active: false });
      assert.deepEqual([changed.nickname, changed.active], ["n", false]);
      assert.deepEqual((await good("GET /v1/prices", { lookup_keys: [key] })).data.map(({ id }) => id), [ids[0]]);
      assert.equal((await good(`GET /v1/prices/${ids[0]}`, { expand: ["product"] })).product.id, owner);
      const once = await price();
      assert.deepEqual([once.type, once.recurring], ["one_time", null]);
    });
    refusals(version, "POST /v1/prices", "/v1/prices", [
      strange,
      ["no product", { unit_amount: 1, currency: "usd" }, bad("product", "parameter_missing")],
      ["no amount", { currency: "usd", product_data: { name: "x" } }, bad("unit_amount", "parameter_missing")],
      ["an unknown product", { unit_amount: 1, currency: "usd", product: "prod_none" }, unknown("product")],
      ["an unknown currency", { unit_amount: 1, currency: "xyz", product_data: { name: "x" } }, bad("currency")],
    ]);
    for (const method of ["GET", "POST"])
      refusals(version, `${method} /v1/prices/{price}`, "/v1/prices/price_none", [
        ["an unknown price", {}, unknown()],
        strange,
      ]);
    refusals(version, "GET /v1/prices", "/v1/prices", [strange, unexpandable, ...paging]);
  });

  describe(`Coupons of ${version}`, () => {
    const coupon = (more = {}) => good("POST /v1/coupons", { percent_off: 25, duration: "once", ...more });
    it("are made, read, changed, listed and deleted", async () => {
      const made = await coupon({ id: name(), duration: "repeating", duration_in_months: 3, metadata: { a: "b" } });
      assert.deepEqual([made.percent_off, made.duration_in_months, made.valid], [25, 3, true]);
      const amount = await coupon({ percent_off: undefined, amount_off: 500, currency: "usd", duration: "forever" });
      assert.deepEqual([amount.amount_off, amount.currency], [500, "usd"]);
      assert.deepEqual(await good(`GET /v1/coupons/${made.id}`), made);
      const changed = await good(`POST /v1/coupons/${made.id}`, { name: "Spring", metadata: { a: "" } });
      assert.deepEqual([changed.name, changed.metadata], ["Spring", {}]);
      const [newest, older] = (await good("GET /v1/coupons", { limit: 2 })).data;
      assert.ok(newest && older);
      assert.deepEqual(await good(`DELETE /v1/coupons/${made.id}`), { id: made.id, object: "coupon", deleted: true });
    });
    refusals(version, "POST /v1/coupons", "/v1/coupons", [
      strange,
      ["neither a share nor an amount", { duration: "once" }, { status: 400 }],
      ["more than the whole", { duration: "once", percent_off: 101 }, bad("percent_off")],
      ["an amount without its currency", { duration: "once", amount_off: 5 }, bad("currency")],
      ["a duration that there is not", { duration: "always", percent_off: 5 }, bad("duration")],
      ["months without their number", { duration: "repeating", percent_off: 5 }, bad("duration_in_months")],
    ]);
    for (const method of ["GET", "POST", "DELETE"])
      refusals(version, `${method} /v1/coupons/{coupon}`, "/v1/coupons/none", [
        ["an unknown coupon", {}, unknown()],
        strange,
      ]);
    refusals(version, "GET /v1/coupons", "/v1/coupons", [strange, ...paging]);

    it("have codes that customers know", async () => {
      const { id } = await coupon();
      const code = name().toUpperCase().replaceAll("-", "");
      const made = await good("POST /v1/promotion_codes", { coupon: id, code, max_redemptions: 3 });
      assert.deepEqual([made.code, made.coupon.id, made.max_redemptions], [code, id, 3]);
      assert.equal((await good(`GET /v1/promotion_codes/${made.id}`)).id, made.id);
      const changed = await good(`POST /v1/promotion_codes/${made.id}`, { active: false, metadata: { a: "b" } });
      assert.deepEqual([changed.active, changed.metadata], [false, { a: "b" }]);
      assert.deepEqual((await good("GET /v1/promotion_codes", { code })).data.map(({ id: each }) => each), [made.id]);
    });
    refusals(version, "POST /v1/promotion_codes", "/v1/promotion_codes", [
      strange,
      ["no coupon", {}, bad("coupon", "parameter_missing")],
      ["an unknown coupon", { coupon: "none" }, unknown("coupon")],
    ]);
    for (const method of ["GET", "POST"])
      refusals(version, `${method} /v1/promotion_codes/{promotion_code}`, "/v1/promotion_codes/promo_none", [
        ["an unknown code", {}, unknown()],
        strange,
      ]);
    refusals(version, "GET /v1/promotion_codes", "/v1/promotion_codes", [strange, unexpandable, ...paging]);
  });

  describe(`Tax rates of ${version}`, () => {
    const rate = (more = {}) =>
      good("POST /v1/tax_rates", { display_name: "VAT", percentage: "19.5", inclusive: false, ...more });
    it("are made, read, changed and listed", async () => {
      const made = await rate({ jurisdiction: "DE", metadata: { a: "b" } });
      assert.deepEqual([made.percentage, made.inclusive, made.jurisdiction], [19.5, false, "DE"]);
      assert.deepEqual(await good(`GET /v1/tax_rates/${made.id}`), made);
      assert.equal((await good(`POST /v1/tax_rates/${made.id}`, { active: false })).active, false);
      const inactive = await good("GET /v1/tax_rates", { active: false, limit: 1 });
      assert.deepEqual(inactive.data.map(({ id }) => id), [made.id]);
    });
    refusals(version, "POST /v1/tax_rates", "/v1/tax_rates", [
      strange,
      ["no name", { percentage: 1, inclusive: true }, bad("display_name", "parameter_missing")],
      ["no percentage", { display_name: "x", inclusive: true }, bad("percentage", "parameter_missing")],
      ["more than the whole", { display_name: "x", inclusive: true, percentage: 101 }, bad("percentage")],
    ]);
    for (const method of ["GET", "POST"])
      refusals(version, `${method} /v1/tax_rates/{tax_rate}`, "/v1/tax_rates/txr_none", [
        ["an unknown rate", {}, unknown()],
        strange,
      ]);
    refusals(version, "GET /v1/tax_rates", "/v1/tax_rates", [strange, ...paging]);
  });

  describe(`Test clocks of ${version}`, () => {
    const all = "/v1/test_helpers/test_clocks";
    it("are made, read, listed, advanced and deleted", async () => {
      const clock = await good(`POST ${all}`, { frozen_time: 1767225600, name: name() });
      assert.equal((await good(`GET ${all}/${clock.id}`)).frozen_time, 1767225600);
      assert.ok((await good(`GET ${all}`)).data.some(({ id }) => id === clock.id));
      const advanced = await good(`POST ${all}/${clock.id}/advance`, { frozen_time: 1767229200 });
      assert.equal(advanced.id, clock.id);
      while ((await good(`GET ${all}/${clock.id}`)).status !== "ready")
        await new Promise((done) => setTimeout(done, 20));
      assert.equal((await good(`DELETE ${all}/${clock.id}`)).deleted, true);
    });
    refusals(version, `POST ${all}`, all, [strange, ["no time", {}, bad("frozen_time", "parameter_missing")]]);
    for (const method of ["GET", "DELETE"])
      refusals(version, `${method} ${all}/{test_clock}`, `${all}/clock_none`, [["an unknown clock", {}, unknown()]]);
    refusals(version, `POST ${all}/{test_clock}/advance`, async () => {
      const { id } = await good(`POST ${all}`, { frozen_time: 1767225600 });
      return `${all}/${id}/advance`;
    }, [["a time that is past", { frozen_time: 1767225500 }, bad("frozen_time")], strange]);
  });

  describe(`Webhook endpoints of ${version}`, () => {
    const all = "/v1/webhook_endpoints";
    it("are made, read, changed, listed and deleted", async () => {
      const url = `https://example.com/${name()}`;
      const made = await good(`POST ${all}`, { url, enabled_events: ["invoice.voided"] });
      assert.match(made.secret, /^whsec_/);
      assert.equal((await good(`GET ${all}/${made.id}`)).url, url);
      const changed = await good(`POST ${all}/${made.id}`, { enabled_events: ["invoice.paid"], disabled: true });
      assert.deepEqual([changed.enabled_events, changed.status], [["invoice.paid"], "disabled"]);
      assert.ok((await good(`GET ${all}`)).data.some(({ id }) => id === made.id));
      assert.equal((await good(`DELETE ${all}/${made.id}`)).deleted, true);
    });
  });
}
