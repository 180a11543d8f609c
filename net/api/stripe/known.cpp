#include "net/api/stripe/known.hpp"

#include <algorithm>
#include <set>
#include <span>

#include "net/api/gather.hpp"
#include "net/api/stripe/errors.hpp"
#include "net/store/held_sources.hpp"

namespace billd::api::stripe {
namespace {

template <class Map>
auto* value_or_null(Map& map, std::string_view key) {
  const auto at = map.find(key);
  return at == map.end() ? nullptr : &at->second;
}

bool lives_in_account(Kind kind) {
  switch (kind) {
    case Kind::customer:
    case Kind::card:
    case Kind::payment_method:
    case Kind::payment_intent:
    case Kind::subscription:
    case Kind::invoice:
    case Kind::charge:
    case Kind::subscription_item:
    case Kind::invoice_item:
    case Kind::credit_note:
    case Kind::balance_transaction:
    case Kind::schedule:
    case Kind::refund:
    case Kind::tax_id:
      return true;
    default:
      return false;
  }
}

/// Of the kinds that are kept outside of their account when nothing changes them any more.
bool is_known(const Known& known, Kind kind, const std::string& id) {
  switch (kind) {
    case Kind::subscription:
      return known.subscription(id) != nullptr;
    case Kind::invoice:
      return known.payment(id) != nullptr;
    case Kind::charge:
      return known.invoice_of_charge(id) != nullptr;
    case Kind::refund:
      return known.invoice_of_refund(id) != nullptr;
    case Kind::credit_note:
      return known.invoice_of_credit_note(id) != nullptr;
    case Kind::schedule:
      return known.schedule(id) != nullptr;
    case Kind::balance_transaction:
      return known.balance_transaction(id) != nullptr;
    default:
      return true;
  }
}

/// What of the wanted is still not known, of one kind.
std::vector<std::string> missing(const Known& known, const std::vector<Named>& wanted, Kind kind) {
  std::vector<std::string> ids;
  for (const Named& named : wanted) {
    if (named.kind != kind || known.account_of(named.id) == nullptr) continue;
    if (!is_known(known, kind, named.id)) ids.push_back(named.id);
  }
  return ids;
}

awaitable<Result<void>> load_accounts(Services& services, Mode mode, Known& known, std::set<AccountKey> keys) {
  if (keys.empty()) co_return Result<void>();
  if (keys.size() == 1) {
    auto loaded = co_await services.store.load(mode, *keys.begin());
    if (loaded) {
      known.put(std::make_shared<const Account>(std::move(loaded->account)));
      co_return Result<void>();
    }
    if (loaded.error().code == Errc::not_found) co_return Result<void>();
    co_return loaded.error();
  }
  std::vector<AccountKey> list(keys.begin(), keys.end());
  auto loaded = co_await services.store.load_all(mode, std::move(list));
  if (!loaded) co_return loaded.error();
  for (store::Loaded& each : *loaded) known.put(std::make_shared<const Account>(std::move(each.account)));
  co_return Result<void>();
}

awaitable<Result<InvoiceId>> owner_of_part(Services& services, Mode mode, Kind kind, std::string id) {
  const AccountKey key = *AccountKey::of_id(id);
  if (kind == Kind::refund) return services.store.invoice_of_refund(mode, key, RefundId(std::move(id)));
  if (kind == Kind::credit_note) return services.store.invoice_of_credit_note(mode, key, CreditNoteId(std::move(id)));
  return services.store.invoice_of_charge(mode, key, ChargeId(std::move(id)));
}

/// Finds out which invoices these are part of: charges, refunds or credit notes.
awaitable<Result<std::vector<std::string>>> owners_of(Services& services, Mode mode, Kind kind,
                                                      std::vector<std::string> ids) {
  std::vector<awaitable<Result<InvoiceId>>> questions;
  for (std::string& id : ids) questions.push_back(owner_of_part(services, mode, kind, std::move(id)));
  auto answers = co_await gather(std::move(questions));
  std::vector<std::string> invoices;
  for (const Result<InvoiceId>& answer : answers) {
    if (answer)
      invoices.push_back(answer->value());
    else if (answer.error().code != Errc::not_found)
      co_return answer.error();
  }
  co_return invoices;
}

awaitable<Result<void>> load_records(Services& services, Mode mode, Known& known,
                                     std::map<AccountKey, std::vector<std::string>> fields) {
  std::vector<awaitable<Result<std::vector<Record>>>> questions;
  for (auto& [key, names] : fields) questions.push_back(services.store.load_records(mode, key, std::move(names)));
  auto answers = co_await gather(std::move(questions));
  for (Result<std::vector<Record>>& answer : answers) {
    if (!answer) co_return answer.error();
    for (Record& record : *answer) known.put(std::move(record));
  }
  co_return Result<void>();
}

void collect(const Subscription& subscription, std::set<PlanId>& plans) {
  for (const SubscriptionItem& item : subscription.items) plans.insert(item.price.id);
}

void collect(const Invoice& invoice, std::set<PlanId>& plans) {
  for (const InvoiceLine& line : invoice.lines)
    if (!line.price.id.is_empty()) plans.insert(line.price.id);
}

void collect(const Schedule& schedule, std::set<PlanId>& plans) {
  for (const Phase& phase : schedule.phases) {
    for (const PhaseItem& item : phase.items) plans.insert(item.price.id);
    for (const OneTimeItem& item : phase.one_time_items) plans.insert(item.price.id);
  }
}

/// The invoices of the items that are not pending. Nothing leads to them but the invoices themselves, the latest first.
awaitable<Result<void>> load_invoices_of_items(Services& services, Mode mode, Known& known,
                                               const std::vector<Named>& wanted) {
  for (const Named& named : wanted) {
    if (named.kind != Kind::invoice_item || known.account_of(named.id) == nullptr) continue;
    if (known.invoice_item(named.id)) continue;
    auto invoices = co_await list_history(services, mode, known, *AccountKey::of_id(named.id), Kind::invoice);
    if (!invoices) co_return invoices.error();
    constexpr std::size_t batch = 50;
    for (std::size_t at = 0; at < invoices->size() && !known.invoice_item(named.id); at += batch) {
      std::vector<Named> some;
      for (std::size_t i = at; i < std::min(at + batch, invoices->size()); ++i)
        some.push_back({Kind::invoice, (*invoices)[i]});
      auto loaded = co_await load(services, mode, known, std::move(some));
      if (!loaded) co_return loaded;
    }
  }
  co_return Result<void>();
}

/// The plans that the named objects show.
std::set<PlanId> plans_shown(const Known& known, const std::vector<Named>& wanted) {
  std::set<PlanId> plans;
  for (const Named& named : wanted) {
    if (named.kind == Kind::customer) {
      if (const Account* account = known.account_of(named.id))
        for (const Subscription& subscription : account->subscriptions) collect(subscription, plans);
    } else if (named.kind == Kind::subscription) {
      if (const Subscription* subscription = known.subscription(named.id)) collect(*subscription, plans);
    } else if (named.kind == Kind::invoice) {
      if (const Invoice* invoice = known.invoice(named.id)) collect(*invoice, plans);
    } else if (named.kind == Kind::schedule) {
      if (const Schedule* schedule = known.schedule(named.id)) collect(*schedule, plans);
    } else if (named.kind == Kind::subscription_item) {
      if (const Subscription* subscription = known.subscription_of_item(named.id)) collect(*subscription, plans);
    } else if (named.kind == Kind::invoice_item) {
      const auto found = known.invoice_item(named.id);
      if (found && !found->item.price.id.is_empty()) plans.insert(found->item.price.id);
    } else if (named.kind == Kind::plan || named.kind == Kind::price) {
      plans.insert(PlanId(named.id));
    }
  }
  return plans;
}

awaitable<Result<void>> load_plans(Services& services, Mode mode, Known& known, std::set<PlanId> plans) {
  for (const PlanId& id : plans) {
    if (known.plan(id) != nullptr) continue;
    auto plan = co_await services.catalog.find<Plan>(mode, id.value());
    if (plan)
      known.put(**plan);
    else if (plan.error().code != Errc::not_found)
      co_return plan.error();
  }
  co_return Result<void>();
}

/// The identifier of the kind behind the field of a record; empty when it is of another kind.
Result<std::string> id_of_field(const AccountKey& key, std::string_view field, Kind kind) {
  switch (kind) {
    case Kind::subscription:
      return store::parse_record_field<SubscriptionKind>(key, field);
    case Kind::invoice:
    case Kind::payment_intent:
      return store::parse_record_field<InvoiceKind>(key, field);
    case Kind::refund:
      return store::parse_record_field<RefundKind>(key, field);
    case Kind::credit_note:
      return store::parse_record_field<CreditNoteKind>(key, field);
    case Kind::schedule:
      return store::parse_record_field<ScheduleKind>(key, field);
    case Kind::balance_transaction:
      return store::parse_record_field<BalanceTransactionKind>(key, field);
    default:
      return store::parse_record_field<ChargeKind>(key, field);
  }
}

/// What of the kind is in the account itself.
void add_live(const Account& account, Kind kind, std::set<std::string>& ids) {
  if (kind == Kind::subscription)
    for (const Subscription& subscription : account.subscriptions) ids.insert(subscription.id.value());
  if (kind == Kind::schedule)
    for (const Schedule& schedule : account.schedules) ids.insert(schedule.id.value());
  for (const Invoice& invoice : account.invoices) {
    if (kind == Kind::invoice || kind == Kind::payment_intent) ids.insert(invoice.id.value());
    if (kind == Kind::credit_note)
      for (const CreditNote& note : invoice.credit_notes) ids.insert(note.id.value());
    for (const Charge& charge : invoice.charges) {
      if (kind == Kind::charge) ids.insert(charge.id.value());
      if (kind == Kind::refund)
        for (const Refund& refund : charge.refunds) ids.insert(refund.id.value());
    }
  }
}

/// The customers of payment methods whose identifiers are older than that.
awaitable<Result<void>> load_owners(Services& services, Mode mode, Known& known, const std::vector<Named>& wanted) {
  std::set<AccountKey> keys;
  for (const Named& named : wanted) {
    const bool is_sought = named.kind == Kind::payment_method && named.id.starts_with(PaymentMethodKind::prefix) &&
                           known.source(named.id) == nullptr;
    if (!is_sought) continue;
    auto owner = co_await store::owner_of_held_source(services.store, mode, named.id);
    if (!owner) co_return owner.error();
    if (const auto key = AccountKey::of_id(*owner)) keys.insert(*key);
  }
  co_return co_await load_accounts(services, mode, known, std::move(keys));
}

awaitable<Result<void>> load_other(Services& services, Mode mode, Known& known, Named named) {
  if (named.kind == Kind::test_clock && known.test_clock(named.id) == nullptr) {
    auto clock = co_await services.catalog.find<TestClock>(Mode::test, named.id);
    if (clock)
      known.put(**clock);
    else if (clock.error().code != Errc::not_found)
      co_return clock.error();
  }
  if (named.kind == Kind::product && known.product(named.id) == nullptr) {
    auto product = co_await services.catalog.find<Product>(mode, named.id);
    if (product)
      known.put(**product);
    else if (product.error().code != Errc::not_found)
      co_return product.error();
  }
  co_return Result<void>();
}

}  // namespace

void Known::put(std::shared_ptr<const Account> account) {
  if (account->customer.id.is_empty()) return;  // nothing is stored under the key
  auto& place = accounts_[account->key];
  if (place != nullptr) earlier_.push_back(std::move(place));
  place = std::move(account);
}

void Known::see(const Account& account) {
  accounts_[account.key] = std::shared_ptr<const Account>(std::shared_ptr<void>(), &account);
}

void Known::put(Record record) {
  if (auto* invoice = std::get_if<Invoice>(&record)) {
    for (const Charge& charge : invoice->charges) {
      owners_[charge.id.value()] = invoice->id.value();
      for (const Refund& refund : charge.refunds) owners_[refund.id.value()] = invoice->id.value();
    }
    for (const CreditNote& note : invoice->credit_notes) owners_[note.id.value()] = invoice->id.value();
    // What a dropped change's invoice took along is pending again, or on another invoice.
    const bool is_dropped = invoice->is_tentative && invoice->status == InvoiceStatus::void_;
    for (const InvoiceLine& line : invoice->lines)
      if (!line.is_recurring() && !is_dropped) item_owners_[line.invoice_item.value()] = invoice->id.value();
    std::string id = invoice->id.value();
    invoices_.insert_or_assign(std::move(id), std::move(*invoice));
  } else if (auto* subscription = std::get_if<Subscription>(&record)) {
    std::string id = subscription->id.value();
    subscriptions_.insert_or_assign(std::move(id), std::move(*subscription));
  } else if (auto* schedule = std::get_if<Schedule>(&record)) {
    std::string id = schedule->id.value();
    schedules_.insert_or_assign(std::move(id), std::move(*schedule));
  } else if (auto* transaction = std::get_if<BalanceTransaction>(&record)) {
    std::string id = transaction->id.value();
    balance_transactions_.insert_or_assign(std::move(id), std::move(*transaction));
  }
}

void Known::put_new(Plan plan) {
  new_plans_.push_back(plan);
  put(std::move(plan));
}

void Known::put(Plan plan) {
  PlanId id = plan.id;
  plans_.insert_or_assign(std::move(id), std::move(plan));
}

void Known::put(TestClock clock) {
  std::string id = clock.id.value();
  test_clocks_.insert_or_assign(std::move(id), std::move(clock));
}

std::string payment_intent_id(const InvoiceId& invoice) { return "pi_" + std::string(id_body(invoice.value())); }

InvoiceId invoice_of_payment_intent(std::string_view id) {
  if (!id.starts_with("pi_")) return InvoiceId();
  return InvoiceId(std::string(InvoiceKind::prefix).append(id_body(id)));
}

void Known::put(Product product) {
  std::string id = product.id.value();
  products_.insert_or_assign(std::move(id), std::move(product));
}

const Account* Known::account(const AccountKey& key) const {
  const auto at = accounts_.find(key);
  return at == accounts_.end() ? nullptr : at->second.get();
}

const Account* Known::account_of(std::string_view id) const {
  const auto key = AccountKey::of_id(id);
  return key ? account(*key) : nullptr;
}

const Subscription* Known::subscription(std::string_view id) const {
  const Account* account = account_of(id);
  const Subscription* live = account != nullptr ? account->find(SubscriptionId(std::string(id))) : nullptr;
  const Subscription* found = live != nullptr ? live : value_or_null(subscriptions_, id);
  return found != nullptr && !found->provisional ? found : nullptr;
}

const Invoice* Known::invoice(std::string_view id) const {
  const Invoice* found = payment(id);
  return found != nullptr && !found->is_of_direct_charge() ? found : nullptr;
}

const Invoice* Known::payment(std::string_view id) const {
  const Account* account = account_of(id);
  const Invoice* open = account != nullptr ? account->find(InvoiceId(std::string(id))) : nullptr;
  const Invoice* found = open != nullptr ? open : value_or_null(invoices_, id);
  return found != nullptr && !found->provisional ? found : nullptr;
}

std::optional<KnownItem> Known::invoice_item(std::string_view id) const {
  const auto on = [id](const Invoice& invoice) -> std::optional<KnownItem> {
    for (const InvoiceLine& line : invoice.lines)
      if (!line.is_recurring() && line.invoice_item.value() == id) return KnownItem{invoice_item_of(line), invoice.id};
    return std::nullopt;
  };
  if (const Account* account = account_of(id)) {
    if (const InvoiceItem* pending = account->find(InvoiceItemId(std::string(id)))) return KnownItem{*pending, {}};
    for (const Invoice& invoice : account->invoices)
      if (auto found = on(invoice); found && !invoice.provisional) return found;
  }
  const std::string* owner = value_or_null(item_owners_, id);
  const Invoice* record = owner != nullptr ? value_or_null(invoices_, *owner) : nullptr;
  return record != nullptr ? on(*record) : std::nullopt;
}

const Subscription* Known::subscription_of_item(std::string_view item) const {
  const Account* account = account_of(item);
  if (account == nullptr) return nullptr;
  for (const Subscription& subscription : account->subscriptions)
    for (const SubscriptionItem& each : subscription.items)
      if (each.id.value() == item && !subscription.provisional) return &subscription;
  return nullptr;
}

const Invoice* Known::invoice_of_charge(std::string_view charge) const {
  if (const Account* account = account_of(charge))
    for (const Invoice& invoice : account->invoices)
      if (std::ranges::any_of(invoice.charges, [&](const Charge& each) { return each.id.value() == charge; }))
        return &invoice;
  const std::string* owner = value_or_null(owners_, charge);
  return owner != nullptr ? value_or_null(invoices_, *owner) : nullptr;
}

const Invoice* Known::invoice_of_credit_note(std::string_view note) const {
  if (const Account* account = account_of(note))
    for (const Invoice& invoice : account->invoices)
      if (std::ranges::any_of(invoice.credit_notes, [&](const CreditNote& each) { return each.id.value() == note; }))
        return &invoice;
  const std::string* owner = value_or_null(owners_, note);
  return owner != nullptr ? value_or_null(invoices_, *owner) : nullptr;
}

const Invoice* Known::invoice_of_refund(std::string_view refund) const {
  const auto has_it = [&](const Charge& charge) {
    return std::ranges::any_of(charge.refunds, [&](const Refund& each) { return each.id.value() == refund; });
  };
  if (const Account* account = account_of(refund))
    for (const Invoice& invoice : account->invoices)
      if (std::ranges::any_of(invoice.charges, has_it)) return &invoice;
  const std::string* owner = value_or_null(owners_, refund);
  return owner != nullptr ? value_or_null(invoices_, *owner) : nullptr;
}

const Schedule* Known::schedule(std::string_view id) const {
  if (const Account* account = account_of(id))
    if (const Schedule* live = account->find(ScheduleId(std::string(id)))) return live;
  return value_or_null(schedules_, id);
}

const BalanceTransaction* Known::balance_transaction(std::string_view id) const {
  return value_or_null(balance_transactions_, id);
}

const Account* Known::owner_of_source(std::string_view id) const {
  const SourceId name{std::string(id)};
  const Account* account = account_of(id);
  if (account != nullptr && account->find(name) != nullptr) return account;
  if (!id.starts_with(PaymentMethodKind::prefix)) return nullptr;
  const auto at =
      std::ranges::find_if(accounts_, [&](const auto& entry) { return entry.second->find(name) != nullptr; });
  return at == accounts_.end() ? nullptr : at->second.get();
}

const Source* Known::source(std::string_view id) const {
  const Account* account = owner_of_source(id);
  return account != nullptr ? account->find(SourceId(std::string(id))) : nullptr;
}

const Discount* Known::discount(std::string_view id) const {
  const Discount* found = nullptr;
  const auto look_at = [&](const auto& discounts) {
    for (const Discount& each : discounts)
      if (each.id.value() == id) found = &each;
  };
  const auto look_at_one = [&](const std::optional<Discount>& discount) {
    if (discount) look_at(std::span(&*discount, 1));
  };
  const auto look_at_invoice = [&](const Invoice& invoice) {
    look_at_one(invoice.discount);
    for (const InvoiceLine& line : invoice.lines) look_at(line.discounts);
  };
  if (const Account* account = account_of(id)) {
    look_at_one(account->customer.discount);
    for (const Subscription& subscription : account->subscriptions) look_at_one(subscription.discount);
    for (const InvoiceItem& item : account->invoice_items) look_at(item.discounts);
    std::ranges::for_each(account->invoices, look_at_invoice);
  }
  for (const auto& [_, subscription] : subscriptions_) look_at_one(subscription.discount);
  for (const auto& [_, invoice] : invoices_) look_at_invoice(invoice);
  return found;
}

const Plan* Known::plan(const PlanId& id) const {
  const auto at = plans_.find(id);
  return at == plans_.end() ? nullptr : &at->second;
}

const Product* Known::product(std::string_view id) const { return value_or_null(products_, id); }

const TestClock* Known::test_clock(std::string_view id) const { return value_or_null(test_clocks_, id); }

void Known::look_into(const store::Catalog& catalog, Timestamp now) {
  catalog_ = &catalog;
  now_ = now;
}

const Coupon* Known::coupon(Mode mode, const CouponId& id) const {
  if (catalog_ == nullptr) return nullptr;
  auto found = catalog_->get<Coupon>(mode, id.value());
  const Coupon* coupon = found.get();
  found_.push_back(std::move(found));
  return coupon;
}

const TaxRate* Known::tax_rate(Mode mode, const TaxRateId& id) const {
  if (catalog_ == nullptr) return nullptr;
  auto found = catalog_->get<TaxRate>(mode, id.value());
  const TaxRate* rate = found.get();
  found_.push_back(std::move(found));
  return rate;
}

std::int64_t Known::times_redeemed(Mode mode, const Coupon& coupon) const {
  return catalog_ != nullptr ? catalog_->redemptions().times_redeemed(mode, coupon) : 0;
}

std::int64_t Known::times_redeemed(Mode mode, const PromotionCode& code) const {
  return catalog_ != nullptr ? catalog_->redemptions().times_redeemed(mode, code) : 0;
}

namespace {

/// Loads what is not known yet, with each account as it was first seen.
awaitable<Result<void>> load_unknown(Services& services, Mode mode, Known& known, std::vector<Named> wanted) {
  std::set<AccountKey> keys;
  for (const Named& named : wanted) {
    const auto key = lives_in_account(named.kind) ? AccountKey::of_id(named.id) : std::nullopt;
    if (key && known.account(*key) == nullptr) keys.insert(*key);
  }
  auto accounts = co_await load_accounts(services, mode, known, std::move(keys));
  if (!accounts) co_return accounts;
  auto behind_names = co_await load_owners(services, mode, known, wanted);
  if (!behind_names) co_return behind_names;

  std::map<AccountKey, std::vector<std::string>> fields;
  auto want_invoice = [&](const std::string& id) {
    const AccountKey key = *AccountKey::of_id(id);
    fields[key].push_back(store::record_field(key, InvoiceId(id)));
  };
  for (const Kind part : {Kind::charge, Kind::refund, Kind::credit_note}) {
    std::vector<std::string> parts = missing(known, wanted, part);
    if (parts.empty()) continue;
    auto owners = co_await owners_of(services, mode, part, std::move(parts));
    if (!owners) co_return owners.error();
    std::ranges::for_each(*owners, want_invoice);
  }
  for (Named& named : wanted)  // It is its invoice, told by another name.
    if (named.kind == Kind::payment_intent) named = {Kind::invoice, invoice_of_payment_intent(named.id).value()};
  std::ranges::for_each(missing(known, wanted, Kind::invoice), want_invoice);
  for (const std::string& id : missing(known, wanted, Kind::subscription)) {
    const AccountKey key = *AccountKey::of_id(id);
    fields[key].push_back(store::record_field(key, SubscriptionId(id)));
  }
  for (const std::string& id : missing(known, wanted, Kind::schedule)) {
    const AccountKey key = *AccountKey::of_id(id);
    fields[key].push_back(store::record_field(key, ScheduleId(id)));
  }
  for (const std::string& id : missing(known, wanted, Kind::balance_transaction)) {
    const AccountKey key = *AccountKey::of_id(id);
    fields[key].push_back(store::record_field(key, BalanceTransactionId(id)));
  }
  if (!fields.empty()) {
    auto records = co_await load_records(services, mode, known, std::move(fields));
    if (!records) co_return records;
  }

  auto of_items = co_await load_invoices_of_items(services, mode, known, wanted);
  if (!of_items) co_return of_items;
  for (const Named& named : wanted) {
    if (named.kind != Kind::test_clock && named.kind != Kind::product) continue;
    auto other = co_await load_other(services, mode, known, named);
    if (!other) co_return other;
  }
  std::set<PlanId> plans = plans_shown(known, wanted);
  if (plans.empty()) co_return Result<void>();
  co_return co_await load_plans(services, mode, known, std::move(plans));
}

/// The accounts of what was found neither in them nor outside.
std::set<AccountKey> accounts_of_missing(const Known& known, const std::vector<Named>& wanted) {
  std::set<AccountKey> keys;
  for (const Named& named : wanted) {
    const Account* account = lives_in_account(named.kind) ? known.account_of(named.id) : nullptr;
    if (account == nullptr || named.kind == Kind::balance_transaction) continue;  // those never were in an account
    const bool is_found = named.kind == Kind::payment_intent
                              ? known.payment(invoice_of_payment_intent(named.id).value()) != nullptr
                              : is_known(known, named.kind, named.id);
    if (!is_found) keys.insert(account->key);
  }
  return keys;
}

/// Loads the accounts again. Whether one of them is not what it was.
awaitable<Result<bool>> reload(Services& services, Mode mode, Known& known, std::set<AccountKey> keys) {
  std::map<AccountKey, std::uint64_t> versions;
  for (const AccountKey& key : keys)
    if (const Account* account = known.account(key)) versions[key] = account->version;
  auto loaded = co_await load_accounts(services, mode, known, keys);
  if (!loaded) co_return loaded.error();
  co_return std::ranges::any_of(keys, [&](const AccountKey& key) {
    const Account* account = known.account(key);
    return account != nullptr && account->version != versions[key];
  });
}

/// How often an account is looked at again that changes at every reading.
constexpr int readings_max = 16;

}  // namespace

awaitable<Result<void>> load(Services& services, Mode mode, Known& known, std::vector<Named> wanted) {
  auto loaded = co_await load_unknown(services, mode, known, wanted);
  if (!loaded) co_return loaded;
  // What came back into its account after that had been read is found in neither place: unless the account is still
  // the same, it is looked for anew.
  for (int reading = 1; reading < readings_max; ++reading) {
    std::set<AccountKey> keys = accounts_of_missing(known, wanted);
    if (keys.empty()) break;
    auto changed = co_await reload(services, mode, known, std::move(keys));
    if (!changed) co_return changed.error();
    if (!*changed) break;
    loaded = co_await load_unknown(services, mode, known, wanted);
    if (!loaded) co_return loaded;
  }
  co_return Result<void>();
}

awaitable<Result<const Account*>> load_customer(Services& services, Mode mode, Known& known, std::string id,
                                                std::string parameter) {
  std::vector<Named> wanted(1, Named{Kind::customer, id});
  auto loaded = co_await load(services, mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  const Account* account = known.account_of(id);
  if (account == nullptr || account->customer.id.value() != id) co_return no_such("customer", id, parameter);
  co_return account;
}

awaitable<Result<const Account*>> load_live_customer(Services& services, Mode mode, Known& known, std::string id,
                                                     std::string parameter) {
  auto account = co_await load_customer(services, mode, known, id, parameter);
  if (account && (*account)->customer.deleted) co_return no_such("customer", id, parameter);
  co_return account;
}

awaitable<Result<const Subscription*>> load_subscription(Services& services, Mode mode, Known& known, std::string id) {
  std::vector<Named> wanted(1, Named{Kind::subscription, id});
  auto loaded = co_await load(services, mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  const Subscription* subscription = known.subscription(id);
  if (subscription == nullptr) co_return no_such("subscription", id);
  co_return subscription;
}

awaitable<Result<const Invoice*>> load_invoice(Services& services, Mode mode, Known& known, std::string id) {
  std::vector<Named> wanted(1, Named{Kind::invoice, id});
  auto loaded = co_await load(services, mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  const Invoice* invoice = known.invoice(id);
  if (invoice == nullptr) co_return no_such("invoice", id);
  co_return invoice;
}

awaitable<Result<const Invoice*>> load_payment(Services& services, Mode mode, Known& known, std::string invoice) {
  std::vector<Named> wanted(1, Named{Kind::invoice, invoice});
  auto loaded = co_await load(services, mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  const Invoice* found = known.payment(invoice);
  if (found == nullptr) co_return no_such("invoice", invoice);
  co_return found;
}

awaitable<Result<const Plan*>> load_plan(Services& services, Mode mode, Known& known, std::string id,
                                         std::string parameter) {
  std::vector<Named> wanted(1, Named{Kind::plan, id});
  auto loaded = co_await load(services, mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  const Plan* plan = known.plan(PlanId(id));
  if (plan == nullptr || plan->deleted) co_return no_such("plan", id, parameter);
  co_return plan;
}

awaitable<Result<std::vector<std::string>>> list_history(Services& services, Mode mode, Known& known, AccountKey key,
                                                         Kind kind) {
  std::set<std::string> ids;
  // What moves between the account and its records meanwhile may be in neither reading. With the same account before
  // and after, the records are of the same moment.
  for (int reading = 0; reading < readings_max; ++reading) {
    if (const Account* account = known.account(key)) add_live(*account, kind, ids);
    auto fields = co_await services.store.record_fields(mode, key);
    if (!fields) co_return fields.error();
    for (const std::string& field : *fields) {
      auto id = id_of_field(key, field, kind);
      if (!id) co_return id.error();
      if (!id->empty()) ids.insert(std::move(*id));
    }
    std::set<AccountKey> keys = {key};
    auto changed = co_await reload(services, mode, known, std::move(keys));
    if (!changed) co_return changed.error();
    if (!*changed) break;
  }
  std::vector<std::string> newest_first(ids.begin(), ids.end());
  sort_newest_first(key, newest_first);
  co_return newest_first;
}

awaitable<Result<std::vector<std::string>>> load_history(Services& services, Mode mode, Known& known, AccountKey key,
                                                         Kind kind) {
  auto ids = co_await list_history(services, mode, known, key, kind);
  if (!ids) co_return ids;
  std::vector<Named> wanted;
  for (const std::string& id : *ids) wanted.push_back({kind, id});
  auto loaded = co_await load(services, mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  co_return ids;
}

void sort_newest_first(const AccountKey& key, std::vector<std::string>& ids) {
  // Identifiers of an account count its objects, so that their order is that of creation, whatever the clock did.
  std::ranges::sort(ids, std::ranges::greater(), [&](const std::string& id) {
    return object_number(key, id_body(id).substr(account_key_length)).value_or(0);
  });
}

awaitable<Result<Timestamp>> account_time(Services& services, const Account& account) {
  if (account.customer.test_clock.is_empty()) co_return services.billing.now();
  auto clock = co_await services.catalog.find<TestClock>(Mode::test, account.customer.test_clock.value());
  if (!clock) co_return clock.error();
  co_return (*clock)->frozen_time;
}

}  // namespace billd::api::stripe
