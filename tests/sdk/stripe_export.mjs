// What a team exports that has used Stripe for years: objects as its API answers them, with identifiers of the shapes
// that it made over time, and what billd cannot take among them. Written by hand; nobody's data.
const day = 24 * 3600;
/** A moment within a period of every subscription. */
export const now = Date.UTC(2026, 2, 12, 10) / 1000;
export const clock = "clock_1MqYs2LkdIwHu7ix0a5zRrG1";
const month = (number, date = 1) => Date.UTC(2026, number - 1, date, 8) / 1000;

const list = (data, url) => ({ object: "list", data, has_more: false, url });

const price = (id, more = {}) => ({
  id,
  object: "plan",
  active: true,
  aggregate_usage: null,
  amount: 2000,
  amount_decimal: "2000",
  billing_scheme: "per_unit",
  created: 1678229082,
  currency: "usd",
  interval: "month",
  interval_count: 1,
  livemode: false,
  metadata: {},
  nickname: null,
  product: "prod_NZKdYqrwEYx6iK",
  tiers_mode: null,
  transform_usage: null,
  trial_period_days: null,
  usage_type: "licensed",
  ...more,
});
export const monthly = price("price_1MoBy5LkdIwHu7ixZhnattbh");
export const gold = price("gold-2014", { amount: 990, amount_decimal: "990", created: 1402000000 });
export const metered = price("price_1MrMsgLkdIwHu7ixEjxqbVjM", {
  aggregate_usage: "sum",
  amount: 7,
  amount_decimal: "7",
  usage_type: "metered",
});
const setup = {
  id: "price_1MowoN3LkdIwHu7ixSetupFee01",
  object: "price",
  active: true,
  billing_scheme: "per_unit",
  created: 1678229099,
  currency: "usd",
  livemode: false,
  lookup_key: null,
  metadata: {},
  nickname: "Setup",
  product: "prod_NZKdYqrwEYx6iK",
  recurring: null,
  tiers_mode: null,
  transform_quantity: null,
  type: "one_time",
  unit_amount: 4900,
  unit_amount_decimal: "4900",
};

const taxRate = {
  id: "txr_1MnyuqLkdIwHu7ixBeKo7Bkx",
  object: "tax_rate",
  active: true,
  country: "DE",
  created: 1678229100,
  description: null,
  display_name: "VAT",
  inclusive: false,
  jurisdiction: "DE",
  livemode: false,
  metadata: {},
  percentage: 19,
  state: null,
  tax_type: "vat",
};
const coupon = {
  id: "Z4OV52SU",
  object: "coupon",
  amount_off: null,
  created: 1678037688,
  currency: "usd",
  duration: "forever",
  duration_in_months: null,
  livemode: false,
  max_redemptions: null,
  metadata: {},
  name: "A quarter",
  percent_off: 25,
  redeem_by: null,
  times_redeemed: 7,
  valid: true,
};

const customer = (id, more = {}) => ({
  id,
  object: "customer",
  address: null,
  balance: 0,
  created: 1680893993,
  currency: "usd",
  default_source: null,
  delinquent: false,
  description: null,
  discount: null,
  email: `${id.slice(4).toLowerCase()}@example.com`,
  invoice_prefix: id.slice(-8).toUpperCase(),
  invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
  livemode: false,
  metadata: {},
  name: "Jenny Rosen",
  next_invoice_sequence: 3,
  phone: null,
  preferred_locales: [],
  shipping: null,
  tax_exempt: "none",
  test_clock: clock,
  ...more,
});
const card = (id, of, more = {}) => ({
  id,
  object: "card",
  brand: "Visa",
  country: "US",
  created: 1680894000,
  customer: of,
  cvc_check: "pass",
  exp_month: 8,
  exp_year: 2029,
  fingerprint: "mToisGZ01V71BCos",
  funding: "credit",
  last4: "4242",
  metadata: {},
  name: null,
  ...more,
});
const cardOf = (method) => ({
  brand: "visa",
  checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: "pass" },
  country: "US",
  exp_month: 8,
  exp_year: 2030,
  fingerprint: "mToisGZ01V71BCos",
  funding: "credit",
  last4: "4242",
  ...method,
});
const item = (id, plan, more = {}) => ({
  id,
  object: "subscription_item",
  created: 1679609768,
  metadata: {},
  plan,
  quantity: plan.usage_type === "metered" ? undefined : 1,
  tax_rates: [],
  ...more,
});
const subscription = (id, of, items, period, more = {}) => ({
  id,
  object: "subscription",
  billing_cycle_anchor: period[0],
  cancel_at: null,
  cancel_at_period_end: false,
  canceled_at: null,
  collection_method: "charge_automatically",
  created: period[0],
  currency: "usd",
  current_period_start: period[0],
  current_period_end: period[1],
  customer: of,
  days_until_due: null,
  default_payment_method: null,
  default_source: null,
  default_tax_rates: [],
  discount: null,
  discounts: [],
  ended_at: null,
  items: list(items, `/v1/subscription_items?subscription=${id}`),
  latest_invoice: `in_1PaidLkdIwHu7ix${id.slice(-8)}`,
  livemode: false,
  metadata: {},
  pause_collection: null,
  schedule: null,
  status: "active",
  trial_end: null,
  trial_start: null,
  ...more,
});

