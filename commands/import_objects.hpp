// Stripe's JSON read into billd's objects, for what is brought along from another system.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>

#include "commands/import_json.hpp"
#include "engine/imports.hpp"

namespace billd::commands {

// Each of these fails with invalid_parameter and says in words why the object cannot be taken: what billd does not have
// is refused, not dropped, so that nobody is billed otherwise than before.

Result<Product> read_product(const boost::json::object& product);
/// What a plan costs, as the plan tells.
Result<Price> read_price(const boost::json::object& plan);
Result<Plan> read_plan(const boost::json::object& plan, const std::string& product_name);
Result<Coupon> read_coupon(const boost::json::object& coupon);
Result<TaxRate> read_tax_rate(const boost::json::object& rate);
Result<TestClock> read_test_clock(const boost::json::object& clock);

/// The customer's or the subscription's; no value when it has none.
Result<std::optional<Discount>> read_discount(const boost::json::object& owner);
/// The rates in the list of that name, else the owner's bare tax_percent.
Result<std::vector<AppliedTaxRate>> read_tax_rates(const boost::json::object& owner, std::string_view name);

Result<Customer> read_customer(const boost::json::object& customer);

/// The gateway's name for the source with this fingerprint or identifier; empty: it is not known.
using TokenOf = std::function<std::string(const std::string& id, const std::string& fingerprint)>;
/// A card, a bank account or a payment method.
Result<Source> read_source(const boost::json::object& source, const std::string& gateway, const TokenOf& token_of);

/// The price of a plan that an item shows; the catalog tells of its tiers, which an item may not.
using PriceOf = std::function<Result<Price>(const boost::json::object& plan)>;
Result<Subscription> read_subscription(const boost::json::object& subscription, const PriceOf& price_of);

/// A pending one.
Result<InvoiceItem> read_invoice_item(const boost::json::object& item, const PriceOf& price_of);
/// `lines`: all of the invoice's. `subscription`: the one that it bills, as it was read; null: none.
Result<Invoice> read_invoice(const boost::json::object& invoice, const Objects& lines, const Subscription* subscription,
                             const PriceOf& price_of);

}  // namespace billd::commands
