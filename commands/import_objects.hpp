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
/// What a plan or a price costs, as it tells itself.
Result<Price> read_price(const boost::json::object& plan);
Result<Plan> read_plan(const boost::json::object& plan, const std::string& product_name);
Result<Coupon> read_coupon(const boost::json::object& coupon);
Result<PromotionCode> read_promotion_code(const boost::json::object& code);
Result<TaxRate> read_tax_rate(const boost::json::object& rate);
Result<TestClock> read_test_clock(const boost::json::object& clock);

/// What objects name without telling it; what is not known fails, or is nullptr.
struct Named {
  /// The price of a plan that an item shows; the catalog tells of its tiers, which an item may not.
  std::function<Result<Price>(const boost::json::object& plan)> price;
  std::function<const TaxRate*(const std::string& id)> tax_rate;
  std::function<const CouponTerms*(const std::string& id)> coupon;
  /// One that the customer or a subscription has.
  std::function<const Discount*(const std::string& id)> discount;
  /// What was used of a metered subscription item, a summary for each period; nullptr: it was not told.
  std::function<const Objects*(const std::string& item)> usage;
};

/// The customer's, the subscription's or the invoice's; no value when it has none.
Result<std::optional<Discount>> read_discount(const boost::json::object& owner, const Named& named);
/// The rates in the list of that name, else the owner's bare tax_percent.
Result<std::vector<AppliedTaxRate>> read_tax_rates(const boost::json::object& owner, std::string_view name);

/// `tax_ids`: all of the customer's, newest first.
Result<Customer> read_customer(const boost::json::object& customer, const Objects& tax_ids, const Named& named);

/// The gateway's name for the source with this fingerprint or identifier; empty: it is not known.
using TokenOf = std::function<std::string(const std::string& id, const std::string& fingerprint)>;
/// A card, a bank account, a payment method, or an older source that is a card.
Result<Source> read_source(const boost::json::object& source, const std::string& gateway, const TokenOf& token_of);

/// Items of a subscription; all of one currency and recurrence.
Result<std::vector<SubscriptionItem>> read_subscription_items(const boost::json::array& told, const Named& named);

/// A running one, but for its pending update.
Result<Subscription> read_subscription(const boost::json::object& subscription, const Named& named);
/// One that has ended.
Result<Subscription> read_ended_subscription(const boost::json::object& subscription, const Named& named);
/// A schedule that goes on.
Result<Schedule> read_schedule(const boost::json::object& schedule, const Named& named);

/// A pending one.
Result<InvoiceItem> read_invoice_item(const boost::json::object& item, const Named& named);
/// `lines`: all of the invoice's. `subscription`: the one that it bills, as it was read; null: none.
Result<Invoice> read_invoice(const boost::json::object& invoice, const Objects& lines, const Subscription* subscription,
                             const Named& named);

/// A change that waits until it is paid for. `subscription` as it was read, and `invoice` the one that pays for it.
Result<PendingUpdate> read_pending_update(const boost::json::object& update, const Subscription& subscription,
                                          const Invoice& invoice, const Named& named);

/// The newer way to pay goes before the older one; empty: neither is named.
SourceId paid_by(const boost::json::object& object);

}  // namespace billd::commands
