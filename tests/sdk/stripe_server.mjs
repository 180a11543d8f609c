// A server that answers what is exported as api.stripe.com does: at the version that is asked for, page by page, with
// what is shown only when it is expanded, its errors, and its refusal of everything that it does not know. What it
// answers is held against Stripe's own description of that version.
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { descriptionOf } from "./descriptions.mjs";
import { key } from "./import_daemon.mjs";
import { everything } from "./stripe_export.mjs";

const version = "2023-08-16";
const paging = ["limit", "starting_after", "ending_before", "expand[]"];
const applies = "discount.coupon.applies_to";
/** Of each list: the filters that it takes, and what is told only when it is expanded. */
const lists = {
  products: {},
  plans: { expanded: ["tiers"] },
  prices: { filters: ["type"], expanded: ["tiers"] },
  coupons: { expanded: ["applies_to"] },
  promotion_codes: {},
  tax_rates: {},
  test_clocks: {},
  customers: { filters: ["test_clock"], expanded: ["sources", "tax_ids", applies] },
  sources: {},
  tax_ids: {},
  payment_methods: { filters: ["customer", "type"] },
  subscriptions: { filters: ["customer", "status"], expanded: [applies] },
  subscription_schedules: { filters: ["customer"] },
  usage_record_summaries: {},
  invoices: { filters: ["customer", "status"] },
  lines: {},
  invoiceitems: { filters: ["customer", "pending"] },
};

class Refusal extends Error {
  constructor(status, message, param) {
    super(message);
    this.status = status;
    this.body = { error: { message, type: "invalid_request_error", ...(param && { param }) } };
  }
}

function without(object, [name, ...rest]) {
  if (!object || !(name in object)) return object;
  if (rest.length > 0) return { ...object, [name]: without(object[name], rest) };
  const { [name]: left, ...others } = object;
  return others;
}

export class StripeServer {
  /**
   * `data`: what is there, by kind. `faults`: each { on, status, headers, times } meets that many requests whose path
   * matches. `tls`: key and certificate, as PEM. `expands`: whether it tells more than by itself.
   */
  constructor({ data = everything, faults = [], tls, expands = true } = {}) {
    Object.assign(this, { expands, data, faults: faults.map((each) => ({ ...each })), requests: [], problems: [] });
    this.description = descriptionOf(version);
    const answer = (request, response) => this.answer(request, response);
    this.server = tls ? https.createServer(tls, answer) : http.createServer(answer);
    this.scheme = tls ? "https" : "http";
  }

  async start() {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    this.url = `${this.scheme}://localhost:${this.server.address().port}`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, "http://stripe.example");
    this.requests.push({ path: pathname, at: Date.now() });
    const fault = this.faults.find(({ on, times }) => times > 0 && on.test(pathname));
    let status = 200;
    let body;
    if (fault) {
      fault.times -= 1;
      ({ status } = fault);
      body = { error: { message: fault.message ?? "Not now", type: "api_error" } };
    } else {
      try {
        const { authorization } = request.headers;
        if (authorization !== `Bearer ${key}`) throw new Refusal(401, `Invalid API Key provided: ${authorization}`);
        if (request.headers["stripe-version"] !== version) throw new Refusal(400, "Another version is expected here");
        body = this.find(pathname, searchParams);
        const wrong = this.description.problems("GET", pathname, 200, JSON.parse(JSON.stringify(body)));
        this.problems.push(...wrong.map((problem) => `${pathname}: ${problem}`));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        ({ status, body } = error);
      }
    }
    response.writeHead(status, { "Content-Type": "application/json", ...fault?.headers });
    response.end(JSON.stringify(body));
  }

  of(kind) {
    return this.data[kind]?.data ?? [];
  }

  find(path, parameters) {
    const parts = path.split("/").slice(2);
    if (parts[0] === "test_helpers") parts.shift();
    const [kind, id, part] = parts;
    if (id === undefined) return this.list(kind, path, parameters, this.filtered(kind, parameters));
    const owner = kind === "subscription_items" ? this.itemOf(id) : this.of(kind).find((each) => each.id === id);
    if (owner === undefined) throw new Refusal(404, `No such object: '${id}'`, "id");
    if (part === undefined) return owner;
    if (part !== "usage_record_summaries") return this.list(part, path, parameters, owner[part]?.data ?? []);
    if (owner.plan.usage_type !== "metered" || owner.plan.meter)
      throw new Refusal(400, "Usage records are for items whose usage is reported by usage records.");
    const summaries = this.of(part).filter((each) => each.subscription_item === id);
    return this.list(part, path, parameters, summaries);
  }

  itemOf(id) {
    return this.of("subscriptions")
      .flatMap(({ items }) => items.data)
      .find((each) => each.id === id);
  }

  filtered(kind, parameters) {
    const asked = (name) => parameters.get(name);
    let data = this.of(kind);
    if (asked("customer")) data = data.filter((each) => each.customer === asked("customer"));
    if (kind === "payment_methods") data = data.filter((each) => each.type === asked("type"));
    if (kind === "prices" && asked("type")) data = data.filter((each) => each.type === asked("type"));
    if (kind === "invoices" && asked("status")) data = data.filter((each) => each.status === asked("status"));
    if (kind === "invoiceitems" && asked("pending")) data = data.filter((each) => each.invoice === null);
    if (kind === "subscriptions" && !asked("status")) data = data.filter((each) => each.status !== "canceled");
    // Customers on a test clock are told of only when it is named.
    if (kind === "customers") data = data.filter((each) => each.test_clock === asked("test_clock"));
    return data;
  }

  list(kind, path, parameters, data) {
    const { filters = [], expanded = [] } = lists[kind] ?? {};
    if (lists[kind] === undefined) throw new Refusal(404, `Unrecognized request URL (GET: ${path}).`);
    for (const name of parameters.keys())
      if (![...paging, ...filters].includes(name)) throw new Refusal(400, `Received unknown parameter: ${name}`, name);
    const asked = parameters.getAll("expand[]");
    for (const each of asked)
      if (!this.expands || !expanded.some((name) => `data.${name}` === each) || each.split(".").length > 4)
        throw new Refusal(400, `This property cannot be expanded (${each}).`, "expand");
    const limit = Number(parameters.get("limit") ?? 10);
    if (!(limit >= 1 && limit <= 100)) throw new Refusal(400, "Invalid limit", "limit");
    const cursor = parameters.get("starting_after");
    const after = data.findIndex((each) => each.id === cursor);
    if (cursor && after < 0) throw new Refusal(400, `No such object: '${cursor}'`, "starting_after");
    const hidden = expanded.filter((name) => !asked.includes(`data.${name}`)).map((name) => name.split("."));
    const page = data
      .slice(after + 1, after + 1 + limit)
      .map((each) => hidden.reduce(without, each))
      .map((each) => (each.sources ? { ...each, sources: this.first(each, "sources") } : each));
    return { object: "list", data: page, has_more: after + 1 + limit < data.length, url: path };
  }

  /** The ten that are told within their owner. */
  first(owner, name) {
    const { data } = owner[name];
    return { ...owner[name], data: data.slice(0, 10), has_more: data.length > 10 };
  }
}
