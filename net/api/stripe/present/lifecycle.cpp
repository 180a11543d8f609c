// Credit notes, changes of a customer's balance, and subscription schedules as Stripe shows them.
#include <algorithm>

#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {
namespace {

std::string_view name(BalanceReason reason) {
  switch (reason) {
    case BalanceReason::adjustment:
      return "adjustment";
    case BalanceReason::applied_to_invoice:
      return "applied_to_invoice";
    case BalanceReason::invoice_too_small:
      return "invoice_too_small";
    case BalanceReason::unapplied_from_invoice:
      return "unapplied_from_invoice";
    case BalanceReason::credit_note:
      return "credit_note";
  }
  return "";
}

Value anchor_or_null(PhaseAnchor anchor) {
  switch (anchor) {
    case PhaseAnchor::of_schedule:
      return {};
    case PhaseAnchor::phase_start:
      return "phase_start";
    case PhaseAnchor::automatic:
      return "automatic";
  }
  return {};
}

std::string_view name(ScheduleStatus status) {
  switch (status) {
    case ScheduleStatus::not_started:
      return "not_started";
    case ScheduleStatus::active:
      return "active";
    case ScheduleStatus::completed:
      return "completed";
    case ScheduleStatus::released:
      return "released";
    case ScheduleStatus::canceled:
      return "canceled";
  }
  return "";
}

std::string_view name(PhaseProration proration) {
  switch (proration) {
    case PhaseProration::create_prorations:
      return "create_prorations";
    case PhaseProration::always_invoice:
      return "always_invoice";
    case PhaseProration::none:
      return "none";
  }
  return "";
}

}  // namespace

Value Presenter::pause_collection(const Subscription& subscription) {
  if (!subscription.pause) return {};
  Object& object = document_.object(2);
  switch (subscription.pause->behavior) {
    case PauseBehavior::keep_as_draft:
      object.add("behavior", "keep_as_draft");
      break;
    case PauseBehavior::mark_uncollectible:
      object.add("behavior", "mark_uncollectible");
      break;
    case PauseBehavior::void_:
      object.add("behavior", "void");
      break;
  }
  object.add("resumes_at", time_or_null(subscription.pause->resumes_at));
  return object;
}

Object& Presenter::credit_note_line(const CreditNoteLine& line, const InvoiceId& invoice) {
  const bool is_of_line = !line.invoice_line.is_empty();
  Object& object = document_.object(16);
  object.add("id", id(line.id));
  object.add("object", "credit_note_line_item");
  object.add("amount", line.amount.minor);
  object.add("description", document_.text_or_null(line.description));
  object.add("discount_amount", line.discount);
  object.add("discount_amounts", discounts_kept(invoice, std::span(&line, 1)));
  if (is_of_line) object.add("invoice_line_item", id(line.invoice_line));
  object.add("livemode", mode_ == Mode::live);
  object.add("quantity", line.quantity > 0 ? Value(line.quantity) : Value());
  object.add("tax_amounts", tax_amounts(line.taxes));
  std::vector<AppliedTaxRate> rates;
  for (const TaxAmount& tax : line.taxes) rates.push_back(tax.rate);
  object.add("tax_rates", tax_rates(rates));
  object.add("type", is_of_line ? Value("invoice_line_item") : Value("custom_line_item"));
  const bool has_unit = line.quantity > 0 && line.amount.minor % line.quantity == 0;
  object.add("unit_amount", has_unit ? Value(line.amount.minor / line.quantity) : Value());
  object.add("unit_amount_decimal",
             has_unit ? document_.text(std::to_string(line.amount.minor / line.quantity)) : Value());
  return object;
}

Object& Presenter::credit_note(const CreditNote& note, const InvoiceId& invoice, const CustomerId& customer) {
  Object& object = document_.object(36);
  object.add("id", id(note.id));
  object.add("object", "credit_note");
  object.add("amount", note.amount.minor);
  object.add("amount_shipping", 0);
  object.add("created", to_unix(note.created));
  object.add("currency", document_.text(note.amount.currency.code()));
  object.add("customer", id(customer));
  object.add("customer_balance_transaction", id_or_null(note.balance_transaction));
  std::int64_t gross = 0, discount = 0;
  std::vector<TaxAmount> taxes;
  for (const CreditNoteLine& line : note.lines) {
    gross += line.amount.minor;
    discount += line.discount;
    add_up(taxes, line.taxes);
  }
  object.add("discount_amount", discount);
  object.add("discount_amounts", discounts_kept(invoice, note.lines));
  object.add("effective_at", to_unix(note.created));
  object.add("invoice", id(invoice));
  Array& lines = document_.array(std::min(note.lines.size(), embedded_max));
  for (const CreditNoteLine& line : note.lines)
    if (lines.values().size() < embedded_max) lines.add(credit_note_line(line, invoice));
  object.add("lines", list("/v1/credit_notes/" + note.id.value() + "/lines", lines, note.lines.size() > embedded_max,
                           note.lines.size()));
  object.add("livemode", mode_ == Mode::live);
  object.add("memo", document_.text_or_null(note.memo));
  object.add("metadata", metadata(note.metadata));
  object.add("number", document_.text(note.number));
  object.add("out_of_band_amount", note.out_of_band != 0 ? Value(note.out_of_band) : Value());
  object.add("pdf", "");
  object.add("reason", document_.text_or_null(note.reason));
  object.add("refund", id_or_null(note.refund));
  object.add("shipping_cost", nullptr);
  object.add("status", note.voided_at ? Value("void") : Value("issued"));
  std::int64_t included = 0;
  for (const TaxAmount& tax : taxes)
    if (tax.rate.inclusive) included += tax.amount;
  object.add("subtotal", gross);
  object.add("subtotal_excluding_tax", gross - included);
  object.add("tax_amounts", tax_amounts(taxes));
  object.add("total", note.amount.minor);
  object.add("total_excluding_tax", gross - discount - included);
  object.add("type", note.after_payment ? Value("post_payment") : Value("pre_payment"));
  object.add("voided_at", time_or_null(note.voided_at));
  return object;
}

