// Any command that people or programs may think of, drawn from a seed.
#pragma once

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/engine/scenario.hpp"

namespace billd::test {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : engine_(seed) {}
  /// Draws these numbers, each as far as it may be, and when there are no more always the same ones: what a property
  /// shrinks.
  explicit Draw(std::vector<std::uint16_t> script) : script_(std::move(script)), is_scripted_(true) {}

  /// A number of [0, count).
  std::size_t below(std::size_t count) {
    if (next_ < script_.size()) return script_[next_++] % count;
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_);
  }
  /// Whether everything that was to be drawn was drawn.
  bool is_over() const { return is_scripted_ && next_ >= script_.size(); }
  bool one_in(std::size_t count) { return below(count) == 0; }
  template <class Value>
  Value among(std::initializer_list<Value> values) {
    return values.begin()[below(values.size())];
  }
  template <class Container>
  const auto& of(const Container& container) {
    return container[below(container.size())];
  }

 private:
  std::mt19937_64 engine_;
  std::vector<std::uint16_t> script_;
  std::size_t next_ = 0;
  bool is_scripted_ = false;
};

/// Commands for the customer of a world, most of them to the point. A world has `now`, `account()`, `invoice_ids()`,
/// `find_invoice(id)` wherever it is, and `settled(id)`: the record of an invoice that has left the account.
template <class World>
class AnyCommand {
  template <class Rep>
  static std::chrono::hours hours(Rep count) {
    return std::chrono::hours(static_cast<std::int64_t>(count));
  }

 public:
  AnyCommand(Draw& draw, const World& world) : draw_(draw), world_(world) {}

  /// Of new subscriptions.
  std::vector<Recurrence> recurrences = {{Interval::day, 1},   {Interval::day, 10},  {Interval::week, 1},
                                         {Interval::month, 1}, {Interval::month, 1}, {Interval::month, 3},
                                         {Interval::year, 1},  {Interval::month, 0}};
  std::size_t subscriptions_max = 5;
  bool draws_metered = false;  ///< prices that are billed behind their period, too

  CreateCustomer any_new_customer() {
    CreateCustomer command;
    command.email = "ada@example.com";
    if (!draw_.one_in(4)) command.source = any_new_source();
    return command;
  }

  Command any() {
    if (draw_.one_in(8)) return any_giving_back();
    if (draw_.one_in(14)) return any_word();
    if (draw_.one_in(18)) return any_other();
    if (draw_.one_in(16)) return any_schedule();
    if (draw_.one_in(3)) return any_invoicing();
    if (draw_.one_in(4)) return any_change();
    switch (draw_.below(14)) {
      case 0:
        return any_update();
      case 1:
        return AddSource{any_new_source(), draw_.one_in(2)};
      case 2:
        return RemoveSource{any_source()};
      case 3: {
        UpdateSource command;
        command.source = any_source();
        command.exp_month = static_cast<std::int32_t>(draw_.below(14));
        return command;
      }
      case 4:
      case 5:
      case 6:
        return any_subscription();
      case 7:
        return CancelSubscription{any_subscription_id(), !draw_.one_in(4), draw_.one_in(2), draw_.one_in(2)};
      case 8:
        return ResumeSubscription{any_subscription_id()};
      case 9:
      case 10: {
        const InvoiceId id = any_invoice();
        return PayInvoice{id, world_.settled(id), draw_.one_in(3) ? any_source() : SourceId()};
      }
      case 11: {
        const InvoiceId id = any_invoice();
        return CloseInvoice{id, world_.settled(id)};
      }
      case 12: {
        const InvoiceId id = any_invoice();
        return ReopenInvoice{id, world_.settled(id)};
      }
      default:
        if (draw_.one_in(36)) return DeleteCustomer{};
        return any_new_customer();
    }
  }

  /// What makes an invoice at once or changes the next one.
  Command any_previewable() {
    switch (draw_.below(8)) {
      case 0:
      case 1:
        return any_subscription();
      case 2:
        return CancelSubscription{any_subscription_id(), draw_.one_in(2), draw_.one_in(2), draw_.one_in(2)};
      case 3:
        return RenewSubscription{any_subscription_id(), true, std::nullopt};
      case 4: {
        CreateInvoiceItem command;
        command.unit_amount = {draw_.among<std::int64_t>({1, 700, -300, -2500}), Currency::of("usd")};
        if (draw_.one_in(2)) command.subscription = any_subscription_id();
        return command;
      }
      default:
        return any_change();
    }
  }

