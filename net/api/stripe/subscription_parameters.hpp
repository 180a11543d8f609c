// What requests say of a subscription's items, trial and terms: the same at the top of a request, in items[] and,
// behind "subscription_", in previews.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/api/stripe/inline_prices.hpp"
#include "net/api/stripe/pricing_terms.hpp"

namespace billd::api::stripe {

inline constexpr std::int64_t quantity_max = 1'000'000'000;
/// Source: Stripe, "must be at most two years".
inline constexpr std::int64_t trial_days_max = 730;
inline constexpr std::int64_t days_until_due_max = 365;

inline constexpr std::array<std::string_view, 2> collection_methods = {"charge_automatically", "send_invoice"};
inline constexpr std::array<std::string_view, 3> proration_behaviors = {"always_invoice", "create_prorations", "none"};
inline constexpr std::array<std::string_view, 3> missing_payment_methods = {"cancel", "create_invoice", "pause"};
inline constexpr std::array<std::string_view, 4> payment_behaviors = {"allow_incomplete", "default_incomplete",
                                                                      "error_if_incomplete", "pending_if_incomplete"};
inline constexpr std::array<std::string_view, 4> item_intervals = {"day", "month", "week", "year"};

/// A way to collect, by its old and its new name.
inline constexpr std::array collection_rules = {
    choice("billing", collection_methods),
    choice("collection_method", collection_methods),
    integer("days_until_due", 1, days_until_due_max),
};
inline constexpr std::array proration_rules = {
    boolean("prorate"),
    choice("proration_behavior", proration_behaviors),
};
inline constexpr std::array new_item_rules = {
    text("plan"),
    text("price"),
    map("price_data", inline_recurring_price_rules),
    integer("quantity", 0, quantity_max),
    list("tax_rates").clearable(),
    metadata(),
};
inline constexpr std::array changed_item_rules = new_item_rules + std::array{
                                                                      text("id"),
                                                                      boolean("deleted"),
                                                                      boolean("clear_usage"),
                                                                  };
/// What happens when a trial ends and there is no way to pay.
inline constexpr std::array trial_end_rules = {choice("missing_payment_method", missing_payment_methods).required()};
inline constexpr std::array trial_settings_rules = {map("end_behavior", trial_end_rules).required()};
/// What pays an invoice becomes the subscription's default, or does not.
inline constexpr std::array<std::string_view, 2> source_savings = {"off", "on_subscription"};
inline constexpr std::array payment_settings_rules = {choice("save_default_payment_method", source_savings)};
/// billd takes the taxes that it is told, and looks none up.
inline constexpr std::array<std::string_view, 1> only_false = {"false"};
inline constexpr std::array automatic_tax_rules = {choice("enabled", only_false).required()};
/// How often pending items are billed.
inline constexpr std::array pending_item_rules = {
    choice("interval", item_intervals).required(),
    integer("interval_count", 1, 1096),
};

/// Source: Stripe's reasons of customers.
inline constexpr std::array<std::string_view, 8> feedbacks = {
    "customer_service", "low_quality", "missing_features", "other",
    "switched_service", "too_complex", "too_expensive",    "unused"};
inline constexpr std::array cancellation_rules = {
    text("comment").clearable(),
    choice("feedback", feedbacks).clearable(),
};

/// How the invoices are paid; what was not given is empty.
struct GivenCollection {
  std::optional<Collection> method;
  std::optional<std::int32_t> days_until_due;
};
Result<GivenCollection> read_collection(const Arguments& arguments);

/// `otherwise` when the request says nothing of it. `prefix` stands before the parameters' names.
Result<ProrationBehavior> read_proration(const Arguments& arguments, ProrationBehavior otherwise,
                                         const std::string& prefix = "");

/// How the payment of a change is taken, as the version has it: before incomplete payments a change was made only when
/// it was paid.
PaymentBehavior change_payment_behavior(const Call& call);

/// What the request says of payments that fail; empty: nothing.
std::optional<PaymentBehavior> read_payment_behavior(const Arguments& arguments);

/// One element of items[], or the same at the top of a request.
struct GivenItem {
  SubscriptionItemId id;  ///< of one that is there already; empty: a new one
  bool deleted = false;
  bool clear_usage = false;
  std::string plan;                          ///< by either name; empty: stays as it is
  std::string parameter;                     ///< what names the plan in the request
  std::optional<Arguments> price_data = {};  ///< describes it instead; lives in the call
  bool is_described = false;                 ///< the plan is one that this request describes
  std::optional<std::int64_t> quantity;
  std::optional<MetadataPatch> metadata;
  std::optional<std::vector<std::string>> tax_rates;  ///< by their identifiers; empty inside: the subscription's
};

/// At `path`: items[0]; empty for the top of a request.
Result<GivenItem> read_item(const Arguments& arguments, const std::string& path, const std::string& prefix = "");

/// The list of that name.
Result<std::vector<GivenItem>> read_items(const Arguments& arguments, const std::string& name);
/// A new subscription's: those in `<prefix>items`, or the one at the top of the request. Each of them names a plan.
Result<std::vector<GivenItem>> read_new_items(const Arguments& arguments, const std::string& prefix);

/// Makes plans of the prices that the items describe, which name them from then on.
Result<void> describe_prices(const Services& services, const Call& call, Known& known, std::vector<GivenItem>& items);

/// The plan that the item names, which takes new subscriptions.
awaitable<Result<const Plan*>> load_plan_of(Services& services, const Call& call, Known& known, GivenItem item);

/// The tax rates that the item names.
awaitable<Result<std::vector<AppliedTaxRate>>> find_rates_of(Services& services, Mode mode, GivenItem item);

/// What is to become of the subscription's items.
awaitable<Result<std::vector<ItemChange>>> read_item_changes(Services& services, const Call& call, Known& known,
                                                             std::vector<GivenItem> items);

/// When the trial ends, with the plans that are subscribed to, which may bring theirs along; empty: there is none, or
/// the request says nothing of it. `now` ends one at once.
Result<std::optional<Timestamp>> read_trial_end(const Arguments& arguments, const std::vector<const Plan*>& plans,
                                                bool brings_trial, Timestamp now, const std::string& prefix);

/// One of the account's sources, by the newer or the older parameter; no value when neither is given, empty inside
/// when it is to be none.
Result<std::optional<SourceId>> read_paying_source(const Arguments& arguments, const Account& account);

/// One of the account's sources, as the parameter names it; empty when it is not given.
Result<SourceId> read_source(const Arguments& arguments, std::string_view name, const Account& account);

/// A new subscription of the account, without its source; in a preview without what does not matter to it.
awaitable<Result<Subscribe>> read_new_subscription(Services& services, const Call& call, Known& known,
                                                   const Account& account, std::string prefix);

/// The changes of one of the account's subscriptions. `now` is the account's time.
awaitable<Result<UpdateSubscription>> read_subscription_changes(Services& services, const Call& call, Known& known,
                                                                const Account& account,
                                                                const Subscription& subscription, std::string prefix);

}  // namespace billd::api::stripe
