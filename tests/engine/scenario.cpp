// The scenario, and what must hold after every commit.
#include "tests/engine/scenario.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "engine/amounts.hpp"

namespace billd::test {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

/// The timers once more, from their description in decide.hpp.
Timers expected_timers(const Account& account) {
  std::map<Queue, std::set<Timestamp>> waits;
  for (const Invoice& invoice : account.invoices) {
    const ChargeState latest = invoice.charges.empty() ? ChargeState::declined : invoice.charges.back().state;
    if (latest == ChargeState::parked) continue;
    if (latest == ChargeState::sending || latest == ChargeState::pending) {
      waits[Queue::collection].insert(invoice.charges.back().resolve_at);
    } else if (invoice.status == InvoiceStatus::paid) {
      for (const Charge& charge : invoice.charges)
        for (const Refund& refund : charge.refunds)
          if (refund.state == RefundState::sending || refund.state == RefundState::pending)
            waits[Queue::collection].insert(refund.resolve_at);
    } else if (invoice.status == InvoiceStatus::draft && invoice.finalize_at) {
      waits[Queue::invoice_closing].insert(*invoice.finalize_at);
    } else if (invoice.status == InvoiceStatus::open && invoice.next_attempt_at) {
      waits[Queue::collection].insert(*invoice.next_attempt_at);
    } else if (invoice.status == InvoiceStatus::open && invoice.overdue_at) {
      waits[Queue::collection].insert(*invoice.overdue_at);
    }
  }
  for (const Subscription& subscription : account.subscriptions) {
    const bool charge_in_flight = std::ranges::any_of(account.invoices, [&](const Invoice& invoice) {
      return invoice.id == subscription.latest_invoice && !invoice.charges.empty() &&
             invoice.charges.back().is_unresolved();
    });
    const auto& update = subscription.pending_update;
    if (update && charge_in_flight) continue;  // whether it is made is not known
    if (subscription.status == SubscriptionStatus::paused) {
      const bool ends_first = subscription.cancel_at && (!update || *subscription.cancel_at < update->expires_at);
      if (ends_first)
        waits[Queue::cancellation].insert(*subscription.cancel_at);
      else if (update)
        waits[Queue::renewal].insert(update->expires_at);
    } else if (subscription.status == SubscriptionStatus::incomplete) {
      if (!charge_in_flight) waits[Queue::cancellation].insert(subscription.expires_at.value());
    } else if (subscription.grace_until) {
      waits[Queue::cancellation].insert(*subscription.grace_until);
      if (subscription.cancel_at) waits[Queue::cancellation].insert(*subscription.cancel_at);
    } else {
      std::map<Timestamp, Queue> next;  // of what comes first; a cancellation before a renewal at the same time
      next.emplace(subscription.current_period.end,
                   subscription.cancel_at_period_end ? Queue::cancellation : Queue::renewal);
      if (subscription.cancel_at) next.insert_or_assign(*subscription.cancel_at, Queue::cancellation);
      if (subscription.trial_will_end_at) next.emplace(*subscription.trial_will_end_at, Queue::renewal);
      const bool ends = subscription.cancel_at_period_end ||
                        (subscription.cancel_at && *subscription.cancel_at <= subscription.current_period.end);
      if (subscription.upcoming_at && !ends) next.emplace(*subscription.upcoming_at, Queue::renewal);
      // Collection resumes before what is due at the same time is done.
      if (subscription.pause && subscription.pause->resumes_at &&
          *subscription.pause->resumes_at <= next.begin()->first)
        next.insert_or_assign(*subscription.pause->resumes_at, Queue::renewal);
      if (subscription.pending_item_interval) next.emplace(subscription.pending_item_interval->next(), Queue::renewal);
      // What was not paid for is dropped before what is due at the same time is done.
      if (update && update->expires_at <= next.begin()->first)
        next.insert_or_assign(update->expires_at, Queue::renewal);
      waits[next.begin()->second].insert(next.begin()->first);
    }
  }
  for (const InvoiceItem& item : account.invoice_items)
    if (item.bill_at) waits[Queue::renewal].insert(*item.bill_at);
  for (const Schedule& schedule : account.schedules)
    waits[Queue::renewal].insert(schedule.status == ScheduleStatus::active
                                     ? schedule.phases.at(static_cast<std::size_t>(schedule.phase)).end
                                     : schedule.phases.front().start);
  bool is_charged = false;
  for (const Subscription& subscription : account.subscriptions)
    if (!subscription.cancel_at_period_end && subscription.collection == Collection::charge_automatically)
      is_charged = true;
  for (const Source& source : account.sources)
    if (source.expiring_at && is_charged) waits[Queue::renewal].insert(*source.expiring_at);
  Timers result;
  for (const auto& [queue, times] : waits) result[static_cast<std::size_t>(queue)] = *times.begin();
  return result;
}

void check_subscription(const Subscription& subscription) {
  SCOPED_TRACE(subscription.id.value());
  EXPECT_FALSE(subscription.items.empty());
  EXPECT_LT(subscription.current_period.start, subscription.current_period.end);
  EXPECT_EQ(whole_second(subscription.current_period.start), subscription.current_period.start);
  if (subscription.ordinal >= subscription.anchor_ordinal)
    EXPECT_EQ(subscription.current_period, subscription.period(subscription.ordinal));
  else
    EXPECT_LE(subscription.current_period.end, subscription.anchor);
  if (subscription.paid_until) {
    EXPECT_LE(subscription.current_period.start, *subscription.paid_until);
    EXPECT_LT(*subscription.paid_until, subscription.current_period.end);
  }
  if (subscription.changed_at) {
    EXPECT_LE(subscription.current_period.start, *subscription.changed_at);
    EXPECT_LE(*subscription.changed_at, subscription.current_period.end);
  }
  if (subscription.status == SubscriptionStatus::trialing)
    EXPECT_EQ(subscription.trial_end, subscription.current_period.end);
  EXPECT_EQ(subscription.expires_at.has_value(), subscription.status == SubscriptionStatus::incomplete);
  EXPECT_EQ(subscription.ended_at.has_value(), !subscription.is_live());
  if (subscription.cancel_at_period_end || subscription.cancel_at) EXPECT_TRUE(subscription.canceled_at.has_value());
  EXPECT_FALSE(subscription.cancel_at_period_end && subscription.cancel_at);
  if (subscription.trial_will_end_at)
    EXPECT_TRUE(subscription.status == SubscriptionStatus::trialing ||
                subscription.status == SubscriptionStatus::incomplete)
        << to_text(subscription.status);
  if (subscription.provisional) EXPECT_EQ(subscription.status, SubscriptionStatus::incomplete);
  if (subscription.grace_until) {
    EXPECT_EQ(subscription.renewal_trigger, RenewalTrigger::webhook);
    EXPECT_LE(subscription.current_period.end, *subscription.grace_until);
  }
}

void check_schedule(const Schedule& schedule, const Account& account) {
  SCOPED_TRACE(schedule.id.value());
  EXPECT_TRUE(schedule.is_live());
  EXPECT_EQ(schedule.subscription.is_empty(), schedule.status == ScheduleStatus::not_started);
  ASSERT_LT(static_cast<std::size_t>(schedule.phase), schedule.phases.size());
  for (std::size_t i = 0; i < schedule.phases.size(); ++i) {
    EXPECT_LT(schedule.phases[i].start, schedule.phases[i].end);
    if (i > 0) EXPECT_EQ(schedule.phases[i].start, schedule.phases[i - 1].end);
    EXPECT_FALSE(schedule.phases[i].items.empty());
  }
  if (schedule.subscription.is_empty()) return;
  const Subscription* subscription = account.find(schedule.subscription);
  ASSERT_NE(subscription, nullptr) << "a schedule outlives its subscription";
  EXPECT_EQ(subscription->schedule, schedule.id);
}

/// Whether an event of the type may show the object.
bool shows(EventType type, const Snapshot& snapshot) {
  const std::string_view name = billd::to_text(type);
  if (std::holds_alternative<Source>(snapshot))
    return name.starts_with("customer.source.") || name.starts_with("payment_method.");
  if (std::holds_alternative<Discount>(snapshot)) return name.starts_with("customer.discount.");
  if (std::holds_alternative<Subscription>(snapshot)) return name.starts_with("customer.subscription.");
  if (std::holds_alternative<Invoice>(snapshot)) return name.starts_with("invoice.");
  if (std::holds_alternative<CreditNoteSnapshot>(snapshot)) return name.starts_with("credit_note.");
  if (std::holds_alternative<TaxIdentifier>(snapshot)) return name.starts_with("customer.tax_id.");
  if (std::holds_alternative<Schedule>(snapshot)) return name.starts_with("subscription_schedule.");
  if (std::holds_alternative<RefundSnapshot>(snapshot))
    return name.starts_with("refund.") || name == "charge.refund.updated";
  if (std::holds_alternative<ChargeSnapshot>(snapshot)) return name.starts_with("charge.");
  if (std::holds_alternative<InvoiceItem>(snapshot)) return name.starts_with("invoiceitem.");
  return name == "customer.created" || name == "customer.updated" || name == "customer.deleted";
}

bool is_provisional(const Snapshot& snapshot) {
  return std::visit(
      [](const auto& object) {
        if constexpr (requires { object.is_of_direct_charge(); })
          return object.provisional || object.is_of_direct_charge();
        else if constexpr (requires { object.provisional; })
          return object.provisional;
        else
          return false;
      },
      snapshot);
}

const std::string& record_id(const Record& record) {
  return std::visit([](const auto& object) -> const std::string& { return object.id.value(); }, record);
}

/// The refund in the account that is to be sent; nullptr: there is none.
const Refund* find_refund(const Account& account, const SendRefund& effect) {
  const Invoice* invoice = account.find(effect.invoice);
  if (invoice == nullptr) return nullptr;
  for (const Charge& charge : invoice->charges)
    for (const Refund& refund : charge.refunds)
      if (charge.id == effect.charge && refund.id == effect.refund) return &refund;
  return nullptr;
}

/// Of an invoice that is paid or void only what people wrote on it changes, what goes back of it, and what the gateway
/// says afterwards of its charges; one that is uncollectible may be voided.
bool may_become(Invoice before, const Invoice& after) {
  if (before.status != InvoiceStatus::paid && before.status != InvoiceStatus::void_) return true;
  before.description = after.description;
  before.metadata = after.metadata;
  for (std::size_t i = 0; i < std::min(before.charges.size(), after.charges.size()); ++i) {
    before.charges[i].refunds = after.charges[i].refunds;
    before.charges[i].contradicted = after.charges[i].contradicted;
    before.charges[i].dispute = after.charges[i].dispute;
    before.charges[i].description = after.charges[i].description;
    before.charges[i].metadata = after.charges[i].metadata;
  }
  before.credit_notes = after.credit_notes;
  return before == after;
}

InvoiceId named_invoice(const Command& command) {
  return std::visit(
      [](const auto& each) {
        if constexpr (requires { each.invoice; })
          return each.invoice;
        else
          return InvoiceId();
      },
      command);
}

}  // namespace

