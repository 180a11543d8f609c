#include "commands/import_customer.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "commands/import_adoption.hpp"
#include "commands/import_objects.hpp"
#include "engine/amounts.hpp"
#include "engine/imports.hpp"
#include "jobs/clock.hpp"
#include "net/store/aliases.hpp"
#include "net/store/held_sources.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

/// How often a write is tried again when another writer was first.
constexpr int conflicts_max = 10;

template <class Value>
const Value* value_or_null(const std::map<std::string, Value>& values, const std::string& name) {
  const auto at = values.find(name);
  return at == values.end() ? nullptr : &at->second;
}

const Subscription* find(const std::vector<Subscription>& subscriptions, const std::string& id) {
  const auto at = std::ranges::find(subscriptions, SubscriptionId(id), &Subscription::id);
  return at == subscriptions.end() ? nullptr : &*at;
}

class CustomerImport {
 public:
  explicit CustomerImport(const ImportOfAll& all) : all_(all) {
    named_.price = [this](const json::object& plan) { return price_of(plan); };
    named_.tax_rate = [this](const std::string& id) { return value_or_null(all_.catalog.tax_rates(), id); };
    named_.coupon = [this](const std::string& id) { return value_or_null(all_.catalog.coupons(), id); };
    named_.discount = [this](const std::string& id) { return value_or_null(discounts_, id); };
    named_.usage = [this](const std::string& item) { return value_or_null(usage_, item); };
  }
  CustomerImport(const CustomerImport&) = delete;
  CustomerImport& operator=(const CustomerImport&) = delete;

  awaitable<Result<void>> run(json::object foreign) {
    id_ = text_of(foreign, "id");
    const CustomerId native = native_customer(all_.options.mode, CustomerId(id_));
    const auto key = AccountKey::of_id(native.value());
    if (!key) {
      report_.refuse("customer", id_,
                     "billd cannot keep its identifier: it is not cus_ and characters of [A-Za-z0-9_]");
      co_return Result<void>();
    }
    auto loaded = co_await store().load(all_.options.mode, *key);
    if (!loaded && loaded.error().code != Errc::not_found) co_return loaded.error();
    if (loaded && !loaded->account.customer.id.is_empty()) co_return co_await note_known(*key);
    auto whole = co_await all_.reader.belongings(std::move(foreign));
    if (!whole) co_return whole.error();
    auto account = read(*whole);
    if (!account) co_return Result<void>();
    std::map<std::string, std::string> payment_intents;
    for (const json::object& invoice : whole->invoices)
      payment_intents.emplace(text_of(invoice, "id"), identifier_of(invoice, "payment_intent"));
    std::vector<store::Alias> aliases;
    if (key->is_adopted()) {
      auto adopted = adopt(*key, *account, payment_intents);
      if (!adopted) {
        report_.refuse("customer", id_, adopted.error().detail);
        co_return Result<void>();
      }
      aliases = std::move(*adopted);
    }
    co_return co_await commit(*key, std::move(*account), std::move(aliases));
  }

  ImportReport take_report() { return std::move(report_); }

 private:
  store::Store& store() { return all_.session.store(); }

  /// There is a customer under the key: this one, or, once in a blue moon, one whose identifier has the same hash.
  awaitable<Result<void>> note_known(AccountKey key) {
    if (key.is_adopted()) {
      auto aliases = co_await store().aliases().of_account(key);
      if (!aliases) co_return aliases.error();
      if (std::ranges::find(**aliases, id_, &store::Alias::foreign) == (*aliases)->end()) {
        report_.refuse("customer", id_,
                       "another customer is in its place: the hashes of their identifiers are the same");
        co_return Result<void>();
      }
    }
    ++report_.kinds["customer"].known;
    co_return Result<void>();
  }

