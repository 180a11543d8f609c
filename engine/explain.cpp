#include "engine/explain.hpp"

#include <algorithm>

#include "engine/change.hpp"
#include "engine/declines.hpp"

namespace billd {
namespace {

std::string_view name(SubscriptionStatus status) {
  switch (status) {
    case SubscriptionStatus::incomplete:
      return "incomplete: its first payment has not succeeded yet";
    case SubscriptionStatus::incomplete_expired:
      return "over: its first payment did not succeed in time";
    case SubscriptionStatus::trialing:
      return "in its trial";
    case SubscriptionStatus::active:
      return "active";
    case SubscriptionStatus::past_due:
      return "past due: a payment has failed and is being tried again";
    case SubscriptionStatus::unpaid:
      return "unpaid: the attempts are exhausted; its invoices are drawn up, but not collected";
    case SubscriptionStatus::canceled:
      return "canceled";
    case SubscriptionStatus::paused:
      return "paused: its trial ended without a way to pay";
  }
  return "";
}

std::string_view name(InvoiceStatus status) {
  switch (status) {
    case InvoiceStatus::draft:
      return "a draft";
    case InvoiceStatus::open:
      return "open";
    case InvoiceStatus::paid:
      return "paid";
    case InvoiceStatus::uncollectible:
      return "uncollectible: nobody expects the money any more";
    case InvoiceStatus::void_:
      return "void: nothing is owed";
  }
  return "";
}

std::string_view reason(const Invoice& invoice) {
  switch (invoice.reason) {
    case BillingReason::subscription_create:
      return "because the subscription began";
    case BillingReason::subscription_cycle:
      return "because a new period of the subscription began";
    case BillingReason::subscription_update:
      return "because the subscription was changed";
    case BillingReason::manual:
      return "by hand, or for what was pending when a subscription ended";
    case BillingReason::direct_charge:
      return "to hold a charge that was asked for by itself";
  }
  return "";
}

std::string text(Timestamp time) { return to_text(time); }
std::string text(const Period& period) { return text(period.start) + " until " + text(period.end); }

std::string text(Recurrence recurrence) {
  const std::string unit(to_text(recurrence.interval));
  return recurrence.count == 1 ? "every " + unit : "every " + std::to_string(recurrence.count) + " " + unit + "s";
}

template <class Count>
std::string plural(Count count, std::string_view one) {
  return std::to_string(count) + " " + std::string(one) + (count == 1 ? "" : "s");
}

std::string days(Duration duration) {
  const auto hours = std::chrono::floor<std::chrono::hours>(duration);
  if (hours == duration && hours.count() % 24 == 0) return plural(hours.count() / 24, "day");
  if (hours == duration) return plural(hours.count(), "hour");
  return plural(std::chrono::floor<std::chrono::seconds>(duration).count(), "second");
}

std::string name_of(const Invoice& invoice) {
  return "Invoice " + (invoice.number.empty() ? invoice.id.value() : invoice.number + " (" + invoice.id.value() + ")");
}

/// One account's explanation.
class Explainer {
 public:
  Explainer(const Account& account, const std::vector<Record>& records, Timestamp now, const Rules& rules)
      : account_(account), now_(now), rules_(rules) {
    for (const Invoice& invoice : account.invoices) invoices_.push_back(&invoice);
    for (const Subscription& subscription : account.subscriptions) subscriptions_.push_back(&subscription);
    for (const Schedule& schedule : account.schedules) schedules_.push_back(&schedule);
    for (const Record& record : records) {
      if (const auto* invoice = std::get_if<Invoice>(&record)) invoices_.push_back(invoice);
      if (const auto* subscription = std::get_if<Subscription>(&record)) subscriptions_.push_back(subscription);
      if (const auto* schedule = std::get_if<Schedule>(&record)) schedules_.push_back(schedule);
      if (const auto* transaction = std::get_if<BalanceTransaction>(&record)) transactions_.push_back(transaction);
    }
    const auto in_order = [&](const auto* object) {
      return std::pair(object->created,
                       object_number(account_.key, id_body(object->id.value()).substr(account_key_length)).value_or(0));
    };
    std::erase_if(invoices_, [](const Invoice* invoice) { return invoice->provisional; });
    std::erase_if(subscriptions_, [](const Subscription* subscription) { return subscription->provisional; });
    std::ranges::sort(invoices_, {}, in_order);
    std::ranges::sort(subscriptions_, {}, in_order);
    std::ranges::sort(transactions_, {}, in_order);
  }

