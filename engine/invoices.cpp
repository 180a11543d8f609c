// Drawing up, finalizing, paying and ending invoices.
#include <algorithm>
#include <limits>
#include <string>

#include "engine/lookup.hpp"

namespace billd {
namespace {

Result<void> check_customer(const Customer& customer) {
  if (customer.deleted) return no_such_customer(customer);
  return {};
}

Result<void> check_unpaid(const Invoice& invoice) {
  switch (invoice.status) {
    case InvoiceStatus::paid:
      return Failure{Errc::invalid_state, "Invoice is already paid"};
    case InvoiceStatus::void_:
      return Failure{Errc::invalid_state, "Invoice is void"};
    case InvoiceStatus::uncollectible:
    case InvoiceStatus::draft:
    case InvoiceStatus::open:
      return {};
  }
  return {};
}

Result<void> check_nothing_in_progress(const Invoice& invoice) {
  if (invoice.unresolved_charge() == nullptr) return {};
  return Failure{Errc::invalid_state, "A payment of this invoice is already in progress; its outcome is awaited."};
}

/// A draft of the customer that a command may change.
template <class NamingInvoice>
Result<const Invoice*> look_up_draft(Change& change, const NamingInvoice& command) {
  const Invoice* found = look_up(change, command);
  if (found == nullptr) return no_such_invoice(command.invoice);
  auto exists = check_customer(change.customer());
  if (!exists) return exists.error();
  if (found->status != InvoiceStatus::draft)
    return Failure{Errc::invalid_state, "This invoice is already finalized, you can't change it.", "invoice"};
  return found;
}

Result<void> check_due(const Change& change, const CreateInvoice& command) {
  const bool sent = command.collection == Collection::send_invoice;
  const bool has_due = command.days_until_due || command.due_at;
  if (sent && !has_due)
    return Failure{Errc::missing_parameter, "An invoice that is sent needs `days_until_due` or `due_date`.",
                   "days_until_due"};
  if (!sent && has_due)
    return Failure{Errc::invalid_parameter, "Only an invoice that is sent has a due date.",
                   command.due_at ? "due_date" : "days_until_due"};
  if (command.days_until_due && command.due_at)
    return Failure{Errc::invalid_parameter,
                   "Received both days_until_due and due_date parameters. Please pass in only one.", "due_date"};
  if (command.days_until_due.value_or(0) < 0)
    return Failure{Errc::invalid_parameter, "This value must be greater than or equal to 0.", "days_until_due"};
  if (command.due_at && (*command.due_at < change.now || *command.due_at > end_of_time))
    return Failure{Errc::invalid_parameter, "Invalid timestamp: must be in the future.", "due_date"};
  return {};
}

void tell_sent(Change& change, Invoice& invoice) {
  if (invoice.auto_advance) invoice.overdue_at = invoice.due_at;
  change.emit({EventType::invoice_sent}, invoice);
}

}  // namespace

std::optional<Timestamp> due_time(Collection collection, Timestamp created, std::int32_t days_until_due) {
  if (collection == Collection::charge_automatically) return std::nullopt;
  return whole_second(created) + std::chrono::days(days_until_due);
}

Invoice begin_invoice(Change& change, BillingReason reason, Currency currency) {
  Invoice invoice;
  invoice.id = change.draw_id<InvoiceKind>();
  invoice.reason = reason;
  invoice.created = change.now;
  invoice.period = {whole_second(change.now), whole_second(change.now)};
  invoice.total = invoice.amount_paid = Money{0, currency};
  invoice.finalize_at = change.now + change.rules.invoice_finalize_delay;
  if (!invoice.is_of_direct_charge()) {
    invoice.footer = change.customer().invoice_footer;
    invoice.custom_fields = change.customer().invoice_fields;
  }
  return invoice;
}

namespace {

/// The lines for the subscription's current period: what is paid ahead, and that metered items begin with nothing.
Result<void> add_period(Change& change, Invoice& invoice, const Subscription& subscription, const Billing& billing) {
  const bool is_free = subscription.is_free_period();
  const bool is_partial = !is_free && subscription.current_period != subscription.whole_period();
  invoice.lines.reserve(subscription.items.size());
  for (const SubscriptionItem& item : subscription.items) {
    const bool is_metered = item.price.is_metered();
    if (is_metered && billing.ended && item.created < billing.ended->period.end) continue;
    auto amount = cost_in(subscription, item, subscription.current_period);
    if (!amount) return amount.error();
    InvoiceLine line;
    line.id = change.draw_id<InvoiceLineKind>();
    line.amount = *amount;
    line.period = subscription.current_period;
    line.quantity = is_metered ? 0 : item.quantity;
    line.price = item.price;
    line.item = item.id;
    line.trial = is_free;
    line.proration = is_partial && !is_metered;
    line.tax_rates = item.tax_rates;
    invoice.lines.push_back(std::move(line));
  }
  return {};
}

/// What the discount took from each item's line, as if the line were for a whole period.
Result<void> note_discounts(const Invoice& invoice, Subscription& subscription) {
  const Period current = subscription.current_period, whole = subscription.whole_period();
  for (SubscriptionItem& item : subscription.items) {
    item.discount = 0;
    const auto line = std::ranges::find_if(invoice.lines, [&](const InvoiceLine& each) {
      return each.is_recurring() && each.item == item.id && !item.price.is_metered();
    });
    if (line == invoice.lines.end() || line->discount == 0) continue;
    auto share = scale({line->discount, line->amount.currency}, (whole.end - whole.start).count(),
                       (current.end - current.start).count(), Rounding::half_up);
    if (!share) return share.error();
    item.discount = share->minor;
  }
  return {};
}

}  // namespace

Result<Invoice*> draw_up_invoice(Change& change, Subscription& subscription, const Billing& billing) {
  const bool is_free = subscription.is_free_period();
  Invoice invoice = begin_invoice(change, billing.reason, subscription.items.front().price.unit_amount.currency);
  invoice.subscription = subscription.id;
  invoice.ordinal = subscription.ordinal;
  invoice.period = billing.gathered;
  invoice.collection = subscription.collection;
  invoice.due_at = due_time(subscription.collection, change.now, subscription.days_until_due);
  invoice.tax_rates = subscription.tax_rates;
  if (billing.of_period) {
    auto added = add_period(change, invoice, subscription, billing);
    if (!added) return added.error();
  }
  if (billing.ended) {
    auto billed = bill_usage(change, invoice, subscription, *billing.ended);
    if (!billed) return billed.error();
  }
  // Who begins with a trial may have no source: what is pending waits for the first invoice with something to pay,
  // unless it was ordered with the subscription.
  const bool begins_free = is_free && billing.reason == BillingReason::subscription_create;
  const bool takes_nothing = subscription.pause && subscription.pause->takes_nothing_along();
  if (!takes_nothing) take_pending_items(change, invoice, begins_free ? Sweep::own : Sweep::cycle);
  auto total = total_up(change, invoice, &subscription);
  if (!total) return total.error();
  if (billing.of_period) {
    auto noted = note_discounts(invoice, subscription);
    if (!noted) return noted.error();
  }
  change.touch();
  change.account().invoices.push_back(std::move(invoice));
  return &change.account().invoices.back();
}

Result<BalanceUse> use_balance(Money total, std::int64_t balance) {
  // Nothing bought, nothing to pay: what is owed from before waits for an invoice with something to pay.
  if (total.minor == 0) return BalanceUse{0, balance};
  const __int128 sum = static_cast<__int128>(total.minor) + balance;
  // Source: Stripe, "If the invoice's total is smaller than the minimum charge amount, for example, or if there is
  // account credit that can be applied to the invoice, the amount_due may be 0"; the rest stays with the balance.
  const __int128 due = sum < minimum_charge(total.currency).minor ? 0 : sum;
  const __int128 ending = sum - due;
  if (due > std::numeric_limits<std::int64_t>::max() || ending < -balance_limit || ending > balance_limit)
    return Failure{Errc::amount_out_of_range, "the invoice and the customer's balance are too large together"};
  return BalanceUse{static_cast<std::int64_t>(due), static_cast<std::int64_t>(ending)};
}

std::string draw_invoice_number(Change& change) {
  std::string digits = std::to_string(++change.account().invoices_numbered);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  return invoice_prefix(change.customer(), change.account().key) + "-" + digits;
}

Result<void> finalize_invoice(Change& change, Invoice& invoice) {
  auto use = use_balance(invoice.total, change.customer().balance);
  if (!use) return use.error();
  invoice.starting_balance = change.customer().balance;
  invoice.ending_balance = use->ending_balance;
  invoice.status = InvoiceStatus::open;
  // A provisional invoice may never have been: its number would be missing among the customer's.
  if (!invoice.provisional) invoice.number = draw_invoice_number(change);
  invoice.finalized_at = change.now;
  invoice.finalize_at.reset();
  for (const TaxIdentifier& identifier : change.customer().tax_identifiers)
    invoice.customer_tax_identifiers.emplace_back(identifier.type, identifier.value);
  fold_usage(change, invoice);
  const bool is_too_small = use->due == 0 && use->ending_balance > 0;
  set_balance(change, use->ending_balance,
              {is_too_small ? BalanceReason::invoice_too_small : BalanceReason::applied_to_invoice, invoice.id});
  change.emit({EventType::invoice_finalized}, invoice);
  if (use->due == 0)
    mark_paid(change, invoice);
  else if (invoice.auto_advance && invoice.collection == Collection::send_invoice)
    tell_sent(change, invoice);
  else if (invoice.auto_advance)
    invoice.next_attempt_at = change.now;
  return {};
}

void mark_paid(Change& change, Invoice& invoice) {
  invoice.status = InvoiceStatus::paid;
  invoice.amount_paid = invoice.amount_due();
  invoice.paid_at = change.now;
  invoice.attempted = true;
  invoice.next_attempt_at.reset();
  invoice.overdue_at.reset();
  change.emit({EventType::invoice_payment_succeeded, EventType::invoice_paid}, invoice);
  invoice_was_paid(change, invoice);
}

void make_uncollectible(Change& change, Invoice& invoice) {
  Invoice before = invoice;
  invoice.status = InvoiceStatus::uncollectible;
  invoice.auto_advance = false;
  invoice.next_attempt_at.reset();
  invoice.overdue_at.reset();
  invoice.marked_uncollectible_at = change.now;
  change.emit_update(EventType::invoice_updated, std::move(before), invoice);
  change.emit({EventType::invoice_marked_uncollectible}, invoice);
}

Result<void> make_void(Change& change, Invoice& invoice) {
  Customer& customer = change.customer();
  const std::int64_t given_back = customer.balance - (invoice.ending_balance - invoice.starting_balance);
  if (given_back < -balance_limit || given_back > balance_limit) return balance_too_large();
  Invoice before = invoice;
  invoice.status = InvoiceStatus::void_;
  invoice.auto_advance = false;
  invoice.finalize_at.reset();
  invoice.next_attempt_at.reset();
  invoice.overdue_at.reset();
  invoice.voided_at = change.now;
  if (!customer.deleted) set_balance(change, given_back, {BalanceReason::unapplied_from_invoice, invoice.id});
  change.emit_update(EventType::invoice_updated, std::move(before), invoice);
  change.emit({EventType::invoice_voided}, invoice);
  return {};
}

namespace {

/// The discount that is redeemed for this draft alone, or none.
Result<void> change_own_discount(Change& change, Invoice& invoice, const std::optional<Redemption>& redemption) {
  give_discount_back(change, invoice);
  invoice.discount.reset();
  invoice.has_own_discount = true;
  if (!redemption) return {};
  const Money purchase{invoice.subtotal(), invoice.total.currency};
  auto redeemed = redeem(change, *redemption, SubscriptionId(), &purchase);
  if (!redeemed) return Failure{redeemed.error().code, redeemed.error().detail, "discounts"};
  invoice.discount = std::move(*redeemed);
  return {};
}

/// What only a draft takes, by the parameter's name; null: none of it is asked for.
const char* fixed_by_finalizing(const UpdateInvoice& command) {
  if (command.due_at) return "due_date";
  if (command.default_source) return "default_source";
  if (command.tax_rates) return "default_tax_rates";
  if (command.discount) return "discounts";
  if (command.footer) return "footer";
  if (command.custom_fields) return "custom_fields";
  if (command.statement_descriptor) return "statement_descriptor";
  return nullptr;
}

}  // namespace

Result<void> create_invoice(Change& change, const CreateInvoice& command) {
  Account& account = change.account();
  auto exists = check_customer(account.customer);
  if (!exists) return exists.error();
  const Subscription* subscription = account.find(command.subscription);
  if (!command.subscription.is_empty() && (subscription == nullptr || subscription->provisional))
    return Failure{Errc::not_found, "No such subscription: " + command.subscription.value(), "subscription"};
  auto due = check_due(change, command);
  if (!due) return due.error();
  if (!command.default_source.is_empty() && account.find(command.default_source) == nullptr)
    return Failure{Errc::not_found, "No such source: " + command.default_source.value(), "default_source"};
  if (command.tax_rates) {
    auto rates_are_fine = check_tax_rates(*command.tax_rates, "default_tax_rates");
    if (!rates_are_fine) return rates_are_fine.error();
  }
  const Currency agreed = currency_of(account);
  if (agreed.is_none() && command.currency.is_none()) {
    if (command.may_be_empty) return Failure{Errc::missing_parameter, "Missing required param: currency.", "currency"};
    return Failure{Errc::invalid_state, "Nothing to invoice for customer", "customer"};
  }
  if (!agreed.is_none() && !command.currency.is_none() && agreed != command.currency) return mixed_currencies(agreed);

  Invoice invoice = begin_invoice(change, BillingReason::manual, agreed.is_none() ? command.currency : agreed);
  invoice.subscription = command.subscription;
  invoice.collection = command.collection;
  invoice.due_at =
      command.due_at ? command.due_at : due_time(command.collection, change.now, command.days_until_due.value_or(0));
  invoice.default_source = command.default_source;
  invoice.description = command.description;
  invoice.metadata = command.metadata;
  if (command.footer) invoice.footer = *command.footer;
  if (command.custom_fields) invoice.custom_fields = *command.custom_fields;
  invoice.statement_descriptor = command.statement_descriptor;
  invoice.auto_advance = command.auto_advance;
  if (!command.auto_advance) invoice.finalize_at.reset();
  if (command.tax_rates)
    invoice.tax_rates = *command.tax_rates;
  else if (subscription != nullptr)
    invoice.tax_rates = subscription->tax_rates;
  if (command.discount) {
    auto own = change_own_discount(change, invoice, *command.discount);
    if (!own) return own.error();
  }
  if (command.take_pending_items) {
    take_pending_items(change, invoice, Sweep::by_hand);
    // Source: Stripe refuses to make an invoice of nothing.
    if (invoice.lines.empty() && !command.may_be_empty)
      return Failure{Errc::invalid_state, "Nothing to invoice for customer", "customer"};
    auto total = total_up(change, invoice);
    if (!total) return total.error();
  }
  agree_on_currency(change, invoice.total.currency);
  change.emit({EventType::invoice_created}, invoice);
  change.set_subject(invoice.id.value());
  account.invoices.push_back(std::move(invoice));
  return {};
}

Result<void> update_invoice(Change& change, const UpdateInvoice& command) {
  const Invoice* found = look_up(change, command);
  if (found == nullptr) return no_such_invoice(command.invoice);
  auto exists = check_customer(change.customer());
  if (!exists) return exists.error();
  if (const char* parameter = fixed_by_finalizing(command);
      parameter != nullptr && found->status != InvoiceStatus::draft)
    return Failure{Errc::invalid_state, "Finalized invoices can't be updated in this way", parameter};
  if (command.tax_rates) {
    auto rates_are_fine = check_tax_rates(*command.tax_rates, "default_tax_rates");
    if (!rates_are_fine) return rates_are_fine.error();
  }
  if (command.due_at && found->collection != Collection::send_invoice)
    return Failure{Errc::invalid_parameter, "Only an invoice that is sent has a due date.", "due_date"};
  if (command.due_at && (*command.due_at < change.now || *command.due_at > end_of_time))
    return Failure{Errc::invalid_parameter, "Invalid timestamp: must be in the future.", "due_date"};
  if (command.default_source && !command.default_source->is_empty() &&
      change.account().find(*command.default_source) == nullptr)
    return Failure{Errc::not_found, "No such source: " + command.default_source->value(), "default_source"};

  Invoice& invoice = bring_in(change, command);
  change.set_subject(invoice.id.value());
  Invoice before = invoice;
  if (command.description) invoice.description = *command.description;
  auto patched = patch(invoice.metadata, command.metadata);
  if (!patched) return patched.error();
  if (command.due_at) invoice.due_at = whole_second(*command.due_at);
  if (command.default_source) invoice.default_source = *command.default_source;
  if (command.footer) invoice.footer = *command.footer;
  if (command.custom_fields) invoice.custom_fields = *command.custom_fields;
  if (command.statement_descriptor) invoice.statement_descriptor = *command.statement_descriptor;
  if (command.tax_rates) invoice.tax_rates = *command.tax_rates;
  if (command.discount) {
    auto changed = change_own_discount(change, invoice, *command.discount);
    if (!changed) return changed.error();
  }
  if (command.tax_rates || command.discount) {
    auto total = total_up(change, invoice);
    if (!total) return total.error();
  }
  change.emit_update(EventType::invoice_updated, std::move(before), invoice);
  if (!command.auto_advance) return {};
  if (*command.auto_advance) return reopen_invoice(change, ReopenInvoice{command.invoice, {}});
  return close_invoice(change, CloseInvoice{command.invoice, {}});
}

Result<void> finalize_by_hand(Change& change, const FinalizeInvoice& command) {
  auto draft = look_up_draft(change, command);
  if (!draft) return draft.error();
  Invoice& invoice = bring_in(change, command);
  change.set_subject(invoice.id.value());
  if (command.auto_advance) invoice.auto_advance = *command.auto_advance;
  return finalize_invoice(change, invoice);
}

Result<void> hold_draft(Change& change, const HoldDraft& command) {
  Invoice* invoice = change.account().find(command.invoice);
  if (invoice == nullptr || invoice->status != InvoiceStatus::draft || !invoice->finalize_at) return {};
  const Timestamp latest = invoice->created + change.rules.invoice_notice_wait_max;
  // Where drafts have no time of their own, nobody is waited for.
  if (change.rules.invoice_finalize_delay <= Duration(0) || change.now >= latest) return {};
  invoice->finalize_at = std::min(latest, change.now + change.rules.invoice_finalize_delay);
  change.set_subject(invoice->id.value());
  change.touch();
  return {};
}

Result<void> send_invoice(Change& change, const SendInvoice& command) {
  const Invoice* found = look_up(change, command);
  if (found == nullptr) return no_such_invoice(command.invoice);
  auto exists = check_customer(change.customer());
  if (!exists) return exists.error();
  auto unpaid = check_unpaid(*found);
  if (!unpaid) return unpaid.error();
  if (found->collection != Collection::send_invoice)
    return Failure{Errc::invalid_state, "You can only send an invoice whose collection method is `send_invoice`.",
                   "invoice"};
  Invoice& invoice = bring_in(change, command);
  change.set_subject(invoice.id.value());
  if (invoice.status != InvoiceStatus::draft) {
    change.emit({EventType::invoice_sent}, invoice);
    return {};
  }
  // Finalizing tells of it when billd goes on with the invoice by itself.
  auto finalized = finalize_invoice(change, invoice);
  if (!finalized) return finalized.error();
  if (!invoice.auto_advance && invoice.status == InvoiceStatus::open) tell_sent(change, invoice);
  return {};
}

Result<void> void_invoice(Change& change, const VoidInvoice& command) {
  const Invoice* found = look_up(change, command);
  if (found == nullptr) return no_such_invoice(command.invoice);
  auto unpaid = check_unpaid(*found);
  if (!unpaid) return unpaid.error();
  // Source: Stripe, "once an invoice has been finalized or if an invoice is for a subscription, it must be voided".
  if (found->status == InvoiceStatus::draft && !found->is_of_cycle())
    return Failure{Errc::invalid_state, "A draft invoice is deleted, not voided.", "invoice"};
  auto rests = check_nothing_in_progress(*found);
  if (!rests) return rests.error();
  Invoice& invoice = bring_in(change, command);
  change.set_subject(invoice.id.value());
  auto voided = make_void(change, invoice);
  if (!voided) return voided.error();
  Subscription* subscription = change.account().find(invoice.subscription);
  const bool was_first_payment = subscription != nullptr && subscription->latest_invoice == invoice.id &&
                                 subscription->status == SubscriptionStatus::incomplete;
  if (was_first_payment) return expire_subscription(change, *subscription, change.now);
  // Source: Stripe, a pending update is called off by voiding its invoice.
  if (pending_update_of(change.account(), invoice) != nullptr) return drop_pending_update(change, *subscription);
  return {};
}

Result<void> mark_uncollectible(Change& change, const MarkInvoiceUncollectible& command) {
  const Invoice* found = look_up(change, command);
  if (found == nullptr) return no_such_invoice(command.invoice);
  auto unpaid = check_unpaid(*found);
  if (!unpaid) return unpaid.error();
  if (found->status != InvoiceStatus::open)
    return Failure{Errc::invalid_state, "You can only mark open invoices as uncollectible.", "invoice"};
  auto rests = check_nothing_in_progress(*found);
  if (!rests) return rests.error();
  Invoice& invoice = bring_in(change, command);
  change.set_subject(invoice.id.value());
  make_uncollectible(change, invoice);
  set_delinquent(change, false);
  // Source: Stripe, "Forgiving an invoice instructs us to update the subscription status as if the invoice were
  // successfully paid"; uncollectible is its later name.
  invoice_was_paid(change, invoice);
  return {};
}

Result<void> delete_invoice(Change& change, const DeleteInvoice& command) {
  auto draft = look_up_draft(change, command);
  if (!draft) return draft.error();
  if ((*draft)->is_of_cycle())
    return Failure{Errc::invalid_state, "You can't delete invoices created by subscriptions.", "invoice"};
  const InvoiceId id = command.invoice;
  const Invoice& invoice = bring_in(change, command);
  change.set_subject(id.value());
  give_items_back(change, invoice);
  give_discount_back(change, invoice);
  change.emit({EventType::invoice_deleted}, invoice);
  change.drop(id);
  return {};
}

Result<void> pay_invoice(Change& change, const PayInvoice& command) {
  const Account& account = change.account();
  const Invoice* found = look_up_payment(change, command);
  if (found == nullptr) return no_such_invoice(command.invoice);
  auto exists = check_customer(account.customer);
  if (!exists) return exists.error();
  auto unpaid = check_unpaid(*found);
  if (!unpaid) return unpaid.error();
  auto rests = check_nothing_in_progress(*found);
  if (!rests) return rests.error();
  const SourceId source_id = [&] {
    if (!command.source.is_empty()) return command.source;
    const Source* source = paying_source(account, *found);
    return source != nullptr ? source->id : SourceId();
  }();
  if (!command.source.is_empty() && account.find(command.source) == nullptr)
    return Failure{Errc::not_found, "No such source: " + command.source.value(), "source"};
  bool nothing_due = found->amount_due().minor == 0;
  if (found->status == InvoiceStatus::draft) {
    auto use = use_balance(found->total, account.customer.balance);
    if (!use) return use.error();
    nothing_due = use->due == 0;
  }
  if (source_id.is_empty() && !nothing_due && !command.paid_out_of_band)
    return Failure{Errc::no_payment_source, "This customer has no attached payment source"};
  if (!nothing_due && !command.paid_out_of_band) {
    auto chargeable = check_chargeable(*account.find(source_id));
    if (!chargeable) return chargeable.error();
  }

  Invoice& invoice = bring_in(change, command);
  change.set_subject(invoice.id.value());
  if (invoice.status == InvoiceStatus::draft) {
    auto finalized = finalize_invoice(change, invoice);
    if (!finalized) return finalized.error();
  }
  if (invoice.status == InvoiceStatus::paid) return {};
  if (command.paid_out_of_band) {
    invoice.paid_out_of_band = true;
    set_delinquent(change, false);
    mark_paid(change, invoice);
    return {};
  }
  begin_charge(change, invoice, *account.find(source_id), false);
  return {};
}

Result<void> close_invoice(Change& change, const CloseInvoice& command) {
  const Invoice* found = look_up(change, command);
  if (found == nullptr) return no_such_invoice(command.invoice);
  change.set_subject(found->id.value());
  // A paid invoice is closed already.
  if (!found->is_settled() && found->auto_advance) stop_collecting(change, bring_in(change, command));
  return {};
}

Result<void> reopen_invoice(Change& change, const ReopenInvoice& command) {
  const Invoice* found = look_up(change, command);
  if (found == nullptr) return no_such_invoice(command.invoice);
  auto exists = check_customer(change.customer());
  if (!exists) return exists.error();
  auto unpaid = check_unpaid(*found);
  if (!unpaid) return unpaid.error();
  if (found->status == InvoiceStatus::uncollectible) return Failure{Errc::invalid_state, "Invoice is uncollectible"};
  change.set_subject(found->id.value());
  if (found->auto_advance) return {};

  Invoice& invoice = bring_in(change, command);
  Invoice before = invoice;
  invoice.auto_advance = true;
  if (invoice.status == InvoiceStatus::draft)
    invoice.finalize_at = change.now + change.rules.invoice_finalize_delay;
  else if (invoice.collection == Collection::send_invoice)
    invoice.overdue_at = invoice.due_at;
  else if (invoice.unresolved_charge() == nullptr)
    invoice.next_attempt_at = change.now;
  change.emit_update(EventType::invoice_updated, std::move(before), invoice);
  return {};
}

void stop_collecting(Change& change, Invoice& invoice) {
  Invoice before = invoice;
  invoice.auto_advance = false;
  invoice.next_attempt_at.reset();
  invoice.overdue_at.reset();
  invoice.finalize_at.reset();
  change.emit_update(EventType::invoice_updated, std::move(before), invoice);
}

void close_unpaid_invoices(Change& change) {
  for (Invoice& invoice : change.account().invoices)
    if (!invoice.is_settled() && invoice.auto_advance) stop_collecting(change, invoice);
}

}  // namespace billd