Timestamp at(const char* text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const int read = std::sscanf(text, "%d-%d-%d %d:%d:%d", &year, &month, &day, &hour, &minute, &second);
  BILLD_CHECK(read == 3 || read == 6, text);
  return std::chrono::sys_days(std::chrono::year(year) / month / day) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second);
}

Price price(std::int64_t minor, Recurrence recurrence, std::string_view currency) {
  return {
      PlanId("plan_" + std::to_string(minor)), ProductId("prod_1"), "", {minor, Currency::of(currency)}, recurrence};
}

namespace {

Redemption coupon_of(std::string id, CouponDuration duration, std::int32_t months) {
  Redemption redemption;
  redemption.coupon.id = CouponId(std::move(id));
  redemption.coupon.duration = duration;
  redemption.coupon.duration_in_months = months;
  return redemption;
}

}  // namespace

Redemption percent_off(const char* percent, CouponDuration duration, std::int32_t months) {
  Redemption redemption = coupon_of(std::string(percent) + "OFF", duration, months);
  redemption.coupon.percent_off = parse_percentage(percent).value();
  return redemption;
}

Redemption amount_off(std::int64_t minor, CouponDuration duration, std::int32_t months, std::string_view currency) {
  Redemption redemption = coupon_of(std::to_string(minor) + "OFF", duration, months);
  redemption.coupon.amount_off = {minor, Currency::of(currency)};
  return redemption;
}