  Result<std::vector<Section>> about(const std::string& id) {
    // The APIs tell of some objects under several prefixes: the rest of an identifier says which object it is.
    const auto is_named = [body = id_body(id)](const auto& object) { return id_body(object.id.value()) == body; };
    for (const Subscription* subscription : subscriptions_)
      if (is_named(*subscription)) return about_subscription(*subscription);
    for (const Invoice* invoice : invoices_)
      if (is_named(*invoice) || std::ranges::any_of(invoice->charges, is_named)) return about_invoice(*invoice);
    for (const Schedule* schedule : schedules_)
      if (is_named(*schedule)) return about_schedule(*schedule);
    if (is_named(account_.customer)) return about_customer();
    return Failure{Errc::not_found, "There is no customer, subscription, schedule or invoice " + id + ".", "id"};
  }

 private:
  Section& begin(std::string title) {
    sections_.push_back({std::move(title), {}});
    return sections_.back();
  }
  void say(std::string sentence) { sections_.back().sentences.push_back(std::move(sentence)); }

  // Subscriptions.

  std::vector<Section> about_subscription(const Subscription& subscription) {
    begin("What it is");
    say("Subscription " + subscription.id.value() + " of customer " + account_.customer.id.value() + " is " +
        std::string(name(subscription.status)) + ". It began on " + text(subscription.created) + ".");
    for (const SubscriptionItem& item : subscription.items) say(sentence_of(item));
    say_collection(subscription);
    say_cycle(subscription);
    say_changes_ahead(subscription);
    begin("What was billed");
    std::size_t billed = 0;
    for (const Invoice* invoice : invoices_) {
      if (invoice->subscription != subscription.id) continue;
      ++billed;
      say_invoice(*invoice);
    }
    if (billed == 0) say("Nothing was billed yet.");
    begin("What comes next");
    if (!subscription.is_live())
      say("Nothing: it ended on " + text(subscription.ended_at.value_or(subscription.created)) + ".");
    else
      say_next(subscription);
    return std::move(sections_);
  }

  static std::string sentence_of(const SubscriptionItem& item) {
    return std::to_string(item.quantity) + " of " + item.price.id.value() + " at " + to_text(item.price.unit_amount) +
           " " + text(item.price.recurrence) + " (" + item.id.value() + ").";
  }

  void say_collection(const Subscription& subscription) {
    if (subscription.collection == Collection::send_invoice) {
      say("Its invoices are sent, and due " + std::to_string(subscription.days_until_due) +
          " days after they are drawn up.");
      return;
    }
    Invoice next;
    next.subscription = subscription.id;
    const Source* source = subscription.is_live() ? paying_source(account_, next) : nullptr;
    if (!subscription.is_live())
      say("Its invoices were charged automatically.");
    else if (source == nullptr)
      say("Its invoices are charged automatically, but there is no source to charge.");
    else
      say("Its invoices are charged automatically to " + source->id.value() +
          (source->id == subscription.default_source ? ", which is its own." : ", the customer's default."));
  }

  void say_cycle(const Subscription& subscription) {
    say("Period " + std::to_string(subscription.ordinal) + " runs from " + text(subscription.current_period) +
        (subscription.is_free_period() ? " and costs nothing." : "."));
    if (subscription.status == SubscriptionStatus::trialing)
      say("It is a trial; the cycle is anchored at its end, " + text(subscription.anchor) + ".");
    else if (subscription.ordinal < subscription.anchor_ordinal)
      say("It is what precedes the anchor, " + text(subscription.anchor) + ".");
    else
      say("Each boundary is counted from the anchor, " + text(subscription.anchor) + ", " +
          text(subscription.recurrence()) + "; a month without the anchor's day ends on its last day.");
    if (subscription.paid_until)
      say("The period is paid until " + text(*subscription.paid_until) + "; the rest was credited.");
  }

