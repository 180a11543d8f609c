// Daemons of their own, and what an import test asks of them.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import Stripe from "stripe";

const billd = process.env.BILLD;
export const key = "sk_test_import";
export const day = 24 * 3600;

export async function run(args, environment = {}) {
  const env = { ...process.env, ...environment };
  try {
    const { stdout, stderr } = await promisify(execFile)(billd, args, { env });
    return { status: 0, text: stdout, said: stderr };
  } catch (error) {
    if (typeof error.code !== "number") throw error;
    return { status: error.code, text: error.stdout, said: error.stderr };
  }
}

export class Daemon {
  constructor(folder, name) {
    this.state = join(folder, name);
  }

  async start() {
    const listen = ["--listen", "127.0.0.1:0", "--operators", "127.0.0.1:0"];
    this.process = spawn(billd, ["serve", "--dev", "--state-dir", this.state, ...listen], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    for await (const line of createInterface({ input: this.process.stdout })) {
      this.url ??= /API\s+(http:\S+)/.exec(line)?.[1];
      this.status = /Status\s+(http:\S+)/.exec(line)?.[1];
      if (this.status) break;
    }
    this.process.stdout.resume();
    const { hostname, port } = new URL(this.url);
    this.stripe = new Stripe(key, { host: hostname, port, protocol: "http", maxNetworkRetries: 0 });
  }

  async stop() {
    const ended = once(this.process, "exit");
    this.process.kill("SIGTERM");
    await ended;
  }

  async advance(clock, to) {
    await this.stripe.testHelpers.testClocks.advance(clock, { frozen_time: to });
    for (const deadline = Date.now() + 120_000; Date.now() < deadline; ) {
      const { status } = await this.stripe.testHelpers.testClocks.retrieve(clock);
      if (status === "ready") return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.fail("the test clock did not arrive within two minutes");
  }

  /** What a command prints, what it says of that, and its exit status. */
  async run(...args) {
    return run([...args, "--state-dir", this.state]);
  }

  /** What was redeemed before is known to a running daemon within a second. */
  async import(...from) {
    const { status, text, said } = await this.run("import", "--mode", "test", "--json", ...from);
    await sleep(1500);
    return { status, said, ...(text && JSON.parse(text)) };
  }

  /** Every rule that billd verify finds broken, with examples. */
  async broken() {
    const { rules } = JSON.parse((await this.run("verify", "--json")).text);
    return Object.entries(rules).filter(([, { violations }]) => violations > 0);
  }
}

/** What an invoice says, without the identifiers of what was made after the import. */
export const told = (invoice) => ({
  number: invoice.number,
  status: invoice.status,
  total: invoice.total,
  amount_paid: invoice.amount_paid,
  attempt_count: invoice.attempt_count,
  billing_reason: invoice.billing_reason,
  created: invoice.created,
  subscription: invoice.subscription,
  lines: invoice.lines.data.map(({ amount, period, quantity, plan }) => ({ amount, period, quantity, plan: plan?.id })),
});

export async function everything(list, parameters) {
  const all = [];
  for await (const each of list({ limit: 100, ...parameters })) all.push(each);
  return all;
}
