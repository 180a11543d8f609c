// The status page in Debian's Chromium: usage node page.mjs PATH-TO-BILLD FOLDER-FOR-SCREENSHOTS. Ends with 77, which
// ctest takes for "skipped", without playwright-core or Chromium.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Daemon } from "./daemon.mjs";

const [billd, folder] = process.argv.slice(2);
const executablePath = "/usr/bin/chromium";
const { chromium } = await import("playwright-core").catch(() => ({}));
if (!chromium || !existsSync(executablePath)) {
  console.error("Missing: npm ci --prefix tests/operators --ignore-scripts; apt-get install chromium");
  process.exit(77);
}
mkdirSync(folder, { recursive: true });

const launch = {
  executablePath,
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};
const desk = { width: 1280, height: 900 };
const phone = { width: 390, height: 844 };

/** Everything that the browser complains of. */
const complaints = [];

async function withPage(options, use) {
  const profile = mkdtempSync(join(tmpdir(), "billd-chromium-"));
  const context = await chromium.launchPersistentContext(profile, { ...launch, ...options });
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.setDefaultTimeout(20_000);
    await use(page);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

const shot = (page, name) => page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });

/** Nothing may be wider than the screen: who reads on a phone does not scroll sideways. */
async function fits(page) {
  const width = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(width <= 0, `${page.url()} is ${width} pixels wider than the screen`);
}

async function customers(daemon, count) {
  const made = [];
  await daemon.post("/v1/plans", { id: "gold", amount: 2000, currency: "usd", interval: "day", nickname: "Gold" });
  for (let i = 0; i < count; ++i) {
    const customer = await daemon.post("/v1/customers", { email: `c${i}@example.com`, source: "tok_visa" });
    await daemon.post("/v1/subscriptions", { customer: customer.id, plan: "gold" });
    made.push(customer.id);
  }
  return made;
}

async function rendersAndIsLive(daemon, [first]) {
  await withPage({ viewport: desk, colorScheme: "light" }, async (page) => {
    await page.goto(`${daemon.operators}/status`);
    const verdict = page.locator("#verdict .verdict");
    assert.equal(await verdict.innerText(), "Nothing is late.");
    assert.deepEqual(await page.locator("h2").allInnerTexts(), [
      "Is anything late?",
      "Is work moving?",
      "When will it be clean?",
      "What failed, and why?",
      "What may I do?",
      "What is coming?",
    ]);
    await page.locator(".live", { hasText: "live" }).waitFor();
    // What happens meanwhile appears without a reload.
    await page.evaluate(() => (window.isSamePage = true));
    await daemon.act({ action: "park", account: first });
    await page.locator("#verdict", { hasText: "1 parked account waits for you." }).waitFor();
    await page.locator("#failed", { hasText: "an operator parked it" }).waitFor();
    assert.equal(await page.evaluate(() => window.isSamePage), true);
    assert.match(await page.title(), /1 parked account/);
    await page.locator("#coming h3", { hasText: "Due in the next month" }).waitFor();
    await fits(page);
    await shot(page, "status-light");
  });
}

async function retriesAParkedAccount(daemon, [first]) {
  await withPage({ viewport: desk, colorScheme: "light" }, async (page) => {
    await page.goto(`${daemon.operators}/status`);
    await page.locator("#failed a.button", { hasText: "Retry all" }).click();
    await page.locator("h1", { hasText: "Are you sure?" }).waitFor();
    await shot(page, "confirmation-light");
    await page.getByLabel("Who are you?").fill("anna");
    await page.getByLabel("Why?").fill("the cause is mended");
    await page.getByRole("button", { name: "Retry 1 account" }).click();
    await page.locator(".done", { hasText: "entry 2 of the audit log" }).waitFor();
    await page.locator("#verdict", { hasText: "Nothing is late." }).waitFor();
    assert.equal((await daemon.status()).parked.length, 0);
    const [entry] = (await daemon.status()).actions;
    assert.equal(entry.who, "anna (unverified)");
    assert.equal(entry.why, "the cause is mended");
    // The name is known the next time.
    await page.goto(`${daemon.operators}/status/act?action=pause&queue=renewal`);
    assert.equal(await page.getByLabel("Who are you?").inputValue(), "anna");
    await page.goto(`${daemon.operators}/status/accounts?id=${first}`);
    await page.locator("h2", { hasText: "What happened" }).waitFor();
    await page.locator("li", { hasText: "was paid" }).first().waitFor();
    await fits(page);
    await shot(page, "account-light");
  });
}