 private:
  NewSource any_new_source() {
    NewSource source = draw_.one_in(6) ? bank_account("6789") : card();
    source.is_payment_method = draw_.one_in(5);
    return source;
  }

  /// What was used, charges by themselves, and what is said from outside of billd.
  Command any_other() {
    const InvoiceId id = any_invoice();
    switch (draw_.below(7)) {
      case 0:
        return HoldDraft{id};
      case 1: {
        ChargeCustomer command;
        command.amount = {draw_.among<std::int64_t>({10, 700, 5000}), Currency::of("usd")};
        command.is_charged = !draw_.one_in(4);
        command.description = "By itself";
        return command;
      }
      case 2: {
        RecordForeignRefund command;
        command.invoice = id;
        command.recalled = world_.settled(id);
        const Invoice* invoice = world_.find_invoice(id);
        const bool has_charge = invoice != nullptr && !invoice->charges.empty();
        command.charge = has_charge ? invoice->charges.back().id : ChargeId("ch_none");
        command.amount = {draw_.among<std::int64_t>({1, 500}), Currency::of("usd")};
        command.outcome = {RefundOutcomeKind::succeeded, "",
                           "foreign_" + draw_.among<std::string>({"one", "two"}) + id.value()};
        return command;
      }
      default: {
        RecordUsage command;
        command.item = SubscriptionItemId("si_none");
        for (const Subscription& subscription : world_.account().subscriptions)
          for (const SubscriptionItem& item : subscription.items)
            if (item.price.is_metered()) command.item = item.id;
        command.quantity = static_cast<std::int64_t>(draw_.below(30));
        if (draw_.one_in(3)) command.timestamp = world_.now - hours(draw_.below(100));
        command.action = draw_.among({UsageAction::increment, UsageAction::increment, UsageAction::set});
        return command;
      }
    }
  }

  Redemption any_coupon() {
    const CouponDuration duration =
        draw_.among({CouponDuration::once, CouponDuration::repeating, CouponDuration::forever});
    const std::int32_t months = duration == CouponDuration::repeating ? 5 : 0;
    return draw_.one_in(2) ? percent_off("15", duration, months) : amount_off(450, duration, months);
  }

  std::vector<AppliedTaxRate> any_taxes() {
    std::vector<AppliedTaxRate> rates = {tax_of("19", draw_.one_in(2))};
    if (draw_.one_in(3)) rates.push_back(tax_of("8.875", rates.front().inclusive));
    return rates;
  }

  /// What people and processors say of what is there already.
  Command any_word() {
    const InvoiceId id = any_invoice();
    const auto recalled = world_.settled(id);
    const Invoice* invoice = world_.find_invoice(id);
    const Charge* charge = invoice == nullptr || invoice->charges.empty() ? nullptr : &invoice->charges.back();
    const ChargeId charge_id = charge == nullptr ? ChargeId("ch_none") : charge->id;
    switch (draw_.below(10)) {
      case 8: {
        UnpauseSubscription command;
        command.subscription = any_subscription_id();
        for (const Subscription& subscription : world_.account().subscriptions)
          if (subscription.status == SubscriptionStatus::paused) command.subscription = subscription.id;
        command.anchor_now = draw_.one_in(2);
        command.proration = draw_.among(
            {ProrationBehavior::create_prorations, ProrationBehavior::always_invoice, ProrationBehavior::none});
        return command;
      }
      case 9: {
        const auto& identifiers = world_.account().customer.tax_identifiers;
        if (!identifiers.empty() && draw_.one_in(2)) return RemoveTaxIdentifier{draw_.of(identifiers).id};
        return AddTaxIdentifier{{"eu_vat", draw_.among<std::string>({"DE1", "DE2", ""})}};
      }
      case 0:
        return UpdateCharge{id, recalled, charge_id, draw_.among<std::string>({"", "A year."}), {}};
      case 1: {
        const bool has_refund = charge != nullptr && !charge->refunds.empty();
        return UpdateRefund{
            id, recalled, has_refund ? charge->refunds.back().id : RefundId("re_none"), {{"by", "ada"}}};
      }
      case 2: {
        const bool has_note = invoice != nullptr && !invoice->credit_notes.empty();
        return UpdateCreditNote{
            id, recalled, has_note ? invoice->credit_notes.back().id : CreditNoteId("cn_none"), "Sorry.", {}};
      }
      case 3: {
        RecordDispute command{id, recalled, charge_id, {}};
        command.dispute.reference = draw_.among<std::string>({"dp_1", "dp_2"});
        command.dispute.status = draw_.among({DisputeStatus::open, DisputeStatus::won, DisputeStatus::lost});
        if (charge != nullptr) command.dispute.amount = charge->amount;
        return command;
      }
      case 4:
      case 5:
        return RenewSubscription{draw_.one_in(4) ? SubscriptionId() : any_subscription_id(), draw_.one_in(3),
                                 std::nullopt};
      case 6:
        return LapseSubscription{any_subscription_id()};
      default:
        if (draw_.one_in(3)) return AddSources{{card("tok_first"), bank_account("1234")}};
        return VerifySource{any_source(), !draw_.one_in(3)};
    }
  }