AppliedTaxRate tax_of(const char* percent, bool inclusive) {
  return {TaxRateId("txr_" + std::string(percent) + (inclusive ? "in" : "ex")), parse_percentage(percent).value(),
          inclusive};
}

Price metered(Price price, Aggregation aggregation) {
  price.usage_type = UsageType::metered;
  price.aggregation = aggregation;
  return price;
}

NewSource card(std::string reference) {
  NewSource source;
  source.gateway = "test";
  source.reference = std::move(reference);
  source.means = Card{{"Visa", "4242", 12, 2030, "credit", "US", "fingerprint"}, {}, {}, {}, {}, {}};
  return source;
}

NewSource bank_account(std::string last4) {
  NewSource source;
  source.gateway = "test";
  source.reference = "btok_" + last4;
  BankAccount account;
  account.summary = {"Test Bank", last4, "110000000", "US", Currency::of("usd"), "fingerprint of " + last4};
  source.means = std::move(account);
  return source;
}

Subscribe subscribe_to(Price price) {
  Subscribe command;
  command.items.push_back({std::move(price), 1, {}});
  return command;
}

std::vector<std::string> names(const Transition& transition) {
  std::vector<std::string> result;
  for (const Event& event : transition.events) result.emplace_back(billd::to_text(event.type));
  return result;
}

std::string to_text(SubscriptionStatus status) {
  constexpr const char* texts[] = {"incomplete", "incomplete_expired", "trialing", "active", "past_due",
                                   "unpaid",     "canceled",           "paused"};
  return texts[static_cast<std::size_t>(status)];
}

std::string to_text(InvoiceStatus status) {
  constexpr const char* texts[] = {"draft", "open", "paid", "uncollectible", "void"};
  return texts[static_cast<std::size_t>(status)];
}

ChargeOutcome succeeded() { return {ChargeOutcomeKind::succeeded, "", "gateway_charge"}; }
ChargeOutcome declined(std::string code) { return {ChargeOutcomeKind::declined, std::move(code), "gateway_charge"}; }

Invoice what_is_billed(Invoice invoice) {
  Invoice billed;
  for (InvoiceLine& line : invoice.lines) {
    line.id = InvoiceLineId();
    line.invoice_item = InvoiceItemId(line.is_recurring() ? "" : "ii");
    line.created = Timestamp();
    line.item = SubscriptionItemId();
  }
  billed.reason = invoice.reason;
  billed.period = invoice.period;
  billed.ordinal = invoice.ordinal;
  billed.lines = std::move(invoice.lines);
  billed.total = invoice.total;
  billed.discount = invoice.discount;
  billed.tax_rates = invoice.tax_rates;
  billed.collection = invoice.collection;
  return billed;
}

Scenario::Scenario(Timestamp start, Rules billing_rules, std::uint64_t account_number)
    : now(start), rules(std::move(billing_rules)) {
  bank_says(succeeded());
  refund_bank = [](const SendRefund&, const Refund&) {
    return std::optional(RefundOutcome{RefundOutcomeKind::succeeded, "", "gateway_refund"});
  };
  account_.key = AccountKey::from_bits(account_number, 7);
}

void Scenario::bank_says(ChargeOutcome outcome) {
  bank = [outcome = std::move(outcome)](const CollectCharge&, const Charge&) -> std::optional<ChargeOutcome> {
    if (outcome.kind == ChargeOutcomeKind::unknown) return std::nullopt;
    return outcome;
  };
}