  void say_changes_ahead(const Subscription& subscription) {
    if (!subscription.is_live()) return;
    if (subscription.cancel_at_period_end)
      say("It is to be canceled at the end of the period, as was asked on " +
          text(subscription.canceled_at.value_or(now_)) + ".");
    if (subscription.cancel_at) say("It is to be canceled on " + text(*subscription.cancel_at) + ".");
    if (subscription.pause) {
      const PauseBehavior behavior = subscription.pause->behavior;
      say(std::string("Its collection is paused: new invoices ") +
          (behavior == PauseBehavior::keep_as_draft ? "stay drafts"
           : behavior == PauseBehavior::void_       ? "are voided"
                                                    : "are marked uncollectible") +
          (subscription.pause->resumes_at ? ", until " + text(*subscription.pause->resumes_at) + "."
                                          : " until somebody resumes it."));
    }
    if (!subscription.schedule.is_empty())
      say("Schedule " + subscription.schedule.value() + " changes it as time passes.");
  }

  void say_next(const Subscription& subscription) {
    if (subscription.status == SubscriptionStatus::incomplete) {
      say("Unless its first invoice is paid until " + text(subscription.expires_at.value_or(now_)) +
          ", it is over: a first payment may take " + days(rules_.incomplete_expires_after) + ".");
      return;
    }
    if (subscription.pending_update)
      say("A change of it waits for the payment of " + subscription.pending_update->invoice.value() +
          "; unless that comes until " + text(subscription.pending_update->expires_at) + ", it is dropped.");
    if (subscription.status == SubscriptionStatus::paused) {
      say("Nothing of it is billed until somebody resumes it.");
      return;
    }
    if (subscription.pending_item_interval)
      say("On " + text(subscription.pending_item_interval->next()) + " its pending items are billed.");
    const Timestamp end = subscription.current_period.end;
    const bool ends_before = subscription.cancel_at && *subscription.cancel_at <= end;
    if (subscription.cancel_at_period_end || ends_before) {
      say("On " + text(ends_before ? *subscription.cancel_at : end) + " it ends.");
      return;
    }
    if (subscription.trial_will_end_at)
      say("On " + text(*subscription.trial_will_end_at) + " the end of the trial is announced.");
    if (subscription.upcoming_at)
      say("On " + text(*subscription.upcoming_at) + " the next invoice is announced, " + days(rules_.upcoming_notice) +
          " before the renewal.");
    const auto next = preview(account_, std::nullopt, subscription.id, now_, rules_);
    if (!next) {
      say("On " + text(end) + " the next period begins. Its invoice cannot be foretold: " + next.error().detail);
      return;
    }
    const Money due{next->total.minor - (next->ending_balance - next->starting_balance), next->total.currency};
    say("On " + text(std::max(end, now_)) + " period " + std::to_string(next->ordinal) +
        " begins. As things stand its invoice is of " + to_text(next->total) + ", of which " + to_text(due) +
        " are due:");
    for (const InvoiceLine& line : next->lines) say(sentence_of(line));
    if (next->starting_balance != next->ending_balance) say_balance(*next);
    if (subscription.pause || subscription.status == SubscriptionStatus::unpaid) return;
    if (due.minor == 0)
      say("There is nothing to collect.");
    else if (subscription.collection == Collection::send_invoice)
      say("It is a draft for " + days(rules_.invoice_finalize_delay) + ", and then sent.");
    else
      say("It is a draft for " + days(rules_.invoice_finalize_delay) + ", and then charged.");
  }

  // Schedules.

  std::vector<Section> about_schedule(const Schedule& schedule) {
    begin("What it is");
    constexpr const char* statuses[] = {"has not started", "is active", "is completed", "was released", "was canceled"};
    say("Schedule " + schedule.id.value() + " of customer " + account_.customer.id.value() + " " +
        statuses[static_cast<std::size_t>(schedule.status)] + ".");
    if (!schedule.subscription.is_empty()) say("Its subscription is " + schedule.subscription.value() + ".");
    begin("Its phases");
    for (std::size_t i = 0; i < schedule.phases.size(); ++i) {
      const Phase& phase = schedule.phases[i];
      std::string sentence = "From " + text(Period{phase.start, phase.end}) + ":";
      for (const PhaseItem& item : phase.items)
        sentence += " " + std::to_string(item.quantity) + " of " + item.price.id.value() + " at " +
                    to_text(item.price.unit_amount) + " " + text(item.price.recurrence) + ";";
      sentence.back() = '.';
      if (schedule.is_live() && i == static_cast<std::size_t>(schedule.phase))
        sentence += schedule.status == ScheduleStatus::active ? " This is the current phase." : " This comes first.";
      say(std::move(sentence));
    }
    say(schedule.end_behavior == EndBehavior::cancel ? "Then the subscription is canceled."
                                                     : "Then the subscription goes on by itself.");
    return std::move(sections_);
  }