  /// Refunds, credit notes, and the balance by hand.
  Command any_giving_back() {
    const InvoiceId id = any_invoice();
    const auto recalled = world_.settled(id);
    const Invoice* invoice = world_.find_invoice(id);
    switch (draw_.below(5)) {
      case 0: {
        RefundCharge command;
        command.invoice = id;
        command.recalled = recalled;
        command.charge = ChargeId("ch_none");
        if (invoice != nullptr && !invoice->charges.empty()) command.charge = invoice->charges.back().id;
        if (!draw_.one_in(3)) command.amount = draw_.among<std::int64_t>({1, 500, 2000});
        return command;
      }
      case 1:
        return AdjustBalance{{draw_.among<std::int64_t>({-5000, -700, 30, 900}), Currency::of("usd")}, "", {}};
      case 2:
        if (invoice != nullptr && !invoice->credit_notes.empty())
          return VoidCreditNote{id, recalled, draw_.of(invoice->credit_notes).id};
        [[fallthrough]];
      default: {
        CreateCreditNote command;
        command.invoice = id;
        command.recalled = recalled;
        const std::int64_t amount = draw_.among<std::int64_t>({1, 300, 2000, 5000});
        command.amount = amount;
        if (invoice == nullptr || invoice->status != InvoiceStatus::paid) return command;
        command.refund_amount = draw_.among<std::int64_t>({0, amount / 2, amount});
        command.credit_amount = amount - command.refund_amount;
        return command;
      }
    }
  }

  Command any_schedule() {
    const auto& schedules = world_.account().schedules;
    const ScheduleId id = schedules.empty() ? ScheduleId("sub_sched_none") : draw_.of(schedules).id;
    switch (draw_.below(6)) {
      case 0:
        return CancelSchedule{id, draw_.one_in(2), draw_.one_in(2)};
      case 1:
        return ReleaseSchedule{id};
      case 2: {
        UpdateSchedule command;
        command.schedule = id;
        command.phases = any_phases();
        if (!schedules.empty()) command.phases->front().start.reset();
        command.end_behavior = draw_.among({EndBehavior::release, EndBehavior::cancel});
        return command;
      }
      default: {
        CreateSchedule command;
        if (draw_.one_in(2))
          command.from_subscription = any_subscription_id();
        else
          command.phases = any_phases();
        command.end_behavior = draw_.among({EndBehavior::release, EndBehavior::cancel});
        if (world_.account().subscriptions.size() + schedules.size() > subscriptions_max) command.phases.clear();
        return command;
      }
    }
  }

  std::vector<NewPhase> any_phases() {
    std::vector<NewPhase> phases;
    for (std::size_t count = 1 + draw_.below(3); count > 0; --count) {
      NewPhase& phase = phases.emplace_back();
      const Recurrence recurrence = draw_.one_in(3) ? Recurrence{Interval::week, 1} : Recurrence{Interval::month, 1};
      phase.items.push_back({price(draw_.among({0, 1500, 4000}), recurrence), 1, {}});
      if (draw_.one_in(2)) phase.items.push_back({price(draw_.among({10, 999}), recurrence), 2, {}});
      if (draw_.one_in(3))
        phase.end = world_.now + hours(24 * 40 * (phases.size() + 1)) + hours(draw_.below(700));
      else
        phase.iterations = static_cast<std::int32_t>(1 + draw_.below(4));
      phase.proration =
          draw_.among({PhaseProration::create_prorations, PhaseProration::always_invoice, PhaseProration::none});
      if (draw_.one_in(4)) phase.anchor = PhaseAnchor::phase_start;
    }
    if (draw_.one_in(3)) phases.front().start = world_.now + hours(draw_.below(1000));
    if (draw_.one_in(5)) phases.front().trial_end = world_.now + hours(draw_.below(1000));
    return phases;
  }