Result<Transition> Scenario::attempt(const Command& command) {
  std::optional<Result<Invoice>> shown;
  if (checks_previews) shown = preview(account_, command, SubscriptionId(), now, rules);
  auto decided = billd::decide(account_, command, now, rules);
  if (!decided) {
    // Only for want of a source, which a preview does not need, may what is refused be shown.
    if (shown && decided.error().code != Errc::no_payment_source) EXPECT_FALSE(shown->has_value());
    return decided;
  }
  if (shown) check_preview(*shown, *decided, false);
  EXPECT_EQ(decided->account.version, account_.version);
  commit(*decided, named_invoice(command));
  return decided;
}

Transition Scenario::decide(const Command& command) {
  auto decided = attempt(command);
  if (decided) return *std::move(decided);
  ADD_FAILURE() << "refused: " << decided.error().detail;
  return {};
}

Transition Scenario::run(const Command& command) {
  Transition transition = decide(command);
  perform(transition.effects);
  return transition;
}

Failure Scenario::refused(const Command& command) {
  auto decided = billd::decide(account_, command, now, rules);
  if (!decided) return decided.error();
  ADD_FAILURE() << "accepted";
  return {};
}

/// Of an invoice for the same period, or by the same command, everything must be as it was shown.
void Scenario::check_preview(const Result<Invoice>& shown, const Transition& done, bool begun_by_time) const {
  auto compare = [&](const Invoice& made) {
    if (!made.is_of_cycle() || known_invoices_.contains(made.id.value())) return;
    // A subscription that a schedule begins is none yet when the next invoice is asked for.
    if (begun_by_time && made.reason == BillingReason::subscription_create) return;
    ASSERT_TRUE(shown.has_value()) << "billed, and not shown: " << shown.error().detail;
    const bool is_meant =
        shown->reason == made.reason && shown->ordinal == made.ordinal &&
        (shown->subscription == made.subscription || made.reason == BillingReason::subscription_create);
    if (!is_meant) return;
    EXPECT_EQ(what_is_billed(*shown), what_is_billed(made));
    if (made.finalized_at && made.reason != BillingReason::subscription_cycle)
      EXPECT_EQ(shown->amount_due(), made.amount_due());
  };
  for (const Invoice& invoice : done.account.invoices) compare(invoice);
  for (const Record& record : done.settled)
    if (const auto* invoice = std::get_if<Invoice>(&record)) compare(*invoice);
}

Transition Scenario::tick() {
  std::optional<Result<Invoice>> shown;
  if (checks_previews && account_.version != 0 && !account_.customer.deleted)
    shown = preview(account_, {}, SubscriptionId(), now, rules);
  auto ticked = billd::tick(account_, now, rules);
  if (!ticked) {
    ADD_FAILURE() << "tick failed: " << ticked.error().detail;
    return {};
  }
  EXPECT_LE(ticked->effects.size(), 1U);
  if (shown) check_preview(*shown, *ticked, true);
  commit(*ticked, InvoiceId());
  if (!ticked->changed) {
    const auto due = next_due(timers(account_));
    EXPECT_TRUE(!due || *due > now) << "due since " << billd::to_text(*due) << ", and not done";
  }
  return *std::move(ticked);
}

void Scenario::work() {
  for (int rounds = 0; rounds < 100'000; ++rounds) {
    const Transition transition = tick();
    if (!transition.changed || testing::Test::HasFailure()) return;
    perform(transition.effects);
  }
  ADD_FAILURE() << "there is no end of work";
}

void Scenario::pass_to(Timestamp time) {
  while (!testing::Test::HasFailure()) {
    const auto due = next_due(timers(account_));
    if (!due || *due > time) break;
    now = std::max(now, *due);
    work();
  }
  now = time;
}

void Scenario::jump_to(Timestamp time) {
  now = time;
  work();
}

Transition Scenario::answer(const InvoiceId& id, ChargeOutcome outcome) {
  const Charge* charge = invoice(id).unresolved_charge();
  if (charge == nullptr) {
    ADD_FAILURE() << "no charge is in flight";
    return {};
  }
  return run(RecordChargeOutcome{id, charge->id, std::move(outcome)});
}

const Invoice& Scenario::invoice(const InvoiceId& id) const {
  if (const Invoice* invoice = account_.find(id)) return *invoice;
  return std::get<Invoice>(records_.at(id.value()));
}

const Invoice* Scenario::find_invoice(const InvoiceId& id) const {
  if (const Invoice* invoice = account_.find(id)) return invoice;
  const auto record = records_.find(id.value());
  return record == records_.end() ? nullptr : std::get_if<Invoice>(&record->second);
}

const Subscription& Scenario::subscription(const SubscriptionId& id) const {
  if (const Subscription* subscription = account_.find(id)) return *subscription;
  return std::get<Subscription>(records_.at(id.value()));
}

std::optional<Invoice> Scenario::settled(const InvoiceId& id) const {
  const auto record = records_.find(id.value());
  if (record == records_.end()) return std::nullopt;
  return std::get<Invoice>(record->second);
}

std::vector<Invoice> Scenario::invoices() const {
  std::vector<Invoice> result = account_.invoices;
  for (const auto& [id, record] : records_)
    if (const auto* invoice = std::get_if<Invoice>(&record)) result.push_back(*invoice);
  std::erase_if(result, [](const Invoice& invoice) { return invoice.provisional; });
  auto number = [&](const Invoice& invoice) {
    return object_number(account_.key, id_body(invoice.id.value()).substr(account_key_length)).value();
  };
  std::ranges::sort(result, {}, number);
  return result;
}

