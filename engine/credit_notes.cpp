// Credit notes: documents that take back part of an invoice, before its payment or after it.
#include <algorithm>
#include <array>

#include "engine/amounts.hpp"
#include "engine/lookup.hpp"

namespace billd {
namespace {

/// So many corrections of one invoice are in nobody's interest; what an invoice holds stays bounded.
constexpr std::size_t notes_max = 50;

/// Source: Stripe's reasons of credit notes.
constexpr std::array<std::string_view, 4> credit_note_reasons = {"duplicate", "fraudulent", "order_change",
                                                                 "product_unsatisfactory"};

Failure no_such_note(const CreditNoteId& id) {
  return {Errc::not_found, "No such credit note: " + id.value(), "credit_note"};
}

CreditNote* find_note(Invoice& invoice, const CreditNoteId& id) {
  const auto note = std::ranges::find(invoice.credit_notes, id, &CreditNote::id);
  return note == invoice.credit_notes.end() ? nullptr : &*note;
}

/// What the credit notes that are not void have taken back of an invoice's line: the sum of `part`
/// (std::int64_t(const CreditNoteLine&)).
template <class Part>
std::int64_t taken_back(const Invoice& invoice, const InvoiceLineId& line, Part part) {
  std::int64_t minor = 0;
  for (const CreditNote& note : invoice.credit_notes) {
    if (note.voided_at) continue;
    for (const CreditNoteLine& each : note.lines)
      if (each.invoice_line == line) minor += part(each);
  }
  return minor;
}

/// "Running share": what all credit notes together take back of `whole` is its share by their amounts, a half rounded
/// away from zero; this one takes what the earlier ones have left of it. So whoever takes back all of a line, in
/// however many steps, takes back all of its discount and taxes. Source: Stripe, a credit note's taxes and discounts
/// are proportional to the amount of the line; which way they are rounded it does not say.
std::int64_t running_share(std::int64_t whole, std::int64_t amount_after, std::int64_t line_amount,
                           std::int64_t taken_before) {
  const auto share = static_cast<std::int64_t>(rounded(__int128{whole} * amount_after, line_amount));
  return std::max<std::int64_t>(share - taken_before, 0);
}

/// The part of the line's discount and taxes that goes with the amount.
void take_parts(const Invoice& invoice, const InvoiceLine& line, CreditNoteLine& made) {
  const std::int64_t after =
      taken_back(invoice, line.id, [](const CreditNoteLine& each) { return each.amount.minor; }) + made.amount.minor;
  made.discount = running_share(line.discount, after, line.amount.minor,
                                taken_back(invoice, line.id, [](const CreditNoteLine& each) { return each.discount; }));
  for (const TaxAmount& tax : line.taxes) {
    const auto before = [&](auto member) {
      return taken_back(invoice, line.id, [&](const CreditNoteLine& each) {
        const auto found = std::ranges::find(each.taxes, tax.rate, &TaxAmount::rate);
        return found != each.taxes.end() ? (*found).*member : 0;
      });
    };
    TaxAmount& part = made.taxes.emplace_back();
    part.rate = tax.rate;
    part.amount = running_share(tax.amount, after, line.amount.minor, before(&TaxAmount::amount));
    part.taxable = running_share(tax.taxable, after, line.amount.minor, before(&TaxAmount::taxable));
  }
}

/// A line that takes back part of one of the invoice's.
Result<CreditNoteLine> line_of_invoice(const Invoice& invoice, const NewCreditNoteLine& wanted) {
  const auto line = std::ranges::find(invoice.lines, wanted.invoice_line, &InvoiceLine::id);
  if (line == invoice.lines.end())
    return Failure{Errc::not_found, "No such invoice line item: " + wanted.invoice_line.value(), "lines"};
  if (wanted.amount.has_value() == wanted.quantity.has_value())
    return wrong("A line of a credit note has either an `amount` or a `quantity`.", "lines");
  CreditNoteLine made;
  made.invoice_line = wanted.invoice_line;
  made.description = wanted.description.empty() ? line->description : wanted.description;
  made.amount = Money{wanted.amount.value_or(0), line->amount.currency};
  if (wanted.quantity) {
    if (*wanted.quantity < 1 || *wanted.quantity > line->quantity)
      return wrong("The quantity must be at least 1 and at most that of the invoice's line.", "lines");
    made.quantity = *wanted.quantity;
    auto part = scale(line->amount, *wanted.quantity, line->quantity, Rounding::half_up);
    if (!part) return part.error();
    made.amount = *part;
  }
  if (made.amount.minor <= 0) return wrong("The amount of a line must be more than zero.", "lines");
  const auto gross = [](const CreditNoteLine& each) { return each.amount.minor; };
  if (made.amount.minor > line->amount.minor - taken_back(invoice, line->id, gross))
    return wrong("The amount is more than what is left of the invoice's line.", "lines");
  take_parts(invoice, *line, made);
  return made;
}

Result<CreditNoteLine> custom_line(const Invoice& invoice, const NewCreditNoteLine& wanted) {
  if (wanted.description.empty()) return wrong("A line of its own words needs a `description`.", "lines");
  if (wanted.unit_amount <= 0 || wanted.quantity.value_or(1) < 1)
    return wrong("The amount and the quantity of a line must be more than zero.", "lines");
  auto amount = multiply(Money{wanted.unit_amount, invoice.total.currency}, wanted.quantity.value_or(1));
  if (!amount) return amount.error();
  CreditNoteLine made;
  made.amount = *amount;
  made.description = wanted.description;
  made.quantity = wanted.quantity.value_or(1);
  return made;
}

Result<std::vector<CreditNoteLine>> lines_of(const Invoice& invoice, const CreateCreditNote& command) {
  if (command.amount.has_value() != command.lines.empty())
    return wrong("A credit note is made of either an `amount` or `lines`.", command.amount ? "amount" : "lines");
  std::vector<CreditNoteLine> lines;
  if (command.amount) {
    if (*command.amount <= 0) return wrong("Invalid positive integer", "amount");
    CreditNoteLine& whole = lines.emplace_back();
    whole.amount = Money{*command.amount, invoice.total.currency};
    whole.description = command.memo;
    return lines;
  }
  if (command.lines.size() > invoice_lines_max) return wrong("A credit note can have at most 250 lines.", "lines");
  for (const NewCreditNoteLine& wanted : command.lines) {
    auto line = wanted.invoice_line.is_empty() ? custom_line(invoice, wanted) : line_of_invoice(invoice, wanted);
    if (!line) return line.error();
    const bool is_again = !line->invoice_line.is_empty() &&
                          std::ranges::find(lines, line->invoice_line, &CreditNoteLine::invoice_line) != lines.end();
    if (is_again) return wrong("Each line of the invoice can be named once.", "lines");
    lines.push_back(std::move(*line));
  }
  return lines;
}

Result<Money> sum_of(const std::vector<CreditNoteLine>& lines) {
  Money sum{0, lines.front().amount.currency};
  for (const CreditNoteLine& line : lines) {
    auto more = add(sum, Money{line.net(), line.amount.currency});
    if (!more) return more.error();
    sum = *more;
  }
  if (sum.minor <= 0)
    return wrong("Nothing was to be paid for these lines, so that nothing can be taken back.", "lines");
  return sum;
}

/// What the charge that paid the invoice can still give back; nullptr: money has come from none.
const Charge* paid_by(const Invoice& invoice) {
  const auto charge = std::ranges::find(invoice.charges, ChargeState::succeeded, &Charge::state);
  return charge == invoice.charges.end() ? nullptr : &*charge;
}

/// Before payment: less is due, and what remains can be charged.
Result<void> check_before_payment(const Invoice& invoice, const CreateCreditNote& command, Money amount) {
  if (command.refund_amount != 0 || command.credit_amount != 0 || command.out_of_band_amount != 0)
    return wrong("Only a credit note for a paid invoice has refund_amount, credit_amount, or out_of_band_amount.",
                 command.refund_amount != 0   ? "refund_amount"
                 : command.credit_amount != 0 ? "credit_amount"
                                              : "out_of_band_amount");
  const std::int64_t left = invoice.amount_due().minor - amount.minor;
  if (left < 0)
    return wrong("The amount (" + std::to_string(amount.minor) + ") is more than what is due (" +
                     std::to_string(invoice.amount_due().minor) + ").",
                 "amount");
  // What is due may hold what the customer owed before, which no credit note for this invoice takes back.
  const std::int64_t of_invoice = std::max<std::int64_t>(invoice.total.minor, 0) - invoice.credited(false);
  if (amount.minor > of_invoice)
    return wrong("The amount (" + std::to_string(amount.minor) + ") is more than what is left of the invoice (" +
                     std::to_string(of_invoice) + ").",
                 "amount");
  const Money least = minimum_charge(amount.currency);
  if (left > 0 && left < least.minor)
    return wrong("What is left to be paid (" + std::to_string(left) + ") would be less than can be charged (" +
                     std::to_string(least.minor) + ").",
                 "amount");
  return {};
}

/// After payment: the amount is what is refunded, credited and given back otherwise, and no more than was paid.
Result<void> check_after_payment(const Invoice& invoice, const CreateCreditNote& command, Money amount) {
  for (const auto& [part, parameter] :
       {std::pair(command.refund_amount, "refund_amount"), std::pair(command.credit_amount, "credit_amount"),
        std::pair(command.out_of_band_amount, "out_of_band_amount")})
    if (part < 0) return wrong("This value must be greater than or equal to 0.", parameter);
  const __int128 parts =
      static_cast<__int128>(command.refund_amount) + command.credit_amount + command.out_of_band_amount;
  if (parts != amount.minor)
    return wrong("The sum of credit amount, refund amount and out of band amount must equal the credit note amount (" +
                     std::to_string(amount.minor) + ").",
                 "amount");
  const std::int64_t left =
      std::max<std::int64_t>(invoice.total.minor, 0) - invoice.credited(false) - invoice.credited(true);
  if (amount.minor > left)
    return wrong("The amount (" + std::to_string(amount.minor) + ") is more than what is left of the invoice (" +
                     std::to_string(left) + ").",
                 "amount");
  const Charge* charge = paid_by(invoice);
  const std::int64_t refundable = charge == nullptr ? 0 : charge->amount.minor - charge->amount_refunded().minor;
  if (command.refund_amount > refundable)
    return wrong("The refund amount (" + std::to_string(command.refund_amount) +
                     ") is more than can be refunded of the invoice's charge (" + std::to_string(refundable) + ").",
                 "refund_amount");
  return {};
}

Result<void> check_terms(const Invoice& invoice, const CreateCreditNote& command) {
  if (invoice.status != InvoiceStatus::open && invoice.status != InvoiceStatus::paid)
    return Failure{Errc::invalid_state, "A credit note can only be issued for an invoice that is open or paid.",
                   "invoice"};
  if (invoice.unresolved_charge() != nullptr)
    return Failure{Errc::invalid_state, "A payment of this invoice is already in progress; its outcome is awaited.",
                   "invoice"};
  if (!command.reason.empty() && std::ranges::find(credit_note_reasons, command.reason) == credit_note_reasons.end())
    return wrong("Invalid reason: must be one of duplicate, fraudulent, order_change, or product_unsatisfactory",
                 "reason");
  if (invoice.credit_notes.size() >= notes_max)
    return Failure{Errc::limit_exceeded, "An invoice can have at most 50 credit notes.", "invoice"};
  return {};
}

std::string note_number(const Invoice& invoice) {
  std::string digits = std::to_string(invoice.credit_notes.size() + 1);
  if (digits.size() < 2) digits.insert(0, 1, '0');
  return invoice.number + "-CN-" + digits;
}

/// Where the money of a credit note after payment goes.
void give_back(Change& change, Invoice& invoice, CreditNote& note) {
  if (note.credited > 0)
    note.balance_transaction = set_balance(change, change.customer().balance - note.credited,
                                           {BalanceReason::credit_note, invoice.id, note.id, {}, {}});
  if (note.refunded == 0) return;
  Charge& charge = *std::ranges::find(invoice.charges, ChargeState::succeeded, &Charge::state);
  Refund& refund = begin_refund(change, invoice, charge, {note.refunded, note.amount.currency});
  refund.credit_note = note.id;
  note.refund = refund.id;
  change.emit({EventType::refund_created}, RefundSnapshot{refund, charge.id, invoice.id});
}

}  // namespace

Result<void> create_credit_note(Change& change, const CreateCreditNote& command) {
  const Invoice* found = look_up(change, command);
  if (found == nullptr) return no_such_invoice(command.invoice);
  if (change.customer().deleted) return no_such_customer(change.customer());
  auto allowed = check_terms(*found, command);
  if (!allowed) return allowed.error();
  auto lines = lines_of(*found, command);
  if (!lines) return lines.error();
  auto amount = sum_of(*lines);
  if (!amount) return amount.error();
  const bool is_paid = found->status == InvoiceStatus::paid;
  auto fits = is_paid ? check_after_payment(*found, command, *amount) : check_before_payment(*found, command, *amount);
  if (!fits) return fits.error();
  if (command.credit_amount > change.customer().balance + balance_limit) return balance_too_large();

  Invoice& invoice = bring_in(change, command);
  Invoice before = invoice;
  CreditNote note;
  note.id = change.draw_id<CreditNoteKind>();
  note.number = note_number(invoice);
  note.created = change.now;
  note.amount = *amount;
  note.lines = std::move(*lines);
  for (CreditNoteLine& line : note.lines) line.id = change.draw_id<CreditNoteLineKind>();
  note.reason = command.reason;
  note.memo = command.memo;
  note.metadata = command.metadata;
  note.after_payment = is_paid;
  note.refunded = command.refund_amount;
  note.credited = command.credit_amount;
  note.out_of_band = command.out_of_band_amount;
  if (is_paid) give_back(change, invoice, note);
  change.set_subject(note.id.value());
  invoice.credit_notes.push_back(note);
  change.emit({EventType::credit_note_created}, CreditNoteSnapshot{std::move(note), invoice.id});
  change.emit_update(EventType::invoice_updated, std::move(before), invoice);
  // Source: Stripe, an invoice of which nothing is left to be paid is paid.
  if (!is_paid && invoice.amount_due().minor == 0) {
    set_delinquent(change, false);
    mark_paid(change, invoice);
  }
  return {};
}

Result<void> update_credit_note(Change& change, const UpdateCreditNote& command) {
  const Invoice* found = look_up(change, command);
  if (found == nullptr ||
      std::ranges::find(found->credit_notes, command.credit_note, &CreditNote::id) == found->credit_notes.end())
    return no_such_note(command.credit_note);
  Invoice& invoice = bring_in(change, command);
  CreditNote& note = *find_note(invoice, command.credit_note);
  CreditNoteSnapshot before{note, invoice.id};
  if (command.memo) note.memo = *command.memo;
  if (command.metadata) note.metadata = *command.metadata;
  change.emit_update(EventType::credit_note_updated, std::move(before), CreditNoteSnapshot{note, invoice.id});
  change.set_subject(note.id.value());
  return {};
}

Result<void> void_credit_note(Change& change, const VoidCreditNote& command) {
  const Invoice* found = look_up(change, command);
  const auto note_found = found == nullptr
                              ? std::vector<CreditNote>::const_iterator()
                              : std::ranges::find(found->credit_notes, command.credit_note, &CreditNote::id);
  if (found == nullptr || note_found == found->credit_notes.end()) return no_such_note(command.credit_note);
  if (note_found->voided_at) return Failure{Errc::invalid_state, "The credit note is void already.", "credit_note"};
  // Source: Stripe, a credit note can be voided as long as its invoice is open: afterwards money has moved.
  if (found->status != InvoiceStatus::open)
    return Failure{Errc::invalid_state, "A credit note can only be voided while its invoice is open.", "credit_note"};
  if (found->unresolved_charge() != nullptr)
    return Failure{Errc::invalid_state, "A payment of this invoice is already in progress; its outcome is awaited.",
                   "credit_note"};
  Invoice& invoice = bring_in(change, command);
  Invoice before = invoice;
  CreditNote& note = *find_note(invoice, command.credit_note);
  note.voided_at = change.now;
  change.emit({EventType::credit_note_voided}, CreditNoteSnapshot{note, invoice.id});
  change.emit_update(EventType::invoice_updated, std::move(before), invoice);
  change.set_subject(note.id.value());
  return {};
}

}  // namespace billd