  /// Empty when the customer as such cannot be taken.
  std::optional<ForeignAccount> read(const ForeignCustomer& whole) {
    usage_ = whole.usage;
    auto customer = read_customer(whole.customer, whole.tax_ids, named_);
    if (!customer) {
      report_.refuse("customer", id_, customer.error().detail);
      return std::nullopt;
    }
    ForeignAccount foreign;
    foreign.customer = std::move(*customer);
    remember(foreign.customer.discount);
    foreign.invoice_prefix = text_of(whole.customer, "invoice_prefix");
    if (const std::int64_t next = integer_of(whole.customer, "next_invoice_sequence"); next > 0)
      foreign.invoices_numbered = static_cast<std::uint64_t>(next - 1);
    read_belongings(whole, foreign);
    check_default(foreign, foreign.customer.default_source, "default_source");
    check_default(foreign, foreign.customer.default_payment_method, "default_payment_method");
    return foreign;
  }

  /// Nothing is ever collected from another card than the one that was chosen.
  void check_default(const ForeignAccount& foreign, SourceId& chosen, const std::string& member) {
    if (chosen.is_empty() || is_taken(foreign, chosen)) return;
    report_.refuse(member, chosen.value(),
                   "it was not taken, and nothing is collected from another card in its place: customer " + id_ +
                       " has none until one is chosen");
    chosen = SourceId();
  }

  static bool is_taken(const ForeignAccount& foreign, const SourceId& source) {
    return source.is_empty() || std::ranges::find(foreign.sources, source, &Source::id) != foreign.sources.end();
  }

  void remember(const std::optional<Discount>& discount) {
    if (discount) discounts_.insert_or_assign(discount->id.value(), *discount);
  }

  void read_belongings(const ForeignCustomer& whole, ForeignAccount& foreign) {
    const TokenOf tokens = [&](const std::string& id, const std::string& fingerprint) {
      return all_.tokens.of(id_, id, fingerprint);
    };
    // The API tells the newest first.
    for (auto each = whole.sources.rbegin(); each != whole.sources.rend(); ++each)
      keep("source", *each, read_source(*each, all_.options.gateway, tokens), foreign.sources);
    // A bank account does not say when it was made.
    for (Source& source : foreign.sources)
      if (source.created == Timestamp()) source.created = foreign.customer.created;
    for (auto each = whole.schedules.rbegin(); each != whole.schedules.rend(); ++each)
      keep("subscription_schedule", *each, check_references(read_schedule(*each, named_), foreign), foreign.schedules);
    for (auto each = whole.subscriptions.rbegin(); each != whole.subscriptions.rend(); ++each)
      keep("subscription", *each, check_references(read_subscription(*each, named_), foreign), foreign.subscriptions);
    drop_orphaned_schedules(foreign);
    for (const Subscription& subscription : foreign.subscriptions) remember(subscription.discount);
    for (const json::object& each : whole.ended)
      keep("subscription", each, read_ended_subscription(each, named_), foreign.ended);
    for (auto each = whole.invoice_items.rbegin(); each != whole.invoice_items.rend(); ++each) {
      const std::string of = identifier_of(*each, "subscription");
      if (of.empty() || find(foreign.subscriptions, of) != nullptr)
        keep("invoiceitem", *each, read_invoice_item(*each, named_), foreign.invoice_items);
      else
        report_.refuse("invoiceitem", text_of(*each, "id"), "its subscription " + of + " was not taken");
    }
    for (auto each = whole.invoices.rbegin(); each != whole.invoices.rend(); ++each)
      read_one_invoice(whole, *each, foreign);
    for (const json::object& each : whole.subscriptions)
      if (const json::object* update = object_of(each, "pending_update"))
        take_pending_update(text_of(each, "id"), *update, foreign);
  }

  /// With the invoice that pays for it, or neither of them.
  void take_pending_update(const std::string& of, const json::object& update, ForeignAccount& foreign) {
    const auto subscription = std::ranges::find(foreign.subscriptions, SubscriptionId(of), &Subscription::id);
    if (subscription == foreign.subscriptions.end()) return;
    const auto invoice = std::ranges::find(foreign.invoices, subscription->latest_invoice, &Invoice::id);
    const bool is_billed = invoice != foreign.invoices.end();
    Result<PendingUpdate> read = refusal("the invoice that pays for it was not taken", "pending_update");
    if (is_billed) read = read_pending_update(update, *subscription, *invoice, named_);
    if (read) {
      invoice->is_tentative = true;
      invoice->ordinal = read->ordinal;
      subscription->pending_update = std::move(*read);
      return;
    }
    report_.refuse("pending_update", of, read.error().detail + ": the subscription stays as it is");
    if (!is_billed) return;
    report_.refuse("invoice", invoice->id.value(), "it pays for the change of " + of + " that was not taken");
    foreign.invoices.erase(invoice);
  }

