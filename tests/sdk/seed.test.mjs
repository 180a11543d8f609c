// Every operation on /v1/customers of the API that billd answers: its good case, in the words of three versions.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clients, unique } from "./clients.mjs";
import { descriptions } from "./descriptions.mjs";
import { call } from "./wire.mjs";

const plan = await clients.newest.stripe.plans.create({
  amount: 1900,
  currency: "usd",
  interval: "month",
  product: { name: unique("Basic") },
});

/** Carries the operation out and expects an answer, not a refusal. */
async function good(version, operation, parameters) {
  const { status, body } = await call(version, operation, parameters);
  assert.equal(status, 200, `${operation} is answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

for (const { version } of descriptions) {
  describe(`The API of ${version}`, () => {
    it("keeps customers", async () => {
      const email = `${unique("c").replaceAll(" ", "-")}@example.com`;
      const { id } = await good(version, "POST /v1/customers", { email });
      assert.equal((await good(version, `GET /v1/customers/${id}`)).email, email);
      assert.equal((await good(version, `POST /v1/customers/${id}`, { description: "Jenny" })).description, "Jenny");
      const listed = await good(version, "GET /v1/customers", { email });
      assert.deepEqual(listed.data.map((each) => each.id), [id]);
      assert.deepEqual(await good(version, `DELETE /v1/customers/${id}`), { id, object: "customer", deleted: true });
      assert.equal((await good(version, `GET /v1/customers/${id}`)).deleted, true);
    });

    for (const [kind, name] of [["sources", "source"], ["cards", "card"]]) {
      it(`keeps ${kind}`, async () => {
        const customer = await good(version, "POST /v1/customers");
        const path = `/v1/customers/${customer.id}/${kind}`;
        const { id } = await good(version, `POST ${path}`, { [name]: "tok_visa" });
        assert.equal((await good(version, `GET ${path}/${id}`)).last4, "4242");
        assert.equal((await good(version, `POST ${path}/${id}`, { name: "Jenny Rosen" })).name, "Jenny Rosen");
        assert.deepEqual((await good(version, `GET ${path}`)).data.map((each) => each.id), [id]);
        assert.equal((await good(version, `DELETE ${path}/${id}`)).deleted, true);
      });
    }

    it("keeps subscriptions below their customer", async () => {
      const customer = await good(version, "POST /v1/customers", { source: "tok_visa" });
      const path = `/v1/customers/${customer.id}/subscriptions`;
      const { id } = await good(version, `POST ${path}`, { items: { 0: { plan: plan.id } } });
      assert.equal((await good(version, `GET ${path}/${id}`)).status, "active");
      const ending = await good(version, `POST ${path}/${id}`, { cancel_at_period_end: true });
      assert.equal(ending.cancel_at_period_end, true);
      assert.deepEqual((await good(version, `GET ${path}`)).data.map((each) => each.id), [id]);
      assert.equal((await good(version, `DELETE ${path}/${id}`)).status, "canceled");
    });
  });
}