InvoiceItemId Scenario::item_of(std::int64_t minor, SubscriptionId subscription) {
  CreateInvoiceItem command;
  command.unit_amount = {minor, Currency::of("usd")};
  command.subscription = std::move(subscription);
  return InvoiceItemId(run(command).subject);
}

void Scenario::customer_with_card(std::string reference) {
  CreateCustomer command;
  command.email = "ada@example.com";
  command.source = card(std::move(reference));
  run(command);
}

SubscriptionId Scenario::subscribed_to(Price price) { return subscribed_to(subscribe_to(std::move(price))); }

SubscriptionId Scenario::subscribed_to(Subscribe command) { return SubscriptionId(run(command).subject); }

Invoice Scenario::latest_invoice() const { return invoices().back(); }

std::vector<std::string> Scenario::take_events() { return std::exchange(events_, {}); }

void Scenario::perform(const std::vector<Effect>& effects) {
  for (const Effect& effect : effects) std::visit([this](const auto& each) { perform(each); }, effect);
}

void Scenario::perform(const CollectCharge& effect) {
  const Invoice* invoice = account_.find(effect.invoice);
  if (invoice == nullptr || invoice->unresolved_charge() == nullptr) return;  // a commit has failed its checks
  const auto outcome = bank(effect, *invoice->unresolved_charge());
  if (outcome) decide(RecordChargeOutcome{effect.invoice, effect.charge, *outcome});
}

void Scenario::perform(const SendRefund& effect) {
  const Refund* refund = find_refund(account_, effect);
  if (refund == nullptr) return;  // a commit has failed its checks
  const auto outcome = refund_bank(effect, *refund);
  if (outcome) decide(RecordRefundOutcome{effect.invoice, {}, effect.refund, *outcome});
}

void Scenario::check_effect(const CollectCharge& effect, const Account& after) const {
  const Invoice* invoice = after.find(effect.invoice);
  if (invoice == nullptr || invoice->unresolved_charge() == nullptr) {
    ADD_FAILURE() << "a charge is ordered that is not journaled";
    return;
  }
  const Charge& charge = *invoice->unresolved_charge();
  EXPECT_EQ(charge.id, effect.charge);
  EXPECT_NE(charge.state, ChargeState::parked);
  EXPECT_GT(charge.resolve_at, now);
  const bool key_may_be_forgotten = now - charge.created >= rules.charge_key_life;
  EXPECT_EQ(effect.look_up_only, charge.state == ChargeState::pending || key_may_be_forgotten);
}

void Scenario::check_effect(const SendRefund& effect, const Account& after) const {
  const Refund* refund = find_refund(after, effect);
  if (refund == nullptr) {
    ADD_FAILURE() << "a refund is ordered that is not journaled";
    return;
  }
  const bool is_pending = refund->state == RefundState::pending;
  EXPECT_TRUE(is_pending || refund->state == RefundState::sending);
  EXPECT_GT(refund->resolve_at, now);
  EXPECT_EQ(effect.look_up_only, is_pending || now - refund->created >= rules.charge_key_life);
}

void Scenario::commit(Transition transition, const InvoiceId& named) {
  Account& after = transition.account;
  SCOPED_TRACE(billd::to_text(now));
  check_events(transition);
  if (!transition.changed) {
    EXPECT_EQ(after, account_);
    EXPECT_TRUE(transition.settled.empty() && transition.recalled.empty() && transition.effects.empty());
    EXPECT_TRUE(transition.events.empty() && transition.snapshots.empty());
    return;
  }

  for (const Subscription& subscription : after.subscriptions) {
    EXPECT_TRUE(subscription.is_live());
    check_subscription(subscription);
  }
  for (const Invoice& invoice : after.invoices) check_invoice(invoice, after);
  for (const Effect& effect : transition.effects)
    std::visit([&](const auto& each) { check_effect(each, after); }, effect);
  check_new_invoices(transition);
  check_identifiers(transition);
  EXPECT_EQ(timers(after), expected_timers(after));

  for (const InvoiceId& id : transition.recalled) {
    EXPECT_EQ(id, named) << "only a command which names it brings an invoice back";
    EXPECT_EQ(records_.erase(id.value()), 1U);
    EXPECT_TRUE(after.find(id) != nullptr || !transition.deleted.empty());
  }
  for (const Invoice& invoice : transition.deleted) {
    EXPECT_EQ(invoice.id, named);
    EXPECT_EQ(invoice.status, InvoiceStatus::draft);
    EXPECT_EQ(after.find(invoice.id), nullptr);
    EXPECT_FALSE(records_.contains(invoice.id.value()));
  }
  check_items(transition);
  for (const Record& record : transition.settled) {
    const std::string& id = record_id(record);
    if (const auto* invoice = std::get_if<Invoice>(&record)) {
      check_invoice(*invoice, after);
      EXPECT_EQ(invoice->unresolved_charge(), nullptr);
      EXPECT_FALSE(invoice->has_unresolved_refund());
      EXPECT_EQ(after.find(invoice->id), nullptr);
    } else if (const auto* subscription = std::get_if<Subscription>(&record)) {
      check_subscription(*subscription);
      EXPECT_FALSE(subscription->is_live());
    } else if (const auto* schedule = std::get_if<Schedule>(&record)) {
      EXPECT_FALSE(schedule->is_live());
    } else {
      const auto& transaction = std::get<BalanceTransaction>(record);
      EXPECT_NE(transaction.amount.minor, 0);
      balance_ += transaction.amount.minor;
      EXPECT_EQ(transaction.ending_balance, balance_) << "a change of the balance is not on record";
    }
    const auto before = records_.find(id);
    if (before != records_.end()) {
      const auto* invoice = std::get_if<Invoice>(&before->second);
      EXPECT_TRUE(invoice != nullptr && invoice->id == named && may_become(*invoice, std::get<Invoice>(record)))
          << "a settled record changes: " << id;
    }
    records_.insert_or_assign(id, record);
  }
  EXPECT_EQ(owner_of_number_.size(), after.invoices_numbered) << "invoice numbers have a gap";
  if (!after.customer.deleted) EXPECT_EQ(after.customer.balance, balance_);
  for (const Schedule& schedule : after.schedules) check_schedule(schedule, after);
  account_ = std::move(after);
  ++account_.version;
}

