// The table of what billd serves of Stripe's API, and the verdict of the run.
import { descriptions } from "./descriptions.mjs";
import { seed } from "./seed.mjs";

const families = (operations) => operations.filter((each) => each.answers);

/** Beside what was asked for first: each must have been seen to be good. */
const promised = `
  GET /v1/customers/search
  POST /v1/tokens
  GET /v1/tokens/{token}
  POST /v1/payment_methods
  GET /v1/payment_methods
  GET /v1/payment_methods/{payment_method}
  POST /v1/payment_methods/{payment_method}
  POST /v1/payment_methods/{payment_method}/attach
  POST /v1/payment_methods/{payment_method}/detach
  GET /v1/customers/{customer}/payment_methods
  POST /v1/setup_intents
  GET /v1/setup_intents
  GET /v1/setup_intents/{intent}
  POST /v1/setup_intents/{intent}
  POST /v1/setup_intents/{intent}/confirm
  POST /v1/setup_intents/{intent}/cancel
  GET /v1/payment_intents
  GET /v1/payment_intents/{intent}
  POST /v1/payment_intents/{intent}/confirm
  GET /v1/products
  POST /v1/products
  GET /v1/products/{id}
  POST /v1/products/{id}
  DELETE /v1/products/{id}
  GET /v1/plans
  POST /v1/plans
  GET /v1/plans/{plan}
  POST /v1/plans/{plan}
  DELETE /v1/plans/{plan}
  GET /v1/prices
  POST /v1/prices
  GET /v1/prices/{price}
  POST /v1/prices/{price}
  GET /v1/coupons
  POST /v1/coupons
  GET /v1/coupons/{coupon}
  POST /v1/coupons/{coupon}
  DELETE /v1/coupons/{coupon}
  GET /v1/promotion_codes
  POST /v1/promotion_codes
  GET /v1/promotion_codes/{promotion_code}
  POST /v1/promotion_codes/{promotion_code}
  GET /v1/tax_rates
  POST /v1/tax_rates
  GET /v1/tax_rates/{tax_rate}
  POST /v1/tax_rates/{tax_rate}
  GET /v1/subscriptions
  POST /v1/subscriptions
  GET /v1/subscriptions/{subscription_exposed_id}
  POST /v1/subscriptions/{subscription_exposed_id}
  DELETE /v1/subscriptions/{subscription_exposed_id}
  DELETE /v1/subscriptions/{subscription_exposed_id}/discount
  POST /v1/subscription_items/{subscription_item}/usage_records
  GET /v1/subscription_items/{subscription_item}/usage_record_summaries
  GET /v1/subscription_items
  POST /v1/subscription_items
  GET /v1/subscription_items/{item}
  POST /v1/subscription_items/{item}
  DELETE /v1/subscription_items/{item}
  GET /v1/subscription_schedules
  POST /v1/subscription_schedules
  GET /v1/subscription_schedules/{schedule}
  POST /v1/subscription_schedules/{schedule}
  POST /v1/subscription_schedules/{schedule}/cancel
  POST /v1/subscription_schedules/{schedule}/release
  GET /v1/invoiceitems
  POST /v1/invoiceitems
  GET /v1/invoiceitems/{invoiceitem}
  POST /v1/invoiceitems/{invoiceitem}
  DELETE /v1/invoiceitems/{invoiceitem}
  GET /v1/invoices
  POST /v1/invoices
  GET /v1/invoices/upcoming
  GET /v1/invoices/upcoming/lines
  GET /v1/invoices/{invoice}
  POST /v1/invoices/{invoice}
  DELETE /v1/invoices/{invoice}
  GET /v1/invoices/{invoice}/lines
  POST /v1/invoices/{invoice}/finalize
  POST /v1/invoices/{invoice}/pay
  POST /v1/invoices/{invoice}/send
  POST /v1/invoices/{invoice}/void
  POST /v1/invoices/{invoice}/mark_uncollectible
  GET /v1/credit_notes
  POST /v1/credit_notes
  GET /v1/credit_notes/preview
  GET /v1/credit_notes/preview/lines
  GET /v1/credit_notes/{id}
  POST /v1/credit_notes/{id}
  POST /v1/credit_notes/{id}/void
  GET /v1/credit_notes/{credit_note}/lines
  GET /v1/customers/{customer}/tax_ids
  POST /v1/customers/{customer}/tax_ids
  GET /v1/customers/{customer}/tax_ids/{id}
  DELETE /v1/customers/{customer}/tax_ids/{id}
  POST /v1/subscriptions/{subscription}/resume
  GET /v1/customers/{customer}/balance_transactions
  POST /v1/customers/{customer}/balance_transactions
  GET /v1/customers/{customer}/balance_transactions/{transaction}
  POST /v1/customers/{customer}/balance_transactions/{transaction}
  GET /v1/charges
  POST /v1/charges
  GET /v1/charges/{charge}
  POST /v1/charges/{charge}
  GET /v1/refunds
  POST /v1/refunds
  GET /v1/refunds/{refund}
  POST /v1/refunds/{refund}
  GET /v1/events
  GET /v1/events/{id}
  GET /v1/test_helpers/test_clocks
  POST /v1/test_helpers/test_clocks
  GET /v1/test_helpers/test_clocks/{test_clock}
  POST /v1/test_helpers/test_clocks/{test_clock}/advance
  DELETE /v1/test_helpers/test_clocks/{test_clock}
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

/**
 * What the run failed for, sentence by sentence: answers that were not good, promises that were not kept, and what is
 * served although nobody has seen it to be good.
 */
export function failures(findings, served) {
  const sentences = [...findings.wrong].map(([what, times]) => `${what} (${times} times)`);
  for (const { version, operations } of descriptions) {
    for (const { name, answers } of operations) {
      const is_served = served.get(version).includes(name);
      if ([...seed, ...promised].includes(name) && !is_served) sentences.push(`${version} ${name} is not served`);
      if (is_served && answers && !findings.validated.get(version).has(name))
        sentences.push(`${version} ${name} is served, and was never seen to be good`);
    }
  }
  return sentences.sort();
}