  // Invoices.

  std::vector<Section> about_invoice(const Invoice& invoice) {
    begin("What it is");
    say(name_of(invoice) + " of customer " + account_.customer.id.value() + " is " + std::string(name(invoice.status)) +
        ". It was drawn up on " + text(invoice.created) + " " + std::string(reason(invoice)) + ".");
    if (!invoice.subscription.is_empty() && invoice.bills_period())
      say("It bills period " + std::to_string(invoice.ordinal) + " of subscription " + invoice.subscription.value() +
          ".");
    begin("What it bills");
    for (const InvoiceLine& line : invoice.lines) say(sentence_of(line));
    if (invoice.lines.empty()) say("Nothing.");
    say("In total " + to_text(invoice.total) + ".");
    if (invoice.starting_balance != invoice.ending_balance) say_balance(invoice);
    for (const CreditNote& note : invoice.credit_notes) say(sentence_of(note));
    say("Due are " + to_text(invoice.amount_due()) + ", paid are " + to_text(invoice.amount_paid) + ".");
    begin("What was tried");
    for (const Charge& charge : invoice.charges) say_charge(charge);
    if (invoice.paid_out_of_band) say("It was paid in another way, as somebody told billd.");
    if (sections_.back().sentences.empty()) say("Nothing was charged for it.");
    begin("What comes next");
    say_next(invoice);
    return std::move(sections_);
  }

  static std::string sentence_of(const InvoiceLine& line) {
    std::string sentence = to_text(line.amount) + " for " + std::to_string(line.quantity);
    if (!line.price.id.is_empty()) sentence += " of " + line.price.id.value();
    if (!line.description.empty()) sentence += " (" + line.description + ")";
    if (line.period.start != line.period.end) sentence += ", " + text(line.period);
    if (line.trial) sentence += ", free by its trial";
    if (line.proration)
      sentence += line.amount.minor < 0 ? ", the unused part of what was paid before a change"
                                        : ", its part of the whole period, to the second or day, rounded half up";
    return sentence + ".";
  }

  void say_balance(const Invoice& invoice) {
    const Currency currency = invoice.total.currency;
    const std::int64_t before = invoice.starting_balance, after = invoice.ending_balance;
    say("The customer's balance was " + to_text(Money{before, currency}) + " before it and is " +
        to_text(Money{after, currency}) + " after it" +
        (after > 0 ? ": what is less than " + to_text(minimum_charge(currency)) + " is owed with the next invoice."
         : after < before ? ": its credit is carried forward."
                          : ": a credit was used for it."));
  }

  static std::string sentence_of(const CreditNote& note) {
    std::string sentence =
        "Credit note " + note.number + " of " + text(note.created) + " takes back " + to_text(note.amount);
    const Currency currency = note.amount.currency;
    if (note.voided_at) return sentence + "; it was voided on " + text(*note.voided_at) + ".";
    if (!note.after_payment) return sentence + " before payment.";
    sentence += " after payment";
    if (note.refunded != 0) sentence += ", refunds " + to_text(Money{note.refunded, currency});
    if (note.credited != 0) sentence += ", credits the balance with " + to_text(Money{note.credited, currency});
    if (note.out_of_band != 0) sentence += ", " + to_text(Money{note.out_of_band, currency}) + " in another way";
    return sentence + ".";
  }