export const ids = {
  // A customer of the newer API, with a card of the older one.
  jenny: "cus_NffrFeUfNV2Hib",
  jennyCard: "card_1MvoiELkdIwHu7ixOeFGbN9D",
  jennySubscription: "sub_1MowQVLkdIwHu7ixeRlqHVzs",
  jennyItem: "si_Na6dzxczY5fwHx",
  jennyPending: "ii_1MtGUsLkdIwHu7ix1be5Ljaj",
  // One of long ago: identifiers of 14 characters everywhere, and a source of a kind of its own.
  old: "cus_4QFJOjw2pOmAGJ",
  oldSource: "src_1Dn1rX2eZvKYlo2CsVcn3Y5J",
  oldSubscription: "sub_4QFJvwBPwG6JdZ",
  oldItem: "si_18SfBn2eZvKYlo2C1fwOImYF",
  // Past due, with a discount, a tax and an invoice item on an open invoice.
  late: "cus_9s6XKzkNRiz8i3",
  lateMethod: "pm_1MqLiJLkdIwHu7ixUEgbFdYF",
  lateSubscription: "sub_1Mt7f9LkdIwHu7ixK2wN5qPd",
  lateInvoice: "in_1MtHbELkdIwHu7ixl4OzzPMv",
  lateLine: "il_1MtHbELkdIwHu7ixZ4QKW1Zt",
  lateItem: "ii_1MtHbDLkdIwHu7ixqZ3rTwHp",
  lateIntent: "pi_3MtHbELkdIwHu7ix0Hm7dCzA",
  // Billed by what is used, by debit.
  user: "cus_NeZei8imSbMVvi",
  userAccount: "ba_1MvoIJ2eZvKYlo2CO9f0MabO",
  userSubscription: "sub_1MrTqqLkdIwHu7ixYCFhXHNb",
  userItem: "si_NcgM3TJrHRbTEe",
  // Gone, but still owing.
  gone: "cus_8epDebVEl8Bs2V",
  goneSubscription: "sub_8epRFELnKbc4Qd",
  goneInvoice: "in_1KzUVu2eZvKYlo2CsdJ7Wd3p",
  // With a schedule.
  planner: "cus_NjPvSDXxT9xoAH",
  plannerMethod: "pm_1MxwM5LkdIwHu7ixvLpKdrxM",
  plannerSubscription: "sub_1MxwM7LkdIwHu7ixd5VRBnPw",
  plannerSchedule: "sub_sched_1MxwM7LkdIwHu7ix6mQzT0bR",
};

