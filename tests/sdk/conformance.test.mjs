// Stripe's descriptions say of answers what they should: what is good is let pass, and what is not is told.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { descriptionOf, descriptions } from "./descriptions.mjs";
import { call } from "./wire.mjs";

const changed = (object, change) => {
  const copy = structuredClone(object);
  change(copy);
  return copy;
};

describe("The descriptions", () => {
  it("are of three versions, and the one that holds for a version is the newest that is not newer", () => {
    assert.deepEqual(descriptions.map(({ version }) => version), ["2018-05-21", "2020-08-27", "2023-08-16"]);
    assert.equal(descriptionOf("2017-02-14").version, "2018-05-21");
    assert.equal(descriptionOf("2019-03-14").version, "2018-05-21");
    assert.equal(descriptionOf("2020-08-27").version, "2020-08-27");
    assert.equal(descriptionOf("2025-09-30.clover").version, "2023-08-16");
  });

  for (const description of descriptions) {
    it(`tell what is wrong with a customer (${description.version})`, async () => {
      const { body } = await call(description.version, "POST /v1/customers", { source: "tok_visa" });
      const problems = (change) => description.problems("POST", "/v1/customers", 200, changed(body, change));
      assert.deepEqual(problems(() => {}), []);
      assert.deepEqual(problems((customer) => (customer.some_member_more = 1)), []);
      assert.match(problems((customer) => delete customer.id).join(), /must have required property 'id'/);
      assert.match(problems((customer) => (customer.livemode = "no")).join(), /\/livemode must be boolean/);
      assert.match(problems((customer) => (customer.created = null)).join(), /\/created must be integer/);
      assert.deepEqual(problems((customer) => (customer.default_source = null)), []);
      assert.match(problems((customer) => delete customer.sources.data[0].brand).join(), /'brand'/);
      assert.notDeepEqual(problems((customer) => (customer.sources.data[0].object = "cart")), []);
    });

    it(`tell what is wrong with a refusal (${description.version})`, async () => {
      const { status, body } = await call(description.version, "GET /v1/customers/cus_nobody");
      assert.equal(status, 404);
      assert.deepEqual(description.problems("GET", "/v1/customers/cus_nobody", 404, body), []);
      const untyped = changed(body, ({ error }) => delete error.type);
      assert.match(description.problems("GET", "/v1/customers/cus_nobody", 404, untyped).join(), /'type'/);
    });
  }
});
