// What is checked of an imported customer, and what is made of it.
#include "engine/imports.hpp"

#include <algorithm>
#include <set>

#include "engine/change.hpp"
#include "engine/trials.hpp"

namespace billd {
namespace {

/// Identifiers are counted on from beyond those that the former system may have drawn: a charge's is the idempotency
/// key towards the gateway, which must never have seen it.
constexpr std::uint64_t counting_gap = std::uint64_t{1} << 20;

Failure unfit(std::string detail, std::string parameter) {
  return {Errc::invalid_parameter, std::move(detail), std::move(parameter)};
}

/// Every identifier leads to the account, and none comes twice.
class Identifiers {
 public:
  explicit Identifiers(const AccountKey& key) : key_(key) {}

  template <class Kind>
  Result<void> take(const Id<Kind>& id) {
    if (!id.value().starts_with(Kind::prefix))
      return unfit("The identifier " + id.value() + " is of another kind of object", "id");
    return take_own(id.value());
  }
  /// Whatever it names.
  Result<void> take_own(const std::string& text) {
    if (AccountKey::of_id(text) != key_)
      return unfit("The identifier " + text + " does not lead to this customer", "id");
    if (!seen_.insert(text).second) return unfit("The identifier " + text + " is given twice", "id");
    latest_ = std::max(latest_, *object_number(key_, id_body(text).substr(account_key_length)));
    return {};
  }
  /// Of a source: its kind says by which prefix, and a payment method may have had its identifier before it was the
  /// customer's.
  Result<void> take(const Source& source) {
    const std::string& text = source.id.value();
    if (!source.is_payment_method()) {
      const bool is_card = source.card() != nullptr;
      if (!text.starts_with(is_card ? SourceKind::prefix : BankAccountKind::prefix))
        return unfit("The identifier " + text + " is of another kind of object", "id");
      return take_own(text);
    }
    if (AccountKey::of_id(text) == key_) return take_own(text);
    if (!seen_.insert(text).second) return unfit("The identifier " + text + " is given twice", "id");
    return {};
  }
  std::uint64_t latest() const { return latest_; }