void Scenario::check_events(const Transition& transition) {
  events_total_ += transition.events.size();
  EXPECT_EQ(transition.account.events, events_total_);
  std::set<std::uint32_t> shown;
  for (const Event& event : transition.events) {
    for (auto index : {std::optional(event.snapshot), event.previous}) {
      if (!index) continue;
      ASSERT_LT(*index, transition.snapshots.size());
      const Snapshot& snapshot = transition.snapshots[*index];
      EXPECT_TRUE(shows(event.type, snapshot)) << billd::to_text(event.type);
      EXPECT_FALSE(is_provisional(snapshot)) << billd::to_text(event.type);
      shown.insert(*index);
    }
    if (event.previous) EXPECT_NE(transition.snapshots[*event.previous], transition.snapshots[event.snapshot]);
    events_.emplace_back(billd::to_text(event.type));
  }
  EXPECT_EQ(shown.size(), transition.snapshots.size()) << "a snapshot is shown by no event";
}

/// Lines less discount and with the taxes on top are the total; each of them is within its bounds.
void Scenario::check_amounts(const Invoice& invoice) const {
  std::int64_t total = 0;
  std::int64_t discounted = 0;
  for (const InvoiceLine& line : invoice.lines) {
    EXPECT_EQ(line.amount.currency, invoice.total.currency);
    total += line.amount.minor - line.discount;
    discounted += line.discount;
    for (const std::int64_t own : own_discounts_of(line)) discounted -= own;
    // Never more than there is, never the other way round, and nothing of what may not be reduced.
    if (line.amount.minor >= 0) EXPECT_TRUE(line.discount >= 0 && line.discount <= line.amount.minor) << line.discount;
    if (!line.discountable) EXPECT_EQ(line.discount, 0);
    const auto& rates = line.tax_rates.empty() ? invoice.tax_rates : line.tax_rates;
    if (account_.customer.tax_exempt == TaxExempt::none) EXPECT_EQ(line.taxes.size(), rates.size());
    for (const TaxAmount& tax : line.taxes) {
      if (!tax.rate.inclusive) total += tax.amount;
      const std::int64_t reduced = line.amount.minor - line.discount;
      EXPECT_TRUE(reduced >= 0 ? tax.amount >= 0 && tax.amount - 1 <= reduced : tax.amount <= 0) << tax.amount;
    }
  }
  EXPECT_EQ(invoice.total.minor, total);
  EXPECT_EQ(invoice.total.minor, invoice.subtotal() - invoice.discount_total() + invoice.tax_total());
  if (!invoice.discount) {
    EXPECT_EQ(discounted, 0);
  } else if (invoice.discount->coupon.percent_off.is_zero()) {
    EXPECT_LE(discounted, invoice.discount->coupon.amount_off.minor);
    if (discounted > 0) EXPECT_GE(invoice.subtotal() - invoice.discount_total(), 0) << "an amount off makes a credit";
  }
}