async function isReadableOnAPhoneInTheDark(daemon, [, second]) {
  await daemon.act({ action: "pause", queue: "collection", why: "the gateway is being mended" });
  await daemon.act({ action: "park", account: second });
  const options = { viewport: phone, deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme: "dark" };
  await withPage(options, async (page) => {
    await page.goto(`${daemon.operators}/status`);
    await page.locator("#verdict", { hasText: "1 queue is paused. 1 parked account waits for you." }).waitFor();
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const [red, green, blue] = ground.match(/\d+/g).map(Number);
    assert.ok(red + green + blue < 150, `the page is dark: ${ground}`);
    for (const label of await page.locator(".axis span").all()) {
      const size = await label.evaluate((element) => parseFloat(getComputedStyle(element).fontSize));
      assert.ok(size >= 12, `a label of ${size} pixels`);
    }
    await fits(page);
    await shot(page, "status-phone-dark");
    const details = ["queues/renewal", `accounts?id=${second}`, "audit", "act?action=retry"];
    for (const path of details.map((detail) => `/status/${detail}`)) {
      await page.goto(daemon.operators + path);
      await fits(page);
    }
    await shot(page, "confirmation-phone-dark");
  });
  await withPage({ viewport: desk, colorScheme: "dark" }, async (page) => {
    await page.goto(`${daemon.operators}/status`);
    await page.locator(".live", { hasText: "live" }).waitFor();
    await shot(page, "status-dark");
    await page.goto(`${daemon.operators}/status/queues/renewal`);
    await shot(page, "queue-dark");
    await page.goto(`${daemon.operators}/status/audit`);
    await shot(page, "audit-dark");
  });
}

async function worksWithoutScripts(daemon, [, second]) {
  await withPage({ viewport: phone, javaScriptEnabled: false, colorScheme: "light" }, async (page) => {
    await page.goto(`${daemon.operators}/status`);
    await page.locator("h2", { hasText: "What is coming?" }).waitFor();
    await fits(page);
    await shot(page, "status-phone-without-javascript");
    await page.locator("input[name=id]").fill(second);
    await page.locator("header button").click();
    await page.locator(".buttons a", { hasText: "Retry" }).click();
    await page.locator("input[name=by]").fill("bob");
    await page.locator("input[name=why]").fill("no script was needed");
    await page.locator("form button").click();
    await page.locator(".done", { hasText: "audit log" }).waitFor();
    const { parked, actions } = await daemon.status();
    assert.equal(parked.length, 0);
    assert.equal(actions[0].why, "no script was needed");
  });
}

async function showsWhatAnEndpointDidNotTake(daemon) {
  await daemon.act({ action: "resume", queue: "collection" });
  // Nobody listens there.
  const wanted = { url: "http://127.0.0.1:9/hooks", "enabled_events[]": "*" };
  const endpoint = await daemon.post("/v1/webhook_endpoints", wanted);
  const customer = await daemon.post("/v1/customers", { email: "late@example.com" });
  const options = { viewport: phone, deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme: "dark" };
  await withPage(options, async (page) => {
    await page.goto(`${daemon.operators}/status`);
    await page.locator("#verdict", { hasText: "1 webhook endpoint fails" }).waitFor();
    await page.locator("#moving a", { hasText: "webhook_delivery" }).click();
    await page.locator("td", { hasText: "has failed for" }).waitFor();
    await fits(page);
    await page.locator("a", { hasText: endpoint.id }).click();
    await page.locator("h2", { hasText: "What waits to be tried again" }).waitFor();
    await page.locator("tr", { hasText: "refused" }).first().waitFor();
    await fits(page);
    await shot(page, "webhook-phone-dark");
  });
  await withPage({ viewport: desk, colorScheme: "light" }, async (page) => {
    await page.goto(`${daemon.operators}/status/webhooks`);
    await shot(page, "webhooks-light");
    // From an account to why it is as it is.
    await page.goto(`${daemon.operators}/status/accounts?id=${customer.id}`);
    await page.locator("a.button", { hasText: "Explain" }).click();
    await page.locator("h1", { hasText: customer.id }).waitFor();
    await shot(page, "explanation-light");
  });
}

async function saysThatItLostTheDaemon(daemon) {
  await withPage({ viewport: desk, colorScheme: "light" }, async (page) => {
    await page.goto(`${daemon.operators}/status`);
    await page.locator(".live", { hasText: "live" }).waitFor();
    const complained = complaints.length;
    assert.equal(await daemon.stop(), 0, "open pages do not keep the daemon from stopping");
    await page.locator(".live.lost").waitFor();
    complaints.length = complained; // that the connection is refused is no fault of the page
  });
}

const daemon = await Daemon.start(billd, ["billing.invoice_finalize_delay=1s"]);
try {
  const made = await customers(daemon, 6);
  for (const check of [
    rendersAndIsLive,
    retriesAParkedAccount,
    isReadableOnAPhoneInTheDark,
    worksWithoutScripts,
    showsWhatAnEndpointDidNotTake,
    saysThatItLostTheDaemon,
  ]) {
    await check(daemon, made);
    console.log(`ok ${check.name}`);
  }
  assert.deepEqual(complaints, [], "the browser complains of nothing");
} finally {
  if (daemon.process.exitCode === null) await daemon.stop();
}
