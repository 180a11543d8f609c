// The numbers of payment cards: wherever they are sent, none of them is kept or logged.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { key } from "./clients.mjs";
import { call } from "./wire.mjs";

const random = (() => {
  let state = 20260115;
  return (below) => (state = (state * 1103515245 + 12345) % 2147483648) % below;
})();

/** How numbers begin, and how long they are. Source: ISO/IEC 7812 as the brands use it. */
const brands = [
  ["4", 13], ["4", 16], ["4", 19], ["51", 16], ["55", 16], ["2221", 16], ["34", 15], ["37", 15], ["6011", 16],
  ["65", 16], ["36", 14], ["300", 14], ["3528", 16], ["62", 16], ["62", 19],
];

/** A number with the right check digit of one of the brands. */
function cardNumber() {
  const [beginning, length] = brands[random(brands.length)];
  const digits = [...beginning].map(Number);
  while (digits.length < length - 1) digits.push(random(10));
  let sum = 0;
  for (const [i, digit] of [...digits].reverse().entries()) {
    const value = i % 2 === 0 ? digit * 2 : digit;
    sum += value > 9 ? value - 9 : value;
  }
  return digits.join("") + ((10 - (sum % 10)) % 10);
}

const grouped = (number, separator) => number.replaceAll(/(\d{4})(?=\d)/g, `$1${separator}`);

const customer = (await call("2020-08-27", "POST /v1/customers", { source: "tok_visa" })).body;
const source = customer.default_source;

const expiry = { exp_month: 1, exp_year: 2040 };

/** Every place for a text: the operation, and its parameters around it. */
const places = [
  ...["email", "name", "phone", "description", "source", "card", "default_source", "payment_method", "test_clock"].map(
    (name) => ["POST /v1/customers", (text) => ({ [name]: text })],
  ),
  ...["line1", "line2", "city", "state", "postal_code", "country"].flatMap((name) => [
    ["POST /v1/customers", (text) => ({ address: { [name]: text } })],
    [`POST /v1/customers/${customer.id}`, (text) => ({ shipping: { name: "x", address: { [name]: text } } })],
  ]),
  ["POST /v1/customers", (text) => ({ metadata: { note: text } })],
  ["POST /v1/customers", (text) => ({ metadata: { [text]: "note" } })],
  ["POST /v1/customers", (text) => ({ preferred_locales: [text] })],
  [`POST /v1/customers/${customer.id}`, (text) => ({ shipping: { name: text, address: { line1: "x" } } })],
  [`POST /v1/customers/${customer.id}/sources`, (text) => ({ source: text })],
  [`POST /v1/customers/${customer.id}/sources`, (number) => ({ source: { object: "card", number, ...expiry } })],
  [`POST /v1/customers/${customer.id}/cards`, (number) => ({ card: { number, ...expiry } })],
  ["POST /v1/tokens", (number) => ({ card: { number, ...expiry } })],
  ["POST /v1/payment_methods", (number) => ({ type: "card", card: { number, ...expiry } })],
  ["POST /v1/payment_methods", (text) => ({ type: "card", card: { token: text } })],
  ...["name", "address_line1", "address_line2", "address_city", "address_state", "address_zip", "address_country"].map(
    (name) => [`POST /v1/customers/${customer.id}/sources/${source}`, (text) => ({ [name]: text })],
  ),
  [`POST /v1/customers/${customer.id}/sources/${source}`, (text) => ({ metadata: { note: text } })],
  ["GET /v1/customers", (text) => ({ email: text })],
  ["GET /v1/customers", (text) => ({ starting_after: text })],
];

const filesBelow = (folder) =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.path, entry.name));

describe("A thousand numbers of payment cards", () => {
  it("are refused in every text of customers and sources, and neither Redis' files nor the log hold one", async () => {
    const numbers = Array.from({ length: 1000 }, cardNumber);
    const forms = [(number) => number, (number) => grouped(number, " "), (number) => grouped(number, "-")];
    for (const [i, number] of numbers.entries()) {
      const [operation, parameters] = places[i % places.length];
      const text = forms[Math.floor(i / places.length) % forms.length](number);
      const idempotency = i % 2 === 0 ? { "idempotency-key": `secret-${i}` } : {};
      const { status, body } = await call("2020-08-27", operation, parameters(text), idempotency);
      assert.ok(status === 400 || status === 402, `${operation} is answered ${status}: ${JSON.stringify(body)}`);
      const answer = JSON.stringify(body).replaceAll(/[ -]/g, "");
      assert.ok(!answer.includes(number), `${operation} tells the number`);
    }
    // Also where nobody expects a text, and as a key or an identifier.
    for (const number of numbers.slice(0, 20)) {
      const { status } = await call("2020-08-27", `GET /v1/customers/${number}`);
      assert.ok(status >= 400);
      await call("2020-08-27", "POST /v1/customers", {}, { "idempotency-key": number, authorization: `Bearer ${key}` });
    }
    const files = [...filesBelow(process.env.BILLD_STATE), process.env.BILLD_LOG];
    assert.ok(files.some((name) => name.includes("appendonly")), "there is an append-only file to be searched");
    for (const name of files) {
      const content = readFileSync(name, "latin1");
      const plain = content.replaceAll(/[ -]/g, "");
      for (const number of numbers)
        assert.ok(!content.includes(number) && !plain.includes(number), `${name} holds a card's number`);
    }
  });
});
