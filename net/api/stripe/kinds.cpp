#include "net/api/stripe/kinds.hpp"

#include <algorithm>
#include <array>

namespace billd::api::stripe {
namespace {

constexpr Shape one(Kind kind) { return {kind, false}; }
constexpr Shape many(Kind kind) { return {kind, true}; }

constexpr std::array table = {
    Link{Kind::customer, "default_source", one(Kind::card)},
    Link{Kind::customer, "discount", one(Kind::discount)},
    Link{Kind::customer, "invoice_settings", one(Kind::invoice_settings)},
    Link{Kind::customer, "sources", many(Kind::card)},
    Link{Kind::customer, "subscriptions", many(Kind::subscription)},
    Link{Kind::customer, "tax_ids", many(Kind::tax_id)},
    Link{Kind::customer, "test_clock", one(Kind::test_clock)},

    Link{Kind::invoice_settings, "default_payment_method", one(Kind::payment_method)},

    Link{Kind::card, "customer", one(Kind::customer)},
    Link{Kind::tax_id, "customer", one(Kind::customer)},
    Link{Kind::payment_method, "customer", one(Kind::customer)},

    Link{Kind::subscription, "application", one(Kind::nothing)},
    Link{Kind::subscription, "customer", one(Kind::customer)},
    Link{Kind::subscription, "default_payment_method", one(Kind::payment_method)},
    Link{Kind::subscription, "default_source", one(Kind::card)},
    Link{Kind::subscription, "default_tax_rates", one(Kind::nothing)},
    Link{Kind::subscription, "discount", one(Kind::discount)},
    Link{Kind::subscription, "discounts", one(Kind::discount)},
    Link{Kind::subscription, "items", many(Kind::subscription_item)},
    Link{Kind::subscription, "latest_invoice", one(Kind::invoice)},
    Link{Kind::subscription, "pending_setup_intent", one(Kind::nothing)},
    Link{Kind::subscription, "pending_update", one(Kind::pending_update)},
    Link{Kind::subscription, "plan", one(Kind::plan)},
    Link{Kind::subscription, "schedule", one(Kind::schedule)},
    Link{Kind::subscription, "test_clock", one(Kind::test_clock)},

    Link{Kind::pending_update, "subscription_items", one(Kind::subscription_item)},

    Link{Kind::subscription_item, "plan", one(Kind::plan)},
    Link{Kind::subscription_item, "price", one(Kind::price)},
    Link{Kind::subscription_item, "subscription", one(Kind::subscription)},

    Link{Kind::coupon, "applies_to", one(Kind::nothing)},

    Link{Kind::discount, "coupon", one(Kind::coupon)},
    Link{Kind::discount, "customer", one(Kind::customer)},
    Link{Kind::discount, "promotion_code", one(Kind::nothing)},
    Link{Kind::promotion_code, "coupon", one(Kind::coupon)},
    Link{Kind::promotion_code, "customer", one(Kind::customer)},
    Link{Kind::plan, "product", one(Kind::product)},
    Link{Kind::plan, "tiers", one(Kind::nothing)},
    Link{Kind::price, "product", one(Kind::product)},
    Link{Kind::price, "tiers", one(Kind::nothing)},
    Link{Kind::product, "default_price", one(Kind::price)},

    Link{Kind::invoice, "application", one(Kind::nothing)},
    Link{Kind::invoice, "charge", one(Kind::charge)},
    Link{Kind::invoice, "customer", one(Kind::customer)},
    Link{Kind::invoice, "default_payment_method", one(Kind::payment_method)},
    Link{Kind::invoice, "default_source", one(Kind::card)},
    Link{Kind::invoice, "discount", one(Kind::discount)},
    Link{Kind::invoice, "discounts", one(Kind::discount)},
    Link{Kind::invoice, "lines", many(Kind::line_item)},
    Link{Kind::invoice, "payment_intent", one(Kind::payment_intent)},
    Link{Kind::invoice, "quote", one(Kind::nothing)},
    Link{Kind::invoice, "subscription", one(Kind::subscription)},
    Link{Kind::invoice, "test_clock", one(Kind::test_clock)},

    Link{Kind::line_item, "discounts", one(Kind::discount)},
    Link{Kind::line_item, "plan", one(Kind::plan)},
    Link{Kind::line_item, "price", one(Kind::price)},
    Link{Kind::line_item, "subscription", one(Kind::subscription)},

    Link{Kind::invoice_item, "customer", one(Kind::customer)},
    Link{Kind::invoice_item, "discounts", one(Kind::discount)},
    Link{Kind::invoice_item, "invoice", one(Kind::invoice)},
    Link{Kind::invoice_item, "plan", one(Kind::plan)},
    Link{Kind::invoice_item, "price", one(Kind::price)},
    Link{Kind::invoice_item, "subscription", one(Kind::subscription)},
    Link{Kind::invoice_item, "test_clock", one(Kind::test_clock)},

    Link{Kind::charge, "application", one(Kind::nothing)},
    Link{Kind::charge, "application_fee", one(Kind::nothing)},
    Link{Kind::charge, "balance_transaction", one(Kind::nothing)},
    Link{Kind::charge, "customer", one(Kind::customer)},
    Link{Kind::charge, "dispute", one(Kind::nothing)},
    Link{Kind::charge, "invoice", one(Kind::invoice)},
    Link{Kind::charge, "payment_intent", one(Kind::payment_intent)},
    Link{Kind::charge, "refunds", many(Kind::refund)},
    Link{Kind::charge, "review", one(Kind::nothing)},
    Link{Kind::charge, "source", one(Kind::card)},
    Link{Kind::charge, "transfer", one(Kind::nothing)},

    Link{Kind::refund, "balance_transaction", one(Kind::nothing)},
    Link{Kind::refund, "charge", one(Kind::charge)},
    Link{Kind::refund, "failure_balance_transaction", one(Kind::nothing)},
    Link{Kind::refund, "payment_intent", one(Kind::payment_intent)},
    Link{Kind::refund, "source_transfer_reversal", one(Kind::nothing)},
    Link{Kind::refund, "transfer_reversal", one(Kind::nothing)},

    Link{Kind::credit_note, "customer", one(Kind::customer)},
    Link{Kind::credit_note, "customer_balance_transaction", one(Kind::balance_transaction)},
    Link{Kind::credit_note, "discount_amounts", one(Kind::nothing)},
    Link{Kind::credit_note, "invoice", one(Kind::invoice)},
    Link{Kind::credit_note, "lines", many(Kind::nothing)},
    Link{Kind::credit_note, "refund", one(Kind::refund)},

    Link{Kind::balance_transaction, "credit_note", one(Kind::credit_note)},
    Link{Kind::balance_transaction, "customer", one(Kind::customer)},
    Link{Kind::balance_transaction, "invoice", one(Kind::invoice)},

    Link{Kind::schedule, "application", one(Kind::nothing)},
    Link{Kind::schedule, "customer", one(Kind::customer)},
    Link{Kind::schedule, "default_settings", one(Kind::phase)},
    Link{Kind::schedule, "phases", one(Kind::phase)},
    Link{Kind::schedule, "released_subscription", one(Kind::subscription)},
    Link{Kind::schedule, "subscription", one(Kind::subscription)},
    Link{Kind::schedule, "test_clock", one(Kind::test_clock)},
    Link{Kind::phase, "add_invoice_items", one(Kind::phase_item)},
    Link{Kind::phase, "coupon", one(Kind::nothing)},
    Link{Kind::phase, "default_payment_method", one(Kind::payment_method)},
    Link{Kind::phase, "default_tax_rates", one(Kind::nothing)},
    Link{Kind::phase, "items", one(Kind::phase_item)},
    Link{Kind::phase, "plans", one(Kind::phase_item)},
    Link{Kind::phase_item, "plan", one(Kind::plan)},
    Link{Kind::phase_item, "price", one(Kind::price)},
    Link{Kind::phase_item, "tax_rates", one(Kind::nothing)},

    Link{Kind::setup_intent, "application", one(Kind::nothing)},
    Link{Kind::setup_intent, "customer", one(Kind::customer)},
    Link{Kind::setup_intent, "latest_attempt", one(Kind::nothing)},
    Link{Kind::setup_intent, "mandate", one(Kind::nothing)},
    Link{Kind::setup_intent, "on_behalf_of", one(Kind::nothing)},
    Link{Kind::setup_intent, "payment_method", one(Kind::payment_method)},
    Link{Kind::setup_intent, "single_use_mandate", one(Kind::nothing)},

    Link{Kind::payment_intent, "application", one(Kind::nothing)},
    Link{Kind::payment_intent, "charges", many(Kind::charge)},
    Link{Kind::payment_intent, "customer", one(Kind::customer)},
    Link{Kind::payment_intent, "invoice", one(Kind::invoice)},
    Link{Kind::payment_intent, "latest_charge", one(Kind::charge)},
    Link{Kind::payment_intent, "on_behalf_of", one(Kind::nothing)},
    Link{Kind::payment_intent, "payment_method", one(Kind::payment_method)},
    Link{Kind::payment_intent, "review", one(Kind::nothing)},
    Link{Kind::payment_intent, "source", one(Kind::nothing)},
};

}  // namespace

std::span<const Link> links() { return table; }

const Link* find_link(Kind from, std::string_view member) {
  const auto at =
      std::ranges::find_if(table, [&](const Link& link) { return link.from == from && link.member == member; });
  return at == table.end() ? nullptr : &*at;
}

}  // namespace billd::api::stripe