void Scenario::check_invoice(const Invoice& invoice, const Account& account) {
  SCOPED_TRACE(invoice.id.value());
  check_amounts(invoice);
  const bool paid = invoice.status == InvoiceStatus::paid;
  const bool finalized = invoice.finalized_at.has_value();
  if (finalized) {
    const std::int64_t due = invoice.amount_due().minor;
    std::int64_t taken_back = 0;
    for (const CreditNote& note : invoice.credit_notes)
      if (!note.after_payment && !note.voided_at) taken_back += note.amount.minor;
    EXPECT_EQ(invoice.total.minor, due + taken_back + invoice.ending_balance - invoice.starting_balance);
    EXPECT_TRUE(due == 0 || due >= minimum_charge(invoice.total.currency).minor) << due;
    if (invoice.total.minor == 0) EXPECT_EQ(due, 0);
  } else {
    EXPECT_EQ(invoice.starting_balance, 0);
    EXPECT_EQ(invoice.ending_balance, 0);
  }
  EXPECT_EQ(invoice.amount_paid.minor, paid ? invoice.amount_due().minor : 0);
  EXPECT_EQ(invoice.paid_at.has_value(), paid);
  EXPECT_EQ(invoice.voided_at.has_value(), invoice.status == InvoiceStatus::void_);
  if (invoice.status != InvoiceStatus::void_) EXPECT_EQ(finalized, invoice.status != InvoiceStatus::draft);
  EXPECT_EQ(invoice.due_at.has_value(), invoice.collection == Collection::send_invoice);
  EXPECT_LE(invoice.lines.size(), 250U);

  std::int32_t attempt = 0;
  int successes = 0;
  for (const Charge& charge : invoice.charges) {
    EXPECT_EQ(charge.attempt, ++attempt);
    if (invoice.credit_notes.empty() || charge.state == ChargeState::succeeded)
      EXPECT_EQ(charge.amount, invoice.amount_due());
    EXPECT_GT(charge.amount.minor, 0);
    if (charge.state == ChargeState::succeeded) ++successes;
    if (&charge != &invoice.charges.back())
      EXPECT_TRUE(charge.state == ChargeState::declined || charge.state == ChargeState::absent);
    EXPECT_EQ(charge.is_direct, invoice.is_of_direct_charge());
    EXPECT_LE(charge.amount_refunded().minor, charge.state == ChargeState::succeeded ? charge.amount.minor : 0);
    for (const Refund& refund : charge.refunds) EXPECT_GT(refund.amount.minor, 0);
  }
  EXPECT_EQ(successes, paid && invoice.amount_due().minor != 0 && !invoice.paid_out_of_band ? 1 : 0);
  check_credit_notes(invoice);
  EXPECT_GE(invoice.attempt_count, invoice.charges.empty() ? 0 : 1);
  if (!invoice.charges.empty()) EXPECT_TRUE(invoice.attempted);

  if (invoice.next_attempt_at)
    EXPECT_TRUE(invoice.auto_advance && invoice.status == InvoiceStatus::open) << to_text(invoice.status);
  EXPECT_EQ(invoice.finalize_at.has_value(), invoice.auto_advance && invoice.status == InvoiceStatus::draft);
  if (invoice.overdue_at) EXPECT_TRUE(invoice.auto_advance && invoice.status == InvoiceStatus::open && invoice.due_at);
  EXPECT_EQ(invoice.number.empty(), !finalized || invoice.provisional || invoice.is_of_direct_charge());
  if (!invoice.number.empty()) {
    const auto [owner, is_new] = owner_of_number_.emplace(invoice.number, invoice.id.value());
    EXPECT_EQ(owner->second, invoice.id.value());
    EXPECT_TRUE(invoice.number.starts_with(invoice_prefix(account.key) + "-")) << invoice.number;
  }
}

void Scenario::check_credit_notes(const Invoice& invoice) {
  std::int64_t sum = 0;
  std::size_t number = 0;
  for (const CreditNote& note : invoice.credit_notes) {
    ++number;
    EXPECT_EQ(note.number, invoice.number + (number < 10 ? "-CN-0" : "-CN-") + std::to_string(number));
    std::int64_t lines = 0;
    for (const CreditNoteLine& line : note.lines) {
      EXPECT_GT(line.amount.minor, 0);
      EXPECT_TRUE(line.discount >= 0 && line.discount <= line.amount.minor);
      lines += line.net();
    }
    EXPECT_EQ(note.amount.minor, lines);
    EXPECT_EQ(note.refunded + note.credited + note.out_of_band, note.after_payment ? lines : 0);
    EXPECT_EQ(note.refund.is_empty(), note.refunded == 0);
    EXPECT_EQ(note.balance_transaction.is_empty(), note.credited == 0);
    if (!note.voided_at) sum += note.amount.minor;
  }
  if (!invoice.credit_notes.empty()) EXPECT_LE(sum, invoice.total.minor);
}

/// An item is billed once: it is pending, or on one invoice, or deleted; and none vanishes without a word.
void Scenario::check_items(const Transition& transition) {
  std::set<std::string> present;
  auto see_invoice = [&](const Invoice& invoice) {
    for (const InvoiceLine& line : invoice.lines)
      if (!line.is_recurring() && invoice.status != InvoiceStatus::void_) present.insert(line.invoice_item.value());
  };
  for (const InvoiceItem& item : transition.account.invoice_items) {
    EXPECT_TRUE(present.insert(item.id.value()).second);
    EXPECT_FALSE(transition.account.customer.deleted);
  }
  for (const Invoice& invoice : transition.account.invoices) see_invoice(invoice);
  for (const Record& record : transition.settled)
    if (const auto* invoice = std::get_if<Invoice>(&record)) see_invoice(*invoice);
  std::set<std::string> deleted;
  for (const Event& event : transition.events)
    if (event.type == EventType::invoiceitem_deleted)
      deleted.insert(std::get<InvoiceItem>(transition.snapshots[event.snapshot]).id.value());
  if (transition.account.customer.deleted) return;
  for (const InvoiceItem& item : account_.invoice_items)
    EXPECT_NE(present.contains(item.id.value()), deleted.contains(item.id.value())) << item.id.value();
}