  /// What people do to invoices and their items by hand.
  Command any_invoicing() {
    const InvoiceId id = any_invoice();
    const auto recalled = world_.settled(id);
    switch (draw_.below(12)) {
      case 0:
      case 1:
      case 2: {
        CreateInvoiceItem command;
        command.unit_amount = {draw_.among<std::int64_t>({1, 700, -300, -2500}), Currency::of("usd")};
        command.quantity = static_cast<std::int64_t>(draw_.below(4));
        if (draw_.one_in(4)) command.subscription = any_subscription_id();
        while (draw_.one_in(4)) command.discounts.push_back({{}, any_coupon()});
        if (draw_.one_in(4)) {
          command.invoice = id;
          command.recalled = recalled;
        }
        return command;
      }
      case 3: {
        const auto [item, invoice] = any_item();
        UpdateInvoiceItem command;
        command.item = item;
        command.invoice = invoice;
        command.recalled = world_.settled(invoice);
        command.unit_amount = 450;
        if (draw_.one_in(2)) command.quantity = static_cast<std::int64_t>(draw_.below(3));
        if (draw_.one_in(4)) command.discounts.emplace();
        while (draw_.one_in(4)) {
          if (!command.discounts) command.discounts.emplace();
          command.discounts->push_back({{}, any_coupon()});
        }
        return command;
      }
      case 4: {
        const auto [item, invoice] = any_item();
        return DeleteInvoiceItem{item, invoice, world_.settled(invoice)};
      }
      case 5: {
        CreateInvoice command;
        if (draw_.one_in(3)) command.subscription = any_subscription_id();
        command.auto_advance = draw_.one_in(2);
        command.take_pending_items = !draw_.one_in(4);
        if (draw_.one_in(3)) {
          command.collection = Collection::send_invoice;
          command.days_until_due = static_cast<std::int32_t>(draw_.below(30));
        }
        return command;
      }
      case 6: {
        UpdateInvoice command{id, recalled, {}, {}, {}, {}, {}};
        command.description = draw_.among<std::string>({"", "Thank you."});
        if (draw_.one_in(3)) command.due_at = world_.now + hours(draw_.below(200));
        return command;
      }
      case 7:
        return FinalizeInvoice{id, recalled, {}};
      case 8:
        return SendInvoice{id, recalled};
      case 9:
        return VoidInvoice{id, recalled};
      case 10:
        return MarkInvoiceUncollectible{id, recalled};
      default:
        if (draw_.one_in(2)) return DeleteInvoice{id, recalled};
        return PayInvoice{id, recalled, SourceId(), true};
    }
  }

  /// A change of a subscription's items, trial, cycle or end.
  UpdateSubscription any_change() {
    UpdateSubscription command;
    command.subscription = any_subscription_id();
    command.proration =
        draw_.among({ProrationBehavior::create_prorations, ProrationBehavior::always_invoice, ProrationBehavior::none});
    command.payment_behavior =
        draw_.among({PaymentBehavior::allow_incomplete, PaymentBehavior::allow_incomplete,
                     PaymentBehavior::default_incomplete, PaymentBehavior::error_if_incomplete,
                     PaymentBehavior::pending_if_incomplete, PaymentBehavior::pending_if_incomplete});
    const Subscription* subscription = world_.account().find(command.subscription);
    if (subscription == nullptr) return command;
    const Recurrence recurrence = draw_.one_in(5) ? Recurrence{Interval::month, 2} : subscription->recurrence();
    for (std::size_t changes = draw_.below(3); changes > 0; --changes) {
      ItemChange change;
      if (!draw_.one_in(4)) change.item = draw_.of(subscription->items).id;
      change.deleted = !change.item.is_empty() && draw_.one_in(6);
      if (change.item.is_empty() || draw_.one_in(2)) change.price = price(draw_.among({0, 49, 3000, 7777}), recurrence);
      if (draw_.one_in(2)) change.quantity = static_cast<std::int64_t>(draw_.below(4));
      command.items.push_back(std::move(change));
    }
    if (draw_.one_in(5)) command.proration_date = world_.now - hours(draw_.below(48));
    if (draw_.one_in(8)) command.trial_end = world_.now + hours(draw_.below(400)) - hours(40);
    if (draw_.one_in(10)) command.anchor_now = true;
    if (draw_.one_in(6)) command.cancel_at = world_.now + hours(draw_.below(1500));
    if (draw_.one_in(6)) command.cancel_at = std::optional<Timestamp>();
    if (draw_.one_in(8)) command.cancel_at_period_end = draw_.one_in(2);
    if (draw_.one_in(6)) {
      Pause pause{draw_.among({PauseBehavior::keep_as_draft, PauseBehavior::mark_uncollectible, PauseBehavior::void_}),
                  {}};
      if (!draw_.one_in(3)) pause.resumes_at = world_.now + hours(draw_.below(2000));
      command.pause = pause;
    }
    if (draw_.one_in(6)) command.pause = std::optional<Pause>();
    if (draw_.one_in(12)) command.discount = std::optional(any_coupon());
    if (draw_.one_in(16)) command.discount = std::optional<Redemption>();
    if (draw_.one_in(12)) command.tax_rates = any_taxes();
    return command;
  }

