// Lists and events: the clients' own pagination finds everything, once, newest first.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clients, monthlyPlan, stripe, unique } from "./clients.mjs";

const mail = () => `${unique("list").replaceAll(" ", "-")}@example.com`;

describe("A list", () => {
  it("is walked to its end by the client's own pagination", async () => {
    const email = mail();
    const made = [];
    for (let i = 0; i < 25; ++i) made.push((await stripe.customers.create({ email, name: `Nr. ${i}` })).id);
    const listed = [];
    for await (const customer of stripe.customers.list({ email, limit: 4 })) listed.push(customer.id);
    assert.deepEqual(listed, [...made].reverse());

    const old = clients["version 8"].stripe;
    const eight = await old.customers.list({ email, limit: 10 }).autoPagingToArray({ limit: 100 });
    assert.deepEqual(eight.map((customer) => customer.id), listed);
  });

  it("goes backwards with ending_before", async () => {
    const email = mail();
    const made = [];
    for (let i = 0; i < 5; ++i) made.push((await stripe.customers.create({ email })).id);
    const [oldest, , middle] = made;
    const page = await stripe.customers.list({ email, ending_before: oldest, limit: 2 });
    assert.deepEqual(page.data.map((customer) => customer.id), [middle, made[1]]);
    assert.equal(page.has_more, true);
  });

  it("expands what it is asked to", async () => {
    const plan = await monthlyPlan();
    const customer = await stripe.customers.create({ source: "tok_visa" });
    await stripe.subscriptions.create({ customer: customer.id, items: [{ plan: plan.id }] });
    const { data } = await stripe.subscriptions.list({ customer: customer.id, expand: ["data.customer"] });
    assert.equal(data[0].customer.id, customer.id);
    assert.equal(data[0].items.data[0].plan.id, plan.id);
  });
});

describe("Events", () => {
  it("tell in order what happened to a subscription", async () => {
    const plan = await monthlyPlan();
    const customer = await stripe.customers.create({ source: "tok_visa" });
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ plan: plan.id }] });
    await stripe.subscriptions.cancel(subscription.id);
    const types = [];
    for await (const event of stripe.events.list({ limit: 100 })) {
      const { object } = event.data;
      const owner = object.object === "customer" ? object.id : object.customer;
      if (owner === customer.id) types.push(event.type);
      if (event.type === "customer.created" && object.id === customer.id) break;
    }
    types.reverse();
    const places = [
      "customer.created",
      "customer.source.created",
      "customer.subscription.created",
      "invoice.created",
      "invoice.finalized",
      "charge.succeeded",
      "invoice.payment_succeeded",
      "customer.subscription.deleted",
    ].map((type) => [type, types.indexOf(type)]);
    for (const [type, place] of places) assert.notEqual(place, -1, `there is no ${type} in ${types.join(", ")}`);
    assert.equal(types.at(0), "customer.created");
    assert.equal(types.at(-1), "customer.subscription.deleted");
    assert.ok(types.indexOf("invoice.created") < types.indexOf("invoice.payment_succeeded"));
  });

  it("are found by their type and their identifier", async () => {
    const customer = await stripe.customers.create({ name: "Jenny" });
    const { data } = await stripe.events.list({ type: "customer.created", limit: 20 });
    const event = data.find((each) => each.data.object.id === customer.id);
    assert.ok(event);
    const again = await stripe.events.retrieve(event.id);
    assert.equal(again.data.object.name, "Jenny");
    assert.equal(again.type, "customer.created");
  });
});