void Scenario::check_new_invoices(const Transition& transition) {
  int fresh = 0;
  for (const Subscription& subscription : transition.account.subscriptions)
    if (subscription.free_until_anchor) free_before_anchor_.insert(subscription.id.value());
  auto consider = [&](const Invoice& invoice) {
    if (known_invoices_.insert(invoice.id.value()).second) {
      invoice_ids_.push_back(invoice.id);
      ++fresh;
    } else if (!tentative_.contains(invoice.id.value())) {
      return;
    }
    // What bills a change counts when the change is made.
    if (invoice.is_tentative) {
      tentative_.insert(invoice.id.value());
      return;
    }
    tentative_.erase(invoice.id.value());
    if (!invoice.bills_period()) return;
    const auto [entry, first] = billed_.try_emplace(invoice.subscription.value());
    Billed& billed = entry->second;
    const bool follows = invoice.ordinal == billed.ordinal + 1;
    // What precedes the anchor may be free: then no invoice tells of it.
    const bool follows_free_time =
        invoice.ordinal == billed.ordinal + 2 && free_before_anchor_.contains(invoice.subscription.value());
    EXPECT_TRUE(follows || follows_free_time) << "a period is skipped or billed twice";
    // What was used is billed when its period is over, beside what is paid ahead.
    auto is_ahead = [](const InvoiceLine& line) { return line.is_recurring() && !line.price.is_metered(); };
    const auto ahead = std::ranges::find_if(invoice.lines, is_ahead);
    if (ahead == invoice.lines.end()) {
      billed = {invoice.ordinal, std::nullopt, false};
      return;
    }
    const Period period = ahead->period;
    for (const InvoiceLine& line : invoice.lines) {
      if (is_ahead(line)) EXPECT_EQ(line.period, period);
      if (line.proration) EXPECT_FALSE(!line.is_recurring() && line.discountable);
    }
    const bool is_known = !first && follows && billed.until;
    // A pause may have followed a trial, for as long as you like.
    const Subscription* of = transition.account.find(invoice.subscription);
    const bool may_pause =
        billed.is_trial && (of == nullptr || of->missing_payment_method == MissingPaymentMethod::pause);
    if (is_known && may_pause && period.start > *billed.until)
      EXPECT_NE(invoice.reason, BillingReason::subscription_create);
    else if (is_known && invoice.reason == BillingReason::subscription_update)
      EXPECT_LE(period.start, *billed.until) << "a change leaves a gap";
    else if (is_known)
      EXPECT_EQ(period.start, *billed.until) << "periods leave a gap or overlap";
    EXPECT_EQ(invoice.period.end, period.start);
    billed = {invoice.ordinal, period.end, ahead->trial};
  };
  for (const Invoice& invoice : transition.account.invoices) consider(invoice);
  for (const Record& record : transition.settled)
    if (const auto* invoice = std::get_if<Invoice>(&record)) consider(*invoice);
  // Only a renewal of all that the customer has may begin several.
  const bool is_of_customer = transition.subject == transition.account.customer.id.value();
  EXPECT_LE(fresh, is_of_customer ? static_cast<int>(transition.account.subscriptions.size()) : 1)
      << "one period of one subscription at a time";
}

void Scenario::check_identifiers(const Transition& transition) const {
  std::set<std::string> seen;
  const Account& account = transition.account;
  auto see = [&](const auto& id) {
    EXPECT_TRUE(seen.insert(id.value()).second) << id.value();
    EXPECT_EQ(AccountKey::of_id(id.value()), account.key);
    const auto number = object_number(account.key, id_body(id.value()).substr(account_key_length));
    EXPECT_TRUE(number && *number >= 1 && *number <= account.objects) << id.value();
  };
  auto see_invoice = [&](const Invoice& invoice) {
    see(invoice.id);
    for (const InvoiceLine& line : invoice.lines) {
      see(line.id);
      // What a subscription or a change that never was had taken along is pending again.
      if (line.is_recurring() || invoice.provisional || invoice.is_tentative) continue;
      see(line.invoice_item);
      for (const Discount& discount : line.discounts) see(discount.id);
    }
    for (const Charge& charge : invoice.charges) {
      see(charge.id);
      for (const Refund& refund : charge.refunds) see(refund.id);
    }
    for (const CreditNote& note : invoice.credit_notes) {
      see(note.id);
      for (const CreditNoteLine& line : note.lines) see(line.id);
    }
  };
  auto see_subscription = [&](const Subscription& subscription) {
    see(subscription.id);
    if (subscription.discount) see(subscription.discount->id);
    for (const SubscriptionItem& item : subscription.items) see(item.id);
  };
  see(account.customer.id);
  if (account.customer.discount) see(account.customer.discount->id);
  for (const Source& source : account.sources) {
    // A payment method keeps the identifier that it had before it was the customer's.
    if (AccountKey::of_id(source.id.value()) == account.key)
      see(source.id);
    else
      EXPECT_TRUE(seen.insert(source.id.value()).second) << source.id.value();
  }
  for (const Subscription& subscription : account.subscriptions) see_subscription(subscription);
  for (const InvoiceItem& item : account.invoice_items) see(item.id);
  for (const Invoice& invoice : account.invoices) see_invoice(invoice);
  auto see_schedule = [&](const Schedule& schedule) { see(schedule.id); };
  auto see_transaction = [&](const BalanceTransaction& transaction) { see(transaction.id); };
  for (const Schedule& schedule : account.schedules) see_schedule(schedule);
  for (const Record& record : transition.settled)
    std::visit(Overloaded{see_invoice, see_subscription, see_schedule, see_transaction}, record);
  if (!account.customer.default_source.is_empty()) EXPECT_NE(account.find(account.customer.default_source), nullptr);
  for (const Subscription& subscription : account.subscriptions)
    if (!subscription.default_source.is_empty()) EXPECT_NE(account.find(subscription.default_source), nullptr);
}

}  // namespace billd::test