const vat = { amount: 285, inclusive: false, tax_rate: taxRate.id, taxable_amount: 1500 };
const discount = {
  id: "di_1Mt7f8LkdIwHu7ixTyQ8Zv5C",
  object: "discount",
  coupon,
  customer: ids.late,
  end: null,
  promotion_code: null,
  start: month(1),
  subscription: ids.lateSubscription,
};
const line = (id, amount, more = {}) => ({
  id,
  object: "line_item",
  amount,
  currency: "usd",
  description: "1 x Gold",
  discount_amounts: [],
  discountable: true,
  discounts: [],
  livemode: false,
  metadata: {},
  period: { start: month(3), end: month(4) },
  plan: monthly,
  proration: false,
  quantity: 1,
  tax_amounts: [],
  tax_rates: [],
  type: "subscription",
  ...more,
});
const invoice = (id, of, more) => ({
  id,
  object: "invoice",
  amount_due: 0,
  amount_paid: 0,
  attempt_count: 1,
  attempted: true,
  auto_advance: true,
  billing_reason: "subscription_cycle",
  collection_method: "charge_automatically",
  created: month(3),
  currency: "usd",
  customer: of,
  default_payment_method: null,
  default_source: null,
  default_tax_rates: [],
  description: null,
  discount: null,
  discounts: [],
  due_date: null,
  ending_balance: 0,
  livemode: false,
  metadata: {},
  next_payment_attempt: null,
  payment_intent: null,
  period_start: month(2),
  period_end: month(3),
  starting_balance: 0,
  status: "open",
  status_transitions: { finalized_at: month(3) + 3600, paid_at: null, voided_at: null },
  ...more,
});

