// The clients under test, and what the tests have in common.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import http from "node:http";
import Stripe from "stripe";
import Stripe4 from "stripe-4";
import Stripe8 from "stripe-8";

const api = new URL(process.env.BILLD_API);
export const key = "sk_test_sdk";

function modern(Client, { hostname, port }, options = {}) {
  return new Client(key, { host: hostname, port, protocol: "http", maxNetworkRetries: 0, ...options });
}

function old({ hostname, port }) {
  const client = Stripe4(key);
  client.setHost(hostname, port, "http");
  client.setApiVersion("2018-05-21");
  // It waits for each socket to connect, which one that Node uses again never does.
  client.setHttpAgent(new http.Agent({ keepAlive: false }));
  return client;
}

/** Of the API at that address, by name: each with how it cancels a subscription when its period ends. */
export const clientsOf = (address) => ({
  newest: {
    stripe: modern(Stripe, address),
    cancelAtPeriodEnd: (stripe, id) => stripe.subscriptions.update(id, { cancel_at_period_end: true }),
  },
  "version 8": {
    stripe: modern(Stripe8, address, { apiVersion: "2020-08-27" }),
    cancelAtPeriodEnd: (stripe, id) => stripe.subscriptions.update(id, { cancel_at_period_end: true }),
  },
  "version 4": {
    stripe: old(address),
    cancelAtPeriodEnd: (stripe, id) => stripe.subscriptions.del(id, { at_period_end: true }),
  },
});
export const clients = clientsOf(api);

export const stripe = clients.newest.stripe;
export const withKey = (otherKey) => new Stripe(otherKey, { host: api.hostname, port: api.port, protocol: "http" });

export const unique = (name) => `${name} ${randomUUID()}`;

export function monthlyPlan(client = stripe, more = {}) {
  return client.plans.create({
    amount: 1900,
    currency: "usd",
    interval: "month",
    product: { name: unique("Basic") },
    ...more,
  });
}

const hour = 3600;
// A day that every month has.
export const start = Date.UTC(2026, 0, 15, 12) / 1000;

/** The instant `months` later, by the calendar, and some hours more, in which invoices are closed and charged. */
export function later(months, hours = 2) {
  return Date.UTC(2026, months, 15, 12) / 1000 + hours * hour;
}

export async function newClock() {
  return stripe.testHelpers.testClocks.create({ frozen_time: start, name: unique("clock") });
}

/** Lets time pass until it is `to`, and waits until everything has happened that was due. */
export async function advance(clock, to) {
  await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: to });
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    const { status } = await stripe.testHelpers.testClocks.retrieve(clock.id);
    if (status === "ready") return;
    assert.equal(status, "advancing");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("the test clock did not arrive within a minute");
}

/** The error with which the call is refused. */
export async function refusal(call) {
  try {
    await call;
  } catch (error) {
    return error;
  }
  assert.fail("the call was not refused");
}