 private:
  const AccountKey& key_;
  std::set<std::string> seen_;
  std::uint64_t latest_ = 0;
};

Result<void> check_subscription(const ForeignAccount& foreign, const Subscription& subscription, Identifiers& ids) {
  auto taken = ids.take(subscription.id);
  if (!taken) return taken;
  for (const SubscriptionItem& item : subscription.items) {
    taken = ids.take(item.id);
    if (!taken) return taken;
  }
  if (subscription.items.empty()) return unfit("A subscription needs an item", "items");
  auto items_are_fine = check_items(subscription.items);
  if (!items_are_fine) return items_are_fine;
  auto collection_is_fine = check_collection(subscription.collection, subscription.days_until_due);
  if (!collection_is_fine) return collection_is_fine;
  const std::string name = "subscription " + subscription.id.value();
  if (!subscription.is_live() || subscription.status == SubscriptionStatus::incomplete || subscription.provisional)
    return unfit("The " + name + " does not go on: only running ones are taken", "status");
  if (subscription.current_period.start >= subscription.current_period.end)
    return unfit("The current period of " + name + " has no length", "current_period_end");
  if (!subscription.default_source.is_empty() &&
      std::ranges::find(foreign.sources, subscription.default_source, &Source::id) == foreign.sources.end())
    return unfit("The source of " + name + " was not taken", "default_source");
  return {};
}

Result<void> check_invoice(const ForeignAccount& foreign, const Invoice& invoice, Identifiers& ids) {
  auto taken = ids.take(invoice.id);
  if (!taken) return taken;
  for (const InvoiceLine& line : invoice.lines) {
    taken = ids.take(line.id);
    if (!taken) return taken;
  }
  const std::string name = "invoice " + invoice.id.value();
  if (invoice.is_settled() || !invoice.charges.empty() || invoice.provisional)
    return unfit("The " + name + " is no draft and not open", "status");
  const bool is_of_known =
      invoice.subscription.is_empty() ||
      std::ranges::find(foreign.subscriptions, invoice.subscription, &Subscription::id) != foreign.subscriptions.end();
  if (!is_of_known) return unfit("The subscription of " + name + " was not taken", "subscription");
  Money sum{0, invoice.total.currency};
  for (const InvoiceLine& line : invoice.lines) {
    auto with_line = add(sum, line.amount);
    if (!with_line) return with_line.error();
    sum = *with_line;
  }
  if (invoice.total != sum) return unfit("The lines of " + name + " do not add up to its total", "total");
  if (invoice.status == InvoiceStatus::open && (!invoice.finalized_at || invoice.number.empty()))
    return unfit("The open " + name + " has no number", "number");
  return {};
}

Result<void> check_item(const ForeignAccount& foreign, const InvoiceItem& item, Identifiers& ids) {
  auto taken = ids.take(item.id);
  if (!taken) return taken;
  const bool is_of_known =
      item.subscription.is_empty() ||
      std::ranges::find(foreign.subscriptions, item.subscription, &Subscription::id) != foreign.subscriptions.end();
  if (!is_of_known)
    return unfit("The subscription of invoice item " + item.id.value() + " was not taken", "subscription");
  return {};
}

/// Discounts had no identifiers in old versions, and those of another system may lead nowhere.
void name_discounts(Change& change) {
  Account& account = change.account();
  if (account.customer.discount) account.customer.discount->id = change.draw_id<DiscountKind>();
  for (Subscription& subscription : account.subscriptions) {
    if (!subscription.discount) continue;
    subscription.discount->id = change.draw_id<DiscountKind>();
    subscription.discount->subscription = subscription.id;
  }
}

}  // namespace

void place_in_cycle(Subscription& subscription) {
  const Timestamp start = subscription.current_period.start;
  // What precedes the anchor, a trial for instance, is a period of its own.
  subscription.ordinal = 0;
  subscription.anchor_ordinal = 1;
  if (subscription.anchor > start) return;
  subscription.anchor_ordinal = 0;
  subscription.ordinal = ordinal_at(subscription.anchor, subscription.recurrence(), start);
}

Result<Transition> bring_along(Account before, const ForeignAccount& foreign, Timestamp now, const Rules& rules) {
  Change change(std::move(before), now, rules);
  Account& account = change.account();
  if (!account.customer.id.is_empty()) return Failure{Errc::already_exists, "Customer already exists.", "id"};
  if (account.mode == Mode::live && !foreign.customer.test_clock.is_empty())
    return unfit("Test clocks can only be used in test mode.", "test_clock");
  Identifiers ids(account.key);
  auto taken = ids.take(foreign.customer.id);
  if (!taken) return taken.error();
  for (const Source& source : foreign.sources) {
    taken = ids.take(source);
    if (!taken) return taken.error();
  }
  for (const Subscription& subscription : foreign.subscriptions) {
    auto fits = check_subscription(foreign, subscription, ids);
    if (!fits) return fits.error();
  }
  for (const Invoice& invoice : foreign.invoices) {
    auto fits = check_invoice(foreign, invoice, ids);
    if (!fits) return fits.error();
  }
  for (const InvoiceItem& item : foreign.invoice_items) {
    auto fits = check_item(foreign, item, ids);
    if (!fits) return fits.error();
  }
  account.customer = foreign.customer;
  account.sources = foreign.sources;
  account.subscriptions = foreign.subscriptions;
  account.invoices = foreign.invoices;
  account.invoice_items = foreign.invoice_items;
  account.invoices_numbered = foreign.invoices_numbered;
  account.objects = ids.latest() + counting_gap;
  if (!foreign.customer.default_source.is_empty() && account.find(foreign.customer.default_source) == nullptr)
    account.customer.default_source = account.sources.empty() ? SourceId() : account.sources.back().id;
  if (account.find(foreign.customer.default_payment_method) == nullptr)
    account.customer.default_payment_method = SourceId();
  name_discounts(change);
  for (Subscription& subscription : account.subscriptions)
    if (subscription.status == SubscriptionStatus::trialing &&
        subscription.current_period.end - change.now > trial_notice)
      subscription.trial_will_end_at = subscription.current_period.end - trial_notice;
  for (Subscription& subscription : account.subscriptions) plan_upcoming_notice(change, subscription);
  for (Source& source : account.sources) plan_expiry_notice(change, source);
  change.touch();
  change.set_subject(account.customer.id.value());
  return change.finish();
}

}  // namespace billd