Object& Presenter::balance_transaction(const BalanceTransaction& transaction, const CustomerId& customer) {
  Object& object = document_.object(14);
  object.add("id", id(transaction.id));
  object.add("object", "customer_balance_transaction");
  object.add("amount", transaction.amount.minor);
  object.add("created", to_unix(transaction.created));
  object.add("credit_note", id_or_null(transaction.credit_note));
  object.add("currency", document_.text(transaction.amount.currency.code()));
  object.add("customer", id(customer));
  object.add("description", document_.text_or_null(transaction.description));
  object.add("ending_balance", transaction.ending_balance);
  object.add("invoice", id_or_null(transaction.invoice));
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(transaction.metadata));
  object.add("type", document_.text(name(transaction.reason)));
  return object;
}

Object& Presenter::phase(const Phase& phase) {
  Object& object = document_.object(26);
  Array& one_time_items = document_.array(phase.one_time_items.size());
  for (const OneTimeItem& item : phase.one_time_items) {
    Object& shown = document_.object(3);
    shown.add("price", id(item.price.id));
    shown.add("quantity", item.quantity);
    shown.add("tax_rates", document_.array());
    one_time_items.add(shown);
  }
  object.add("add_invoice_items", one_time_items);
  object.add("application_fee_percent", nullptr);
  object.add("billing_cycle_anchor", anchor_or_null(phase.anchor));
  object.add("billing_thresholds", nullptr);
  object.add("collection_method", phase.collection ? document_.text(name(*phase.collection)) : Value());
  object.add("coupon", phase.discount ? id(phase.discount->coupon.id) : Value());
  object.add("currency", document_.text(phase.items.front().price.currency().code()));
  object.add("default_payment_method", id_or_null(phase.default_source));
  object.add("default_tax_rates", tax_rates(phase.tax_rates));
  object.add("description", document_.text_or_null(phase.description));
  object.add("end_date", to_unix(phase.end));
  object.add("invoice_settings", phase.collection ? Value(days_until_due(phase.days_until_due)) : Value());
  Array& items = document_.array(phase.items.size());
  for (const PhaseItem& item : phase.items) {
    Object& shown = document_.object(6);
    shown.add("billing_thresholds", nullptr);
    shown.add("metadata", metadata(item.metadata));
    shown.add("plan", id(item.price.id));
    shown.add("price", id(item.price.id));
    shown.add("quantity", item.quantity);
    shown.add("tax_rates", tax_rates(item.tax_rates));
    items.add(shown);
  }
  object.add("items", items);
  object.add("metadata", metadata(phase.metadata));
  object.add("on_behalf_of", nullptr);
  object.add("plans", items);
  object.add("proration_behavior", document_.text(name(phase.proration)));
  object.add("start_date", to_unix(phase.start));
  object.add("transfer_data", nullptr);
  object.add("trial_end", time_or_null(phase.trial_end));
  return object;
}

Object& Presenter::days_until_due(std::int32_t days) {
  Object& object = document_.object(1);
  object.add("days_until_due", days > 0 ? Value(static_cast<std::int64_t>(days)) : Value());
  return object;
}

Object& Presenter::schedule(const Schedule& schedule, const Owner& owner) {
  Object& object = document_.object(24);
  object.add("id", id(schedule.id));
  object.add("object", "subscription_schedule");
  object.add("canceled_at", time_or_null(schedule.canceled_at));
  object.add("completed_at", time_or_null(schedule.completed_at));
  object.add("created", to_unix(schedule.created));
  if (schedule.status == ScheduleStatus::active) {
    Object& current = document_.object(2);
    current.add("end_date", to_unix(schedule.current_phase().end));
    current.add("start_date", to_unix(schedule.current_phase().start));
    object.add("current_phase", current);
  } else {
    object.add("current_phase", nullptr);
  }
  object.add("customer", id(owner.customer));
  object.add("application", nullptr);
  Object& defaults = document_.object(10);
  defaults.add("application_fee_percent", nullptr);
  defaults.add("billing_cycle_anchor",
               anchor_or_null(schedule.anchor_at_start ? PhaseAnchor::phase_start : PhaseAnchor::automatic));
  defaults.add("billing_thresholds", nullptr);
  defaults.add("collection_method", document_.text(name(schedule.collection)));
  defaults.add("default_payment_method", id_or_null(schedule.default_source));
  defaults.add("description", document_.text_or_null(schedule.description));
  defaults.add("invoice_settings", days_until_due(schedule.days_until_due));
  defaults.add("on_behalf_of", nullptr);
  defaults.add("transfer_data", nullptr);
  object.add("default_settings", defaults);
  object.add("end_behavior", schedule.end_behavior == EndBehavior::cancel ? Value("cancel") : Value("release"));
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(schedule.metadata));
  Array& phases = document_.array(schedule.phases.size());
  for (const Phase& each : schedule.phases) phases.add(phase(each));
  object.add("phases", phases);
  object.add("released_at", time_or_null(schedule.released_at));
  const bool is_released = schedule.status == ScheduleStatus::released;
  object.add("released_subscription", is_released ? id_or_null(schedule.subscription) : Value());
  object.add("status", document_.text(name(schedule.status)));
  object.add("subscription", is_released ? Value() : id_or_null(schedule.subscription));
  object.add("test_clock", owner.account != nullptr ? id_or_null(owner.account->customer.test_clock) : Value());
  return object;
}

}  // namespace billd::api::stripe