  void read_one_invoice(const ForeignCustomer& whole, const json::object& invoice, ForeignAccount& foreign) {
    const std::string of = identifier_of(invoice, "subscription");
    const Subscription* subscription = find(foreign.subscriptions, of);
    if (subscription == nullptr) subscription = find(foreign.ended, of);
    if (!of.empty() && subscription == nullptr) {
      report_.refuse("invoice", text_of(invoice, "id"), "its subscription " + of + " was not taken");
      return;
    }
    const auto lines = whole.lines.find(text_of(invoice, "id"));
    auto read = read_invoice(invoice, lines == whole.lines.end() ? Objects() : lines->second, subscription, named_);
    if (read && !is_taken(foreign, read->default_source)) read = not_paid_with(read->default_source);
    if (read) note_own_discount(*read, subscription != nullptr ? subscription->discount : std::nullopt, foreign);
    keep("invoice", invoice, std::move(read), foreign.invoices);
  }

  /// A draft without a discount, where one is in effect that would take something off, was told to have none.
  void note_own_discount(Invoice& draft, const std::optional<Discount>& of_subscription,
                         const ForeignAccount& foreign) const {
    if (draft.status != InvoiceStatus::draft || draft.discount) return;
    const std::optional<Discount>& other = of_subscription ? of_subscription : foreign.customer.discount;
    if (!other || other->start > draft.created || (other->end && *other->end <= draft.created)) return;
    Invoice discounted = draft;
    discounted.discount = *other;
    auto settled = settle_amounts(discounted, all_.rules.tax_rounding, foreign.customer.tax_exempt);
    draft.has_own_discount = settled && discounted.discount_total() != 0;
  }

  static Failure not_paid_with(const SourceId& source) {
    return refusal("what it is paid with was not taken: " + source.value(), "default_payment_method");
  }

  /// What it refers to was taken, too.
  static Result<Subscription> check_references(Result<Subscription> subscription, const ForeignAccount& foreign) {
    if (!subscription) return subscription;
    if (!is_taken(foreign, subscription->default_source)) return not_paid_with(subscription->default_source);
    const ScheduleId& schedule = subscription->schedule;
    if (!schedule.is_empty() &&
        std::ranges::find(foreign.schedules, schedule, &Schedule::id) == foreign.schedules.end())
      return refusal("its schedule " + schedule.value() + " was not taken", "schedule");
    return subscription;
  }

  static Result<Schedule> check_references(Result<Schedule> schedule, const ForeignAccount& foreign) {
    if (!schedule) return schedule;
    if (!is_taken(foreign, schedule->default_source)) return not_paid_with(schedule->default_source);
    for (const Phase& phase : schedule->phases)
      if (!is_taken(foreign, phase.default_source)) return not_paid_with(phase.default_source);
    return schedule;
  }

  /// A schedule that is under way is nothing without its subscription.
  void drop_orphaned_schedules(ForeignAccount& foreign) {
    std::erase_if(foreign.schedules, [&](const Schedule& schedule) {
      const std::string of = schedule.subscription.value();
      if (of.empty() || find(foreign.subscriptions, of) != nullptr) return false;
      report_.refuse("subscription_schedule", schedule.id.value(), "its subscription " + of + " was not taken");
      return true;
    });
  }

  /// As the catalog tells it, which knows the tiers; of one that is not there any more, as the item tells it.
  Result<Price> price_of(const json::object& plan) const {
    const std::string id = text_of(plan, "id");
    if (const Price* known = value_or_null(all_.catalog.prices(), id)) return *known;
    if (plan.size() <= 1) return refusal("its price " + id + " is not in the catalog", "price");
    return read_price(plan);
  }

  template <class Object>
  void keep(const std::string& kind, const json::object& foreign, Result<Object> read, std::vector<Object>& into) {
    if (read)
      into.push_back(std::move(*read));
    else
      report_.refuse(kind, text_of(foreign, "id"), read.error().detail);
  }