  void say_charge(const Charge& charge) {
    std::string sentence = "Attempt " + std::to_string(charge.attempt) + " on " + text(charge.created) + " (" +
                           charge.id.value() + ", " + (charge.automatic ? "by the schedule" : "as was asked for") +
                           ") of " + to_text(charge.amount) + " to " + charge.source.value() + " at " + charge.gateway +
                           " ";
    switch (charge.state) {
      case ChargeState::succeeded:
        sentence += "succeeded.";
        break;
      case ChargeState::declined:
        sentence += "was declined: " + (charge.decline_code.empty() ? "no reason was given" : charge.decline_code);
        sentence += is_final_decline(charge.decline_code) || std::holds_alternative<BankAccountSummary>(charge.means)
                        ? ". That is final: the schedule does not charge this source again."
                        : ". That is worth another attempt.";
        break;
      case ChargeState::sending:
        sentence +=
            "was sent; its outcome is not known yet. The gateway is asked again on " + text(charge.resolve_at) + ".";
        break;
      case ChargeState::pending:
        sentence += "was taken on; whether the money comes is known later. The gateway is asked again on " +
                    text(charge.resolve_at) + ".";
        break;
      case ChargeState::parked:
        sentence += "cannot be found out by program: an operator must look.";
        break;
      case ChargeState::absent:
        sentence += "never reached the gateway, which surely has no record of it: no attempt is counted for it.";
        break;
    }
    say(std::move(sentence));
    for (const Refund& refund : charge.refunds) say(sentence_of(refund));
  }

  static std::string sentence_of(const Refund& refund) {
    std::string sentence =
        "Refund " + refund.id.value() + " of " + to_text(refund.amount) + " on " + text(refund.created);
    switch (refund.state) {
      case RefundState::sending:
        return sentence + " was sent; its outcome is not known yet.";
      case RefundState::pending:
        return sentence + " is on its way.";
      case RefundState::succeeded:
        return sentence + " succeeded.";
      case RefundState::failed:
        return sentence + " failed: " + refund.failure_reason + ".";
      case RefundState::parked:
        return sentence + " cannot be found out by program: an operator must look.";
    }
    return sentence;
  }

  void say_next(const Invoice& invoice) {
    if (invoice.unresolved_charge() != nullptr) {
      say("The outcome of its charge is awaited; nothing else is done before.");
      return;
    }
    if (invoice.is_settled()) {
      say("Nothing by itself.");
      return;
    }
    if (!invoice.auto_advance) {
      say("Nothing by itself: it is closed. Reopened, it is collected again.");
      return;
    }
    if (invoice.finalize_at) {
      say("On " + text(*invoice.finalize_at) + " it is finalized: a draft takes changes for " +
          days(rules_.invoice_finalize_delay) + ".");
      return;
    }
    if (invoice.next_attempt_at) say_next_attempt(invoice);
    if (invoice.due_at) {
      const bool is_overdue = *invoice.due_at <= now_;
      say("It was sent and " + std::string(is_overdue ? "was" : "is") + " due on " + text(*invoice.due_at) + ".");
      if (invoice.overdue_at && *invoice.overdue_at > *invoice.due_at)
        say("On " + text(*invoice.overdue_at) + ", " + days(rules_.overdue_final_after) + " after that, " +
            final_action() + ".");
    }
  }

  void say_next_attempt(const Invoice& invoice) {
    const std::size_t attempts = rules_.retry_schedule.size() + 1;
    const auto next = static_cast<std::size_t>(invoice.attempt_count) + 1;
    say("On " + text(*invoice.next_attempt_at) + " it is tried for the " + std::to_string(next) + ". of " +
        plural(attempts, "time") + ".");
    if (!rules_.retry_schedule.empty()) {
      std::string waits;
      for (const Duration& wait : rules_.retry_schedule) waits += (waits.empty() ? "" : ", ") + days(wait);
      say("After a decline the next attempts follow after " + waits + ", each counted from the one before.");
    }
    say("When the last one fails, " + final_action() + ".");
  }

  std::string final_action() const {
    switch (rules_.final_action) {
      case FinalAction::cancel:
        return "the subscription is canceled";
      case FinalAction::unpaid:
        return "the subscription becomes unpaid";
      case FinalAction::past_due:
        return "the subscription stays past due";
    }
    return "";
  }

  /// In a list of several.
  void say_invoice(const Invoice& invoice) {
    std::string sentence = name_of(invoice) + " of " + text(invoice.created) + ", drawn up " +
                           std::string(reason(invoice)) + ", is " + std::string(name(invoice.status)) + ": " +
                           to_text(invoice.total);
    if (invoice.bills_period()) sentence += " for period " + std::to_string(invoice.ordinal);
    if (invoice.amount_due() != invoice.total) sentence += ", of which " + to_text(invoice.amount_due()) + " are due";
    say(sentence + ".");
    for (const Charge& charge : invoice.charges) say_charge(charge);
    if (!invoice.is_settled() || invoice.unresolved_charge() != nullptr) say_next(invoice);
  }

