// What is checked of an imported customer, and what is made of it.
#include "engine/imports.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>
#include <utility>

#include "engine/change.hpp"
#include "engine/trials.hpp"

namespace billd {
namespace {

/// Identifiers are counted on from beyond those that the former system may have drawn: a charge's is the idempotency
/// key towards the gateway, which must never have seen it.
constexpr std::uint64_t counting_gap = std::uint64_t{1} << 20;

/// Every identifier leads to the account, and none comes twice.
class Identifiers {
 public:
  explicit Identifiers(const AccountKey& key) : key_(key) {}

  template <class Kind>
  Result<void> take(const Id<Kind>& id) {
    if (!id.value().starts_with(Kind::prefix))
      return wrong("The identifier " + id.value() + " is of another kind of object", "id");
    return take_own(id.value());
  }
  /// Whatever it names.
  Result<void> take_own(const std::string& text) {
    if (AccountKey::of_id(text) != key_)
      return wrong("The identifier " + text + " does not lead to this customer", "id");
    if (!seen_.insert(text).second) return wrong("The identifier " + text + " is given twice", "id");
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
        return wrong("The identifier " + text + " is of another kind of object", "id");
      return take_own(text);
    }
    if (AccountKey::of_id(text) == key_) return take_own(text);
    if (!seen_.insert(text).second) return wrong("The identifier " + text + " is given twice", "id");
    return {};
  }
  /// One that leads elsewhere, or that has none, gets another.
  Result<void> take(const std::optional<Discount>& discount) {
    if (!discount || AccountKey::of_id(discount->id.value()) != key_) return {};
    return take(discount->id);
  }
  std::uint64_t latest() const { return latest_; }