  awaitable<Result<void>> commit(AccountKey key, ForeignAccount foreign, std::vector<store::Alias> aliases) {
    const ForeignAccount whole = std::move(foreign);
    auto now = time_of_account(whole.customer);
    if (!now) {
      report_.refuse("customer", id_, now.error().detail);
      co_return Result<void>();
    }
    Account nothing;
    nothing.key = key;
    nothing.mode = all_.options.mode;
    const auto fits = bring_along(nothing, whole, *now, all_.rules);
    if (!fits) {
      report_.refuse("customer", id_, in_foreign_words(fits.error().detail, aliases));
      co_return Result<void>();
    }
    // What is written before the account leads nowhere until it is there, and is written again by whoever comes next.
    auto leads = co_await store().aliases().lead_to(all_.options.mode, key, aliases);
    if (!leads && leads.error().code == Errc::already_exists) {
      report_.refuse("customer", id_, leads.error().detail);
      co_return Result<void>();
    }
    if (!leads) co_return leads.error();
    auto claimed = co_await claim_payment_methods(key, whole);
    if (!claimed) co_return claimed;
    for (int attempt = 0;; ++attempt) {
      store::CommitRequest request;
      request.transition = *fits;
      request.now = *now;
      if (!aliases.empty()) request.aliases = store::encode_aliases(key, aliases);
      auto committed = co_await store().commit(std::move(request));
      if (!committed) co_return committed.error();
      if (committed->status == store::CommitStatus::conflict && attempt < conflicts_max) {
        auto there = co_await store().load(all_.options.mode, key);
        if (there && !there->account.customer.id.is_empty()) co_return co_await note_known(key);
        continue;
      }
      if (committed->status != store::CommitStatus::committed)
        co_return Failure{Errc::conflict, id_ + " could not be written"};
      count_taken(whole);
      co_return Result<void>();
    }
  }

  /// The time in which the customer lives: its test clock's, or real time.
  Result<Timestamp> time_of_account(const Customer& customer) {
    const std::string& name = customer.test_clock.value();
    if (name.empty()) return jobs::system_now();
    const auto clock = all_.session.catalog().get<TestClock>(Mode::test, name);
    if (clock == nullptr) return Failure{Errc::not_found, "its test clock " + name + " was not taken", "test_clock"};
    return clock->frozen_time;
  }

  /// Payment methods whose identifiers are older than that they were the customer's lead to it from now on.
  awaitable<Result<void>> claim_payment_methods(AccountKey key, const ForeignAccount& whole) {
    for (const Source& source : whole.sources) {
      if (!source.is_payment_method() || AccountKey::of_id(source.id.value()) == key) continue;
      std::string method = source.id.value();
      std::string owner = whole.customer.id.value();
      auto claimed = co_await store::claim_held_source(store(), all_.options.mode, std::move(method), std::move(owner),
                                                       std::nullopt);
      if (!claimed) co_return claimed.error();
    }
    co_return Result<void>();
  }

  void count_taken(const ForeignAccount& whole) {
    ++report_.kinds["customer"].taken;
    report_.kinds["source"].taken += whole.sources.size();
    report_.kinds["tax_id"].taken += whole.customer.tax_identifiers.size();
    report_.kinds["subscription"].taken += whole.subscriptions.size() + whole.ended.size();
    report_.kinds["subscription_schedule"].taken += whole.schedules.size();
    report_.kinds["invoice"].taken += whole.invoices.size();
    report_.kinds["invoiceitem"].taken += whole.invoice_items.size();
  }

  const ImportOfAll& all_;
  std::string id_;  ///< of the customer, as the other system calls it
  Named named_;
  std::map<std::string, Discount> discounts_;  ///< that the customer and its subscriptions have
  std::map<std::string, Objects> usage_;       ///< by subscription item
  ImportReport report_;
};

}  // namespace

awaitable<Result<ImportReport>> take_customer(const ImportOfAll& all, json::object customer) {
  CustomerImport work(all);
  auto done = co_await work.run(std::move(customer));
  if (!done) co_return done.error();
  co_return work.take_report();
}

}  // namespace billd::commands
