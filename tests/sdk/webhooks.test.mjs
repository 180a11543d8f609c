// Webhook endpoints, and what comes to them: the official client and the reference library of Standard Webhooks take
// our signatures.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { after, before, describe, it } from "node:test";
import { Webhook } from "standardwebhooks";
import { clients, refusal, stripe, unique } from "./clients.mjs";

const soon = async (what, holds) => {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; ) {
    const found = await holds();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`${what} did not come within 15 seconds`);
};

const receiver = { requests: [], answers: [] };

before(async () => {
  receiver.server = http.createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      receiver.requests.push({ path: request.url, headers: request.headers, body, event: JSON.parse(body) });
      response.statusCode = receiver.answers.shift() ?? 200;
      response.end();
    });
  });
  receiver.server.listen(0, "127.0.0.1");
  await once(receiver.server, "listening");
  receiver.url = `http://127.0.0.1:${receiver.server.address().port}`;
});

after(() => {
  receiver.server.closeAllConnections();
  receiver.server.close();
});

const received = (path, type, id) =>
  receiver.requests.find((each) => each.path === path && each.event.type === type && each.event.data.object.id === id);

async function newEndpoint(path, more = {}) {
  return stripe.webhookEndpoints.create({ url: receiver.url + path, enabled_events: ["customer.*"], ...more });
}

describe("A webhook", () => {
  it("is accepted by the official clients and by the reference library of Standard Webhooks", async () => {
    const endpoint = await newEndpoint("/both");
    assert.match(endpoint.secret, /^whsec_[A-Za-z0-9+/]{32}$/);
    const customer = await stripe.customers.create({ name: "Jenny Rosen" });
    const request = await soon("the webhook", () => received("/both", "customer.created", customer.id));
    for (const { stripe: client } of Object.values(clients)) {
      const event = client.webhooks.constructEvent(request.body, request.headers["stripe-signature"], endpoint.secret);
      assert.equal(event.data.object.name, "Jenny Rosen");
      assert.throws(() =>
        client.webhooks.constructEvent(`${request.body} `, request.headers["stripe-signature"], endpoint.secret),
      );
    }
    const verified = new Webhook(endpoint.secret).verify(request.body, request.headers);
    assert.equal(verified.id, request.headers["webhook-id"]);
    assert.throws(() => new Webhook(endpoint.secret).verify(`${request.body} `, request.headers));
    assert.equal(request.headers["billd-customer"], customer.id);
    assert.equal(request.headers["billd-sequence"], "1");

    const event = await stripe.events.retrieve(request.event.id);
    assert.deepEqual(
      { ...event, pending_webhooks: 0, lastResponse: undefined },
      { ...request.event, pending_webhooks: 0, lastResponse: undefined },
    );
    await stripe.webhookEndpoints.del(endpoint.id);
  });

  it("is shown in the endpoint's version of the API", async () => {
    const old = await newEndpoint("/old", { api_version: "2017-04-06" });
    const customer = await stripe.customers.create({}, { idempotencyKey: unique("key") });
    const request = await soon("the webhook", () => received("/old", "customer.created", customer.id));
    assert.equal(request.event.api_version, "2017-04-06");
    assert.match(request.event.request, /^req_/);
    await stripe.webhookEndpoints.del(old.id);
  });

  it("is signed with both secrets while one is being rotated", async () => {
    const endpoint = await newEndpoint("/rotated");
    const rotated = await stripe.rawRequest("POST", `/v1/webhook_endpoints/${endpoint.id}/rotate_secret`, {
      expire_previous_after: 3600,
    });
    assert.notEqual(rotated.secret, endpoint.secret);
    const customer = await stripe.customers.create({});
    const { body, headers } = await soon("the webhook", () => received("/rotated", "customer.created", customer.id));
    for (const secret of [endpoint.secret, rotated.secret]) {
      stripe.webhooks.constructEvent(body, headers["stripe-signature"], secret);
      new Webhook(secret).verify(body, headers);
    }
    const last = await stripe.rawRequest("POST", `/v1/webhook_endpoints/${endpoint.id}/rotate_secret`, {
      expire_previous_after: 0,
    });
    const other = await stripe.customers.create({});
    const next = await soon("the webhook", () => received("/rotated", "customer.created", other.id));
    stripe.webhooks.constructEvent(next.body, next.headers["stripe-signature"], last.secret);
    assert.throws(() =>
      stripe.webhooks.constructEvent(next.body, next.headers["stripe-signature"], rotated.secret),
    );
    await stripe.webhookEndpoints.del(endpoint.id);
  });

  it("is pending until the endpoint took it, and may be sent again", async () => {
    const endpoint = await newEndpoint("/pending", { enabled_events: ["customer.created"] });
    receiver.answers = [500];
    const customer = await stripe.customers.create({});
    const first = await soon("the webhook", () => received("/pending", "customer.created", customer.id));
    const { id } = first.event;
    assert.equal((await stripe.events.retrieve(id)).pending_webhooks, 1);
    const undelivered = await stripe.events.list({ delivery_success: false, type: "customer.created" });
    assert.ok(undelivered.data.some((each) => each.id === id));
    // Five seconds later it is tried again.
    await soon("the delivery", async () => (await stripe.events.retrieve(id)).pending_webhooks === 0);
    const delivered = await stripe.events.list({ delivery_success: true, type: "customer.created" });
    assert.ok(delivered.data.some((each) => each.id === id));
    const before = receiver.requests.length;
    await stripe.rawRequest("POST", `/v1/events/${id}/retry`, { webhook_endpoint: endpoint.id });
    await soon("the repetition", () => receiver.requests.slice(before).find((each) => each.event.id === id));
    await stripe.webhookEndpoints.del(endpoint.id);
  });
});