export const everything = {
  products: list([
    {
      id: "prod_NZKdYqrwEYx6iK",
      object: "product",
      active: true,
      created: 1678833149,
      description: null,
      livemode: false,
      metadata: {},
      name: "Gold",
      type: "service",
      updated: 1678833149,
    },
  ]),
  plans: list([metered, monthly, gold]),
  prices: list([setup]),
  coupons: list([coupon]),
  promotion_codes: list([
    {
      id: "promo_1N9xQbLkdIwHu7ixLXQ4Bkx0",
      object: "promotion_code",
      active: true,
      code: "WELCOMEBACK",
      coupon,
      created: 1678040164,
      customer: ids.jenny,
      expires_at: null,
      livemode: false,
      max_redemptions: 2,
      metadata: {},
      restrictions: { first_time_transaction: false, minimum_amount: null, minimum_amount_currency: null },
      times_redeemed: 1,
    },
  ]),
  tax_rates: list([taxRate]),
  test_clocks: list([
    {
      id: clock,
      object: "test_helpers.test_clock",
      created: now,
      deletes_after: now + 300 * day,
      frozen_time: now,
      livemode: false,
      name: "export",
      status: "ready",
    },
  ]),
  customers: list([
    customer(ids.jenny, {
      balance: -150,
      default_source: ids.jennyCard,
      metadata: { crm: "cus_NffrFeUfNV2Hib" },
      sources: list([card(ids.jennyCard, ids.jenny)]),
    }),
    customer(ids.old, {
      created: 1405000000,
      default_source: ids.oldSource,
      sources: list([
        {
          id: ids.oldSource,
          object: "source",
          amount: null,
          card: cardOf({ brand: "Visa" }),
          created: 1545000000,
          customer: ids.old,
          livemode: false,
          metadata: {},
          owner: { address: null, email: null, name: "Jo Old", phone: null },
          status: "chargeable",
          type: "card",
        },
      ]),
    }),
    customer(ids.late, {
      delinquent: true,
      invoice_prefix: "26F5C1DA",
      invoice_settings: { default_payment_method: ids.lateMethod },
      next_invoice_sequence: 8,
    }),
    customer(ids.user, {
      default_source: ids.userAccount,
      sources: list([
        {
          id: ids.userAccount,
          object: "bank_account",
          account_holder_name: "Jane Austen",
          account_holder_type: "individual",
          bank_name: "STRIPE TEST BANK",
          country: "US",
          currency: "usd",
          customer: ids.user,
          fingerprint: "1JWtPxqbdX5Gamtz",
          last4: "6789",
          metadata: {},
          routing_number: "110000000",
          status: "verified",
        },
      ]),
    }),
    customer(ids.gone, { created: 1467000000, delinquent: true, next_invoice_sequence: 2 }),
    customer(ids.planner, { invoice_settings: { default_payment_method: ids.plannerMethod } }),
    // What cannot be taken.
    customer("customer-7"),
    customer("cus_NoSepaPlease1"),
  ]),
  payment_methods: list([
    ...[
      [ids.lateMethod, ids.late],
      [ids.plannerMethod, ids.planner],
    ].map(([id, of]) => ({
      id,
      object: "payment_method",
      billing_details: { address: null, email: null, name: null, phone: null },
      card: cardOf({}),
      created: 1680895000,
      customer: of,
      livemode: false,
      metadata: {},
      type: "card",
    })),
    {
      id: "pm_1NSepaLkdIwHu7ixSepaSepa",
      object: "payment_method",
      billing_details: {},
      created: 1680895000,
      customer: "cus_NoSepaPlease1",
      sepa_debit: { last4: "3000" },
      type: "sepa_debit",
    },
  ]),
  subscriptions: list([
    subscription(
      ids.jennySubscription,
      ids.jenny,
      [item(ids.jennyItem, monthly, { quantity: 2 })],
      [month(3, 5), month(4, 5)],
    ),
    subscription(ids.oldSubscription, ids.old, [item(ids.oldItem, gold)], [month(2, 28), month(3, 31)], {
      billing_cycle_anchor: Date.UTC(2014, 6, 31, 8) / 1000,
      created: Date.UTC(2014, 6, 31, 8) / 1000,
    }),
    subscription(ids.lateSubscription, ids.late, [item("si_NexThPeriodLate", monthly)], [month(3), month(4)], {
      default_tax_rates: [taxRate],
      discount,
      latest_invoice: ids.lateInvoice,
      status: "past_due",
    }),
    subscription(ids.userSubscription, ids.user, [item(ids.userItem, metered)], [month(3, 10), month(4, 10)]),
    subscription(ids.goneSubscription, ids.gone, [item("si_8epRb4jVUxq1Hp", gold)], [month(1), month(2)], {
      canceled_at: month(1, 20),
      ended_at: month(2),
      status: "canceled",
    }),
    subscription(ids.plannerSubscription, ids.planner, [item("si_NjPvSchedules1", gold)], [month(3, 2), month(4, 2)], {
      schedule: ids.plannerSchedule,
    }),
    subscription(
      "sub_1NSepaLkdIwHu7ixSepaSepb",
      "cus_NoSepaPlease1",
      [item("si_NoSepaPlease01", gold)],
      [month(3), month(4)],
      { default_payment_method: "pm_1NSepaLkdIwHu7ixSepaSepa" },
    ),
  ]),
  subscription_schedules: list([
    {
      id: ids.plannerSchedule,
      object: "subscription_schedule",
      created: month(3, 2),
      current_phase: { start_date: month(3, 2), end_date: month(4, 2) },
      customer: ids.planner,
      default_settings: {
        collection_method: "charge_automatically",
        default_payment_method: null,
        invoice_settings: null,
      },
      end_behavior: "release",
      livemode: false,
      metadata: {},
      phases: [
        [gold, month(3, 2), month(4, 2)],
        [monthly, month(4, 2), month(6, 2)],
      ].map(([plan, start_date, end_date]) => ({
        add_invoice_items: [],
        coupon: null,
        default_tax_rates: [],
        end_date,
        items: [{ metadata: {}, plan: plan.id, price: plan.id, quantity: 1, tax_rates: [] }],
        proration_behavior: "none",
        start_date,
        trial_end: null,
      })),
      status: "active",
      subscription: ids.plannerSubscription,
    },
  ]),
  usage_record_summaries: list([
    {
      id: "sis_1OmQxRLkdIwHu7ixJq4Nf1mZ",
      object: "usage_record_summary",
      invoice: null,
      livemode: false,
      period: { start: month(3, 10), end: month(4, 10) },
      subscription_item: ids.userItem,
      total_usage: 120,
    },
  ]),
  invoices: list([
    invoice(ids.lateInvoice, ids.late, {
      amount_due: 2975,
      default_tax_rates: [taxRate],
      discount,
      discounts: [discount.id],
      lines: list([
        line("il_1MtHbELkdIwHu7ixItemItem", 1000, {
          description: "Training",
          discountable: false,
          invoice_item: ids.lateItem,
          plan: null,
          price: setup,
          subscription: null,
          tax_amounts: [{ ...vat, amount: 190, taxable_amount: 1000 }],
          tax_rates: [],
          type: "invoiceitem",
        }),
        line(ids.lateLine, 2000, {
          discount_amounts: [{ amount: 500, discount: discount.id }],
          subscription: ids.lateSubscription,
          subscription_item: "si_NexThPeriodLate",
          tax_amounts: [vat],
        }),
      ]),
      next_payment_attempt: now + 2 * day,
      number: "26F5C1DA-0007",
      payment_intent: ids.lateIntent,
      subscription: ids.lateSubscription,
      subtotal: 3000,
      tax: 475,
      total: 2975,
    }),
    invoice(ids.goneInvoice, ids.gone, {
      amount_due: 990,
      auto_advance: false,
      created: month(1),
      lines: list([
        line("il_1KzUVu2eZvKYlo2CWq1p0LhT", 990, {
          period: { start: month(1), end: month(2) },
          plan: gold,
          subscription: ids.goneSubscription,
          subscription_item: "si_8epRb4jVUxq1Hp",
        }),
      ]),
      number: "EBVEL8BS-0001",
      period_start: month(1),
      period_end: month(1),
      subscription: ids.goneSubscription,
      subtotal: 990,
      total: 990,
    }),
    invoice("in_1PaidLkdIwHu7ixPaidPaid", ids.jenny, { number: "EUFNV2HI-0002", status: "paid", total: 4000 }),
  ]),
  invoiceitems: list([
    {
      id: ids.jennyPending,
      object: "invoiceitem",
      amount: 4900,
      currency: "usd",
      customer: ids.jenny,
      date: month(3, 6),
      description: "Setup",
      discountable: true,
      discounts: [],
      invoice: null,
      livemode: false,
      metadata: {},
      period: { start: month(3, 6), end: month(3, 6) },
      plan: null,
      price: setup,
      proration: false,
      quantity: 1,
      subscription: null,
      tax_rates: [],
      unit_amount: 4900,
    },
  ]),
};