  /// An item, and the invoice that it is on; without that it is pending.
  std::pair<InvoiceItemId, InvoiceId> any_item() {
    const auto& pending = world_.account().invoice_items;
    if (!pending.empty() && draw_.one_in(2)) return {draw_.of(pending).id, InvoiceId()};
    const InvoiceId id = any_invoice();
    if (const Invoice* invoice = world_.find_invoice(id))
      for (const InvoiceLine& line : invoice->lines)
        if (!line.is_recurring()) return {line.invoice_item, id};
    return {InvoiceItemId("ii_none"), InvoiceId()};
  }

  UpdateCustomer any_update() {
    UpdateCustomer command;
    if (draw_.one_in(2)) command.name = draw_.among<std::string>({"", "Ada", "Grace"});
    if (draw_.one_in(3)) command.source = any_new_source();
    if (draw_.one_in(3)) command.default_source = any_source();
    if (draw_.one_in(8)) command.discount = std::optional(any_coupon());
    if (draw_.one_in(12)) command.discount = std::optional<Redemption>();
    return command;
  }

  Subscribe any_subscription() {
    const Recurrence recurrence = draw_.of(recurrences);
    Subscribe command;
    for (std::size_t items = 1 + draw_.below(3); items > 0; --items)
      command.items.push_back({price(draw_.among({0, 1, 2000, 99'999}), recurrence, draw_.one_in(9) ? "eur" : "usd"),
                               static_cast<std::int64_t>(draw_.below(4)),
                               {}});
    if (draw_.one_in(3))
      command.trial_end = world_.now + Duration(static_cast<std::int64_t>(draw_.below(20 * 86'400'000'000)));
    command.cancel_at_period_end = draw_.one_in(8);
    if (draw_.one_in(5)) {
      command.billing_cycle_anchor = world_.now + hours(draw_.below(500));
      command.free_until_anchor = draw_.one_in(2);
    }
    if (!command.cancel_at_period_end && draw_.one_in(8)) command.cancel_at = world_.now + hours(draw_.below(2000));
    command.payment_behavior = draw_.among({PaymentBehavior::allow_incomplete, PaymentBehavior::error_if_incomplete});
    if (draw_.one_in(3)) command.default_source = any_source();
    if (draw_.one_in(6)) {
      command.collection = Collection::send_invoice;
      command.days_until_due = static_cast<std::int32_t>(1 + draw_.below(40));
    }
    if (draw_.one_in(12)) command.renewal_trigger = RenewalTrigger::webhook;
    command.missing_payment_method =
        draw_.among({MissingPaymentMethod::create_invoice, MissingPaymentMethod::cancel, MissingPaymentMethod::pause});
    if (draw_.one_in(10)) command.backdate_start = world_.now - hours(draw_.below(3000));
    if (draw_.one_in(10)) command.pending_item_interval = Recurrence{Interval::week, 2};
    if (draw_.one_in(6)) command.discount = any_coupon();
    if (draw_.one_in(5)) command.tax_rates = any_taxes();
    if (draws_metered && draw_.one_in(6))
      command.items.front().price =
          metered(command.items.front().price,
                  draw_.among({Aggregation::sum, Aggregation::max, Aggregation::last_during_period}));
    // Enough lives side by side.
    if (world_.account().subscriptions.size() > subscriptions_max) command.items.clear();
    return command;
  }

  SourceId any_source() {
    const auto& sources = world_.account().sources;
    return sources.empty() || draw_.one_in(10) ? SourceId("card_none") : draw_.of(sources).id;
  }

  SubscriptionId any_subscription_id() {
    const auto& subscriptions = world_.account().subscriptions;
    return subscriptions.empty() ? SubscriptionId("sub_none") : draw_.of(subscriptions).id;
  }

  InvoiceId any_invoice() {
    const auto& live = world_.account().invoices;
    if (!live.empty() && !draw_.one_in(3)) return draw_.of(live).id;
    const auto& all = world_.invoice_ids();
    return all.empty() ? InvoiceId("in_none") : draw_.of(all);
  }

  Draw& draw_;
  const World& world_;
};

}  // namespace billd::test