describe("A webhook endpoint", () => {
  it("is made, shown without its secret, changed, listed and deleted", async () => {
    const made = await newEndpoint("/crud", { description: "for tests", metadata: { a: "b" } });
    assert.equal(made.object, "webhook_endpoint");
    assert.equal(made.status, "enabled");
    assert.equal(made.livemode, false);
    const shown = await stripe.webhookEndpoints.retrieve(made.id);
    assert.equal(shown.secret, undefined);
    assert.deepEqual(shown.metadata, { a: "b" });
    const changed = await stripe.webhookEndpoints.update(made.id, {
      url: "https://example.com/elsewhere",
      enabled_events: ["*"],
      disabled: true,
      description: "",
    });
    assert.equal(changed.secret, undefined);
    assert.equal(changed.status, "disabled");
    assert.equal(changed.description, null);
    assert.deepEqual(changed.enabled_events, ["*"]);
    const { data } = await stripe.webhookEndpoints.list({ limit: 100 });
    assert.ok(data.some((each) => each.id === made.id));
    assert.equal((await stripe.webhookEndpoints.del(made.id)).deleted, true);
    const error = await refusal(stripe.webhookEndpoints.retrieve(made.id));
    assert.equal(error.statusCode, 404);
    assert.equal(error.message, `No such webhook endpoint: ${made.id}`);
  });

  it("has one secret however often its creation is repeated", async () => {
    const idempotencyKey = unique("key");
    const parameters = { url: `${receiver.url}/once`, enabled_events: ["invoice.paid"] };
    const first = await stripe.webhookEndpoints.create(parameters, { idempotencyKey });
    const second = await stripe.webhookEndpoints.create(parameters, { idempotencyKey });
    assert.equal(second.id, first.id);
    assert.equal(second.secret, first.secret);
    assert.match(first.secret, /^whsec_[^@]/);
    await stripe.webhookEndpoints.del(first.id);
  });

  const refused = [
    ["without a URL", { url: undefined }, "url"],
    ["with a URL that is none", { url: "example" }, "url"],
    ["in a private network", { url: "http://10.0.0.1/" }, "url"],
    ["without types", { enabled_events: undefined }, "enabled_events"],
    ["with a type that is none", { enabled_events: ["invoice.paid", "Invoice paid"] }, "enabled_events[1]"],
    ["with a version that is none", { api_version: "yesterday" }, "api_version"],
  ];
  for (const [name, parameters, parameter] of refused) {
    it(`is refused ${name}`, async () => {
      const error = await refusal(newEndpoint("/refused", parameters));
      assert.equal(error.statusCode, 400);
      assert.equal(error.param, parameter);
    });
  }

  it("is refused beyond the limit", async () => {
    const made = [];
    let error;
    while (!error && made.length < 20) {
      try {
        made.push(await newEndpoint("/many", { enabled_events: ["plan.created"] }));
      } catch (refusal) {
        error = refusal;
      }
    }
    assert.match(error.message, /maximum of 16 test webhook endpoints/);
    for (const { id } of made) await stripe.webhookEndpoints.del(id);
  });
});