  // The customer.

  std::vector<Section> about_customer() {
    const Customer& customer = account_.customer;
    begin("Who it is");
    say("Customer " + customer.id.value() + " was created on " + text(customer.created) + "." +
        (customer.deleted ? " The customer is deleted." : ""));
    if (!customer.test_clock.is_empty())
      say("The customer lives in the time of test clock " + customer.test_clock.value() + ".");
    if (customer.delinquent) say("The latest charge of the latest invoice failed: the customer is delinquent.");
    say(account_.sources.empty()
            ? std::string("There is nothing to charge.")
            : (account_.sources.size() == 1 ? "There is " : "There are ") + plural(account_.sources.size(), "source") +
                  "; " + customer.default_source.value() + " is the default.");
    begin("The balance");
    for (const BalanceTransaction* transaction : transactions_) say(sentence_of(*transaction));
    say(customer.balance == 0
            ? std::string("It is zero.")
            : "It is " + to_text(Money{customer.balance, customer.currency}) +
                  (customer.balance < 0 ? ": the next invoice takes from it." : ": it is owed with the next invoice."));
    begin("Subscriptions");
    for (const Subscription* subscription : subscriptions_) {
      say("Subscription " + subscription->id.value() + " is " + std::string(name(subscription->status)) +
          (subscription->is_live() ? "; its period ends on " + text(subscription->current_period.end) + "." : "."));
    }
    if (subscriptions_.empty()) say("There were none.");
    begin("Invoices that are not settled");
    for (const Invoice& invoice : account_.invoices)
      if (!invoice.provisional && (!invoice.is_settled() || invoice.unresolved_charge() != nullptr))
        say_invoice(invoice);
    if (sections_.back().sentences.empty()) say("There are none.");
    if (!account_.invoice_items.empty())
      say(plural(account_.invoice_items.size(), "item") + " wait" + (account_.invoice_items.size() == 1 ? "s" : "") +
          " for the next invoice.");
    begin("What comes next");
    const auto due = next_due(timers(account_));
    say(due ? "The account is due next on " + text(*due) + "." : std::string("Nothing by itself."));
    return std::move(sections_);
  }

  std::string sentence_of(const BalanceTransaction& transaction) const {
    std::string why;
    switch (transaction.reason) {
      case BalanceReason::adjustment:
        why = "by hand";
        break;
      case BalanceReason::applied_to_invoice:
        why = "applied to " + transaction.invoice.value();
        break;
      case BalanceReason::invoice_too_small:
        why = transaction.invoice.value() + " was too small to be charged";
        break;
      case BalanceReason::unapplied_from_invoice:
        why = transaction.invoice.value() + " was voided";
        break;
      case BalanceReason::credit_note:
        why = "credit note " + transaction.credit_note.value();
        break;
    }
    const Currency currency = transaction.amount.currency;
    return text(transaction.created) + ": " + to_text(transaction.amount) + ", " + why + "; afterwards " +
           to_text(Money{transaction.ending_balance, currency}) + ".";
  }

  const Account& account_;
  const Timestamp now_;
  const Rules& rules_;
  std::vector<const Invoice*> invoices_;            ///< oldest first
  std::vector<const Subscription*> subscriptions_;  ///< oldest first
  std::vector<const Schedule*> schedules_;
  std::vector<const BalanceTransaction*> transactions_;  ///< oldest first
  std::vector<Section> sections_;
};

}  // namespace

Result<std::vector<Section>> explain(const Account& account, const std::vector<Record>& records, const std::string& id,
                                     Timestamp now, const Rules& rules) {
  return Explainer(account, records, now, rules).about(id);
}

std::string to_text(const std::vector<Section>& sections) {
  std::string text;
  for (const Section& section : sections) {
    if (!text.empty()) text += '\n';
    text.append(section.title).append("\n");
    for (const std::string& sentence : section.sentences) text.append("  ").append(sentence).append("\n");
  }
  return text;
}

}  // namespace billd
