// The table of what billd serves of Stripe's API, and the verdict of the run.
import { descriptions } from "./descriptions.mjs";

const families = (operations) => operations.filter((each) => each.answers);

/** The operations of the API that billd's customers face was asked for: each must have been seen to be good. */
const promised = `
  GET /v1/customers
  POST /v1/customers
  GET /v1/customers/{customer}
  POST /v1/customers/{customer}
  DELETE /v1/customers/{customer}
  GET /v1/customers/{customer}/sources
  POST /v1/customers/{customer}/sources
  GET /v1/customers/{customer}/sources/{id}
  POST /v1/customers/{customer}/sources/{id}
  DELETE /v1/customers/{customer}/sources/{id}
  GET /v1/customers/{customer}/cards
  POST /v1/customers/{customer}/cards
  GET /v1/customers/{customer}/cards/{id}
  POST /v1/customers/{customer}/cards/{id}
  DELETE /v1/customers/{customer}/cards/{id}
  GET /v1/customers/{customer}/bank_accounts
  POST /v1/customers/{customer}/bank_accounts
  GET /v1/customers/{customer}/bank_accounts/{id}
  POST /v1/customers/{customer}/bank_accounts/{id}
  DELETE /v1/customers/{customer}/bank_accounts/{id}
  POST /v1/customers/{customer}/bank_accounts/{id}/verify
  POST /v1/customers/{customer}/sources/{id}/verify
  GET /v1/customers/{customer}/subscriptions
  POST /v1/customers/{customer}/subscriptions
  GET /v1/customers/{customer}/subscriptions/{subscription_exposed_id}
  POST /v1/customers/{customer}/subscriptions/{subscription_exposed_id}
  DELETE /v1/customers/{customer}/subscriptions/{subscription_exposed_id}
  POST /v1/tokens
  GET /v1/tokens/{token}
  GET /v1/customers/search
  GET /v1/customers/{customer}/payment_methods
  POST /v1/payment_methods
  GET /v1/payment_methods/{payment_method}
  POST /v1/payment_methods/{payment_method}
  POST /v1/payment_methods/{payment_method}/attach
  POST /v1/payment_methods/{payment_method}/detach
  GET /v1/payment_intents
  GET /v1/payment_intents/{intent}
  POST /v1/payment_intents/{intent}/confirm
  POST /v1/setup_intents
  GET /v1/setup_intents/{intent}
  POST /v1/setup_intents/{intent}
  POST /v1/setup_intents/{intent}/confirm
  POST /v1/setup_intents/{intent}/cancel
`
  .trim()
  .split(/\n\s*/);

/**
 * One line for each operation of the families that bill recurringly: of each version how many answers were held
 * against its description and were good. "-": the version has no such operation; "no": billd does not serve it.
 */
export function table(findings, served) {
  const names = new Set(descriptions.flatMap(({ operations }) => families(operations).map(({ name }) => name)));
  const cell = (description, name) => {
    if (!description.operations.some((each) => each.name === name)) return "-";
    if (!served.get(description.version).includes(name)) return "no";
    return String(findings.validated.get(description.version).get(name) ?? 0);
  };
  const lines = [["operation", ...descriptions.map(({ version }) => version)]];
  for (const name of [...names].sort((left, right) => left.split(" ")[1].localeCompare(right.split(" ")[1])))
    lines.push([name, ...descriptions.map((each) => cell(each, name))]);
  const total = ({ version, operations }) => `${served.get(version).length} of ${operations.length}`;
  lines.push(["served of all operations", ...descriptions.map(total)]);
  return lines.map(([name, ...cells]) => name.padEnd(78) + cells.map((each) => each.padStart(12)).join("")).join("\n");
}

/** What the run failed for, sentence by sentence. */
export function failures(findings, served) {
  const sentences = [...findings.wrong].map(([what, times]) => `${what} (${times} times)`);
  for (const { version, operations } of descriptions) {
    for (const name of promised) {
      if (!operations.some((each) => each.name === name)) continue;
      const good = findings.validated.get(version).has(name);
      if (!served.get(version).includes(name)) sentences.push(`${version} ${name} is not served`);
      else if (!good) sentences.push(`${version} ${name} was never seen to be good`);
    }
  }
  return sentences.sort();
}