 private:
  const AccountKey& key_;
  std::set<std::string> seen_;
  std::uint64_t latest_ = 0;
};

bool is_among(const std::vector<Subscription>& subscriptions, const SubscriptionId& id) {
  return std::ranges::find(subscriptions, id, &Subscription::id) != subscriptions.end();
}

Result<void> take_all(const Subscription& subscription, Identifiers& ids) {
  auto taken = ids.take(subscription.id);
  for (const SubscriptionItem& item : subscription.items)
    if (taken) taken = ids.take(item.id);
  return taken;
}

Result<void> check_usage(const Subscription& subscription, const SubscriptionItem& item) {
  const std::string name = "item " + item.id.value();
  if (!item.usage.empty() && !item.price.is_metered())
    return wrong("There is usage of " + name + ", which is not metered", "items");
  if (item.usage.size() > 1) return wrong("There is usage of more than one period of " + name, "items");
  for (const Usage& usage : item.usage)
    if (usage.period != subscription.current_period || !usage.invoice.is_empty())
      return wrong("The usage of " + name + " is not that of the current period", "items");
  return {};
}

Result<void> check_ended(const Subscription& subscription, Identifiers& ids) {
  auto taken = take_all(subscription, ids);
  if (!taken) return taken;
  if (subscription.is_live() || !subscription.ended_at || subscription.items.empty())
    return wrong("The subscription " + subscription.id.value() + " has not ended", "status");
  return {};
}

Result<void> check_pending_update(const ForeignAccount& foreign, const Subscription& subscription, Identifiers& ids) {
  if (!subscription.pending_update) return {};
  const PendingUpdate& update = *subscription.pending_update;
  const std::string name = "pending update of subscription " + subscription.id.value();
  if (update.items.empty()) return wrong("The " + name + " has no items", "pending_update");
  for (const SubscriptionItem& item : update.items) {
    if (std::ranges::find(subscription.items, item.id, &SubscriptionItem::id) != subscription.items.end()) continue;
    auto taken = ids.take(item.id);
    if (!taken) return taken;
  }
  auto items_are_fine = check_items(update.items);
  if (!items_are_fine) return items_are_fine;
  const auto invoice = std::ranges::find(foreign.invoices, update.invoice, &Invoice::id);
  if (invoice == foreign.invoices.end() || invoice->status != InvoiceStatus::open || !invoice->is_tentative)
    return wrong("The invoice of the " + name + " was not taken", "pending_update");
  return {};
}

Result<void> check_subscription(const ForeignAccount& foreign, const Subscription& subscription, Identifiers& ids) {
  auto taken = take_all(subscription, ids);
  if (!taken) return taken;
  for (const SubscriptionItem& item : subscription.items) {
    auto usage_is_fine = check_usage(subscription, item);
    if (!usage_is_fine) return usage_is_fine;
  }
  if (subscription.items.empty()) return wrong("A subscription needs an item", "items");
  auto items_are_fine = check_items(subscription.items);
  if (!items_are_fine) return items_are_fine;
  auto collection_is_fine = check_collection(subscription.collection, subscription.days_until_due);
  if (!collection_is_fine) return collection_is_fine;
  const std::string name = "subscription " + subscription.id.value();
  if (!subscription.is_live() || subscription.status == SubscriptionStatus::incomplete || subscription.provisional)
    return wrong("The " + name + " does not go on: only running ones are taken", "status");
  if (subscription.current_period.start >= subscription.current_period.end)
    return wrong("The current period of " + name + " has no length", "current_period_end");
  if (!subscription.default_source.is_empty() &&
      std::ranges::find(foreign.sources, subscription.default_source, &Source::id) == foreign.sources.end())
    return wrong("The source of " + name + " was not taken", "default_source");
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
    return wrong("The " + name + " is no draft and not open", "status");
  const bool is_of_known = invoice.subscription.is_empty() || is_among(foreign.subscriptions, invoice.subscription) ||
                           is_among(foreign.ended, invoice.subscription);
  if (!is_of_known) return wrong("The subscription of " + name + " was not taken", "subscription");
  Money sum{0, invoice.total.currency};
  for (const InvoiceLine& line : invoice.lines) {
    if (line.discount != 0 && !invoice.discount)
      return wrong("A line of " + name + " is discounted, but the invoice has no discount", "discount");
    const bool is_within = line.amount.minor >= 0 ? line.discount >= 0 && line.discount <= line.amount.minor
                                                  : line.discount <= 0 && line.discount >= line.amount.minor;
    if (!is_within) return wrong("A line of " + name + " is discounted by more than its amount", "discount");
    auto with_line = add(sum, {line.net(), line.amount.currency});
    if (!with_line) return with_line.error();
    sum = *with_line;
  }
  if (invoice.total != sum) return wrong("The lines of " + name + " do not add up to its total", "total");
  if (invoice.status == InvoiceStatus::open && (!invoice.finalized_at || invoice.number.empty()))
    return wrong("The open " + name + " has no number", "number");
  return {};
}

Result<void> check_item(const ForeignAccount& foreign, const InvoiceItem& item, Identifiers& ids) {
  auto taken = ids.take(item.id);
  if (!taken) return taken;
  if (!item.subscription.is_empty() && !is_among(foreign.subscriptions, item.subscription))
    return wrong("The subscription of invoice item " + item.id.value() + " was not taken", "subscription");
  return {};
}

Result<void> check_schedule(const ForeignAccount& foreign, const Schedule& schedule, Identifiers& ids) {
  auto taken = ids.take(schedule.id);
  if (!taken) return taken;
  const std::string name = "schedule " + schedule.id.value();
  if (!schedule.is_live()) return wrong("The " + name + " does not go on", "status");
  if (schedule.phases.empty() || schedule.phase < 0 ||
      static_cast<std::size_t>(schedule.phase) >= schedule.phases.size())
    return wrong("The " + name + " has no current phase", "phases");
  for (std::size_t i = 0; i < schedule.phases.size(); ++i) {
    const Phase& phase = schedule.phases[i];
    if (phase.items.empty() || phase.start >= phase.end)
      return wrong("A phase of " + name + " has no items, or no length", "phases");
    if (i > 0 && phase.start != schedule.phases[i - 1].end)
      return wrong("The phases of " + name + " do not follow each other", "phases");
  }
  const auto subscription = std::ranges::find(foreign.subscriptions, schedule.subscription, &Subscription::id);
  const bool has_begun = schedule.status == ScheduleStatus::active;
  if (has_begun != (subscription != foreign.subscriptions.end()))
    return wrong("The subscription of " + name + " was not taken", "subscription");
  if (has_begun && subscription->schedule != schedule.id)
    return wrong("The subscription of " + name + " is of another schedule", "schedule");
  return {};
}

Result<void> check_all(const ForeignAccount& foreign, Identifiers& ids) {
  auto fits = ids.take(foreign.customer.id);
  if (fits) fits = ids.take(foreign.customer.discount);
  for (const TaxIdentifier& identifier : foreign.customer.tax_identifiers)
    if (fits) fits = ids.take(identifier.id);
  for (const Source& source : foreign.sources)
    if (fits) fits = ids.take(source);
  for (const Subscription& subscription : foreign.subscriptions) {
    if (fits) fits = check_subscription(foreign, subscription, ids);
    if (fits) fits = check_pending_update(foreign, subscription, ids);
    if (fits) fits = ids.take(subscription.discount);
    const bool has_schedule =
        subscription.schedule.is_empty() ||
        std::ranges::find(foreign.schedules, subscription.schedule, &Schedule::id) != foreign.schedules.end();
    if (fits && !has_schedule)
      fits = wrong("The schedule of subscription " + subscription.id.value() + " was not taken", "schedule");
  }
  for (const Subscription& subscription : foreign.ended)
    if (fits) fits = check_ended(subscription, ids);
  for (const Invoice& invoice : foreign.invoices)
    if (fits) fits = check_invoice(foreign, invoice, ids);
  for (const InvoiceItem& item : foreign.invoice_items)
    if (fits) fits = check_item(foreign, item, ids);
  for (const Schedule& schedule : foreign.schedules)
    if (fits) fits = check_schedule(foreign, schedule, ids);
  return fits;
}

/// The last number that the former system has given, as far as is told.
std::uint64_t numbered_until(const ForeignAccount& foreign, const std::string& prefix) {
  std::uint64_t latest = foreign.invoices_numbered;
  for (const Invoice& invoice : foreign.invoices) {
    if (!invoice.number.starts_with(prefix + "-")) continue;
    const char *begin = invoice.number.data() + prefix.size() + 1, *end = invoice.number.data() + invoice.number.size();
    std::uint64_t number = 0;
    const auto read = std::from_chars(begin, end, number);
    if (read.ec == std::errc() && read.ptr == end) latest = std::max(latest, number);
  }
  return latest;
}

/// Numbers go on where the former system's end, and its periods are not billd's to account for.
void go_on(Account& account, const ForeignAccount& foreign) {
  const std::string own = invoice_prefix(account.key);
  FormerSystem& former = account.customer.former.emplace();
  if (foreign.invoice_prefix != own) former.invoice_prefix = foreign.invoice_prefix;
  former.invoices_numbered = numbered_until(foreign, foreign.invoice_prefix.empty() ? own : foreign.invoice_prefix);
  account.invoices_numbered = former.invoices_numbered;
  for (Subscription& subscription : account.subscriptions) subscription.first_ordinal = subscription.ordinal + 1;
}

/// Discounts had no identifiers in old versions, and those of another system may lead nowhere.
void name_discounts(Change& change) {
  Account& account = change.account();
  const auto name = [&](Discount& discount) {
    if (AccountKey::of_id(discount.id.value()) != account.key) discount.id = change.draw_id<DiscountKind>();
  };
  if (account.customer.discount) name(*account.customer.discount);
  for (Schedule& schedule : account.schedules)
    for (Phase& phase : schedule.phases)
      if (phase.discount) name(*phase.discount);
  for (Subscription& subscription : account.subscriptions) {
    if (!subscription.discount) continue;
    name(*subscription.discount);
    subscription.discount->subscription = subscription.id;
  }
  // What an invoice went through may be its subscription's, its customer's, or neither's any more.
  for (Invoice& invoice : account.invoices) {
    if (!invoice.discount) continue;
    const Subscription* subscription = account.find(invoice.subscription);
    const std::optional<Discount>& of_subscription = subscription != nullptr ? subscription->discount : std::nullopt;
    for (const std::optional<Discount>* known : {&of_subscription, &std::as_const(account.customer.discount)})
      if (*known && (*known)->coupon.id == invoice.discount->coupon.id) {
        invoice.discount = **known;
        break;
      }
    if (invoice.discount->id.is_empty()) invoice.discount->id = change.draw_id<DiscountKind>();
  }
}

/// What a lasting discount took from the current period is not given back when its items change within it.
Result<void> note_discounts(Change& change) {
  Account& account = change.account();
  for (Subscription& subscription : account.subscriptions) {
    const std::optional<Discount>& discount = subscription.discount ? subscription.discount : account.customer.discount;
    if (!subscription.is_live() || subscription.is_free_period() || !discount ||
        discount->start > subscription.current_period.start)
      continue;
    auto noted = discount_items(change, account.customer, subscription, {});
    if (!noted) return noted;
  }
  return {};
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
    return wrong("Test clocks can only be used in test mode.", "test_clock");
  Identifiers ids(account.key);
  auto fits = check_all(foreign, ids);
  if (!fits) return fits.error();
  account.customer = foreign.customer;
  account.sources = foreign.sources;
  account.subscriptions = foreign.subscriptions;
  std::ranges::copy(foreign.ended, std::back_inserter(account.subscriptions));
  account.invoices = foreign.invoices;
  account.invoice_items = foreign.invoice_items;
  account.schedules = foreign.schedules;
  account.objects = ids.latest() + counting_gap;
  go_on(account, foreign);
  account.customer.balance = 0;
  set_balance_quietly(change, foreign.customer.balance, {.description = "Balance brought along"});
  // Nothing is collected from another source than the one that was chosen.
  for (SourceId* chosen : {&account.customer.default_source, &account.customer.default_payment_method})
    if (account.find(*chosen) == nullptr) *chosen = SourceId();
  name_discounts(change);
  auto noted = note_discounts(change);
  if (!noted) return noted.error();
  for (Subscription& subscription : account.subscriptions)
    if (subscription.status == SubscriptionStatus::trialing &&
        subscription.current_period.end - change.now > trial_notice)
      subscription.trial_will_end_at = subscription.current_period.end - trial_notice;
  for (Subscription& subscription : account.subscriptions)
    if (subscription.is_live()) plan_upcoming_notice(change, subscription);
  for (Source& source : account.sources) plan_expiry_notice(change, source);
  change.touch();
  change.set_subject(account.customer.id.value());
  return change.finish();
}

}  // namespace billd