/** The same from a server that speaks Stripe's API: lists by 100, with filters and cursors. */
export function answer(request) {
  const { pathname, searchParams } = new URL(request.url, "http://stripe.example");
  const parts = pathname.split("/").slice(2);
  const kinds = { payment_methods: "payment_methods", subscriptions: "subscriptions", invoices: "invoices" };
  const of = (kind) => everything[kind]?.data ?? [];
  const found = (id) => of("customers").find((each) => each.id === id);
  let data = null;
  if (parts[0] === "test_helpers") data = of("test_clocks");
  else if (parts[0] === "customers" && parts[2] === "sources") data = found(parts[1])?.sources?.data ?? [];
  else if (parts[0] === "subscription_items")
    data = of("usage_record_summaries").filter((each) => each.subscription_item === parts[1]);
  else if (parts[0] === "invoices" && parts[2] === "lines")
    data = of("invoices").find((each) => each.id === parts[1])?.lines?.data ?? [];
  else if (kinds[parts[0]] && parts[1]) return of(kinds[parts[0]]).find((each) => each.id === parts[1]) ?? null;
  else data = of(parts[0]);
  const customer = searchParams.get("customer");
  if (customer) data = data.filter((each) => each.customer === customer);
  if (parts[0] === "payment_methods") data = data.filter((each) => each.type === searchParams.get("type"));
  if (parts[0] === "subscriptions") data = data.filter((each) => each.status !== "canceled");
  // Customers on a test clock are told of only when it is named.
  if (parts[0] === "customers" && parts.length === 1)
    data = data.filter((each) => each.test_clock === (searchParams.get("test_clock") ?? null));
  const after = data.findIndex((each) => each.id === searchParams.get("starting_after"));
  const limit = Number(searchParams.get("limit") ?? 10);
  const page = data.slice(after + 1, after + 1 + limit);
  return { object: "list", data: page, has_more: after + 1 + limit < data.length, url: pathname };
}

/** What the gateway calls them. */
export const tokens = {
  [ids.jennyCard]: "tok_visa",
  [ids.oldSource]: "tok_mastercard",
  [ids.lateMethod]: "tok_visa",
  [ids.userAccount]: "btok_us_verified",
  [ids.plannerMethod]: "tok_amex",
};
