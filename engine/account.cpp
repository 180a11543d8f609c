// Looking things up in an account.
#include "engine/account.hpp"

#include <algorithm>

namespace billd {
namespace {

template <class Container, class Identifier>
auto* find_in(Container& container, const Identifier& id) {
  auto found = std::ranges::find_if(container, [&](const auto& each) { return each.id == id; });
  return found == container.end() ? nullptr : &*found;
}

}  // namespace

std::string invoice_prefix(const AccountKey& key) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string prefix(8, '0');
  std::uint64_t hash = fnv1a(key.value());
  for (char& digit : prefix) {
    digit = digits[hash % 16];
    hash /= 16;
  }
  return prefix;
}

std::string invoice_prefix(const Customer& customer, const AccountKey& key) {
  if (customer.former && !customer.former->invoice_prefix.empty()) return customer.former->invoice_prefix;
  return invoice_prefix(key);
}

namespace {

/// Lines are refused when their sums do not fit, so that these do.
std::int64_t sum_of(const std::vector<InvoiceLine>& lines, auto part) {
  std::int64_t sum = 0;
  for (const InvoiceLine& line : lines) sum += part(line);
  return sum;
}

template <class Line>
std::int64_t exclusive_tax(const Line& line) {
  std::int64_t sum = 0;
  for (const TaxAmount& tax : line.taxes)
    if (!tax.rate.inclusive) sum += tax.amount;
  return sum;
}

}  // namespace

std::int64_t InvoiceLine::net() const { return amount.minor - discount + exclusive_tax(*this); }
std::int64_t CreditNoteLine::net() const { return amount.minor - discount + exclusive_tax(*this); }

std::int64_t Invoice::subtotal() const {
  return sum_of(lines, [](const InvoiceLine& line) { return line.amount.minor; });
}
std::int64_t Invoice::discount_total() const {
  return sum_of(lines, [](const InvoiceLine& line) { return line.discount; });
}
std::int64_t Invoice::tax_total() const { return sum_of(lines, exclusive_tax<InvoiceLine>); }

InvoiceItem invoice_item_of(const InvoiceLine& line) {
  InvoiceItem item;
  item.id = line.invoice_item;
  item.created = line.created;
  item.amount = line.amount;
  item.quantity = line.quantity;
  item.price = line.price;
  item.period = line.period;
  item.subscription = line.subscription;
  item.item = line.item;
  item.description = line.description;
  item.discountable = line.discountable;
  item.proration = line.proration;
  item.tax_rates = line.tax_rates;
  item.metadata = line.metadata;
  item.discounts = line.discounts;
  return item;
}

SplitName split_name(const Customer& customer) {
  const std::string_view name = customer.name;
  std::size_t space = customer.first_name_size;
  const bool was_said = space > 0 && space < name.size() && name[space] == ' ';
  if (!was_said) space = name.rfind(' ');
  if (space == std::string_view::npos) return {{}, name};
  return {name.substr(0, space), name.substr(space + 1)};
}

std::string code_of(const Customer& customer) {
  return customer.code.empty() ? std::to_string(customer.number) : customer.code;
}

const Source* Account::find(const SourceId& id) const { return find_in(sources, id); }
Subscription* Account::find(const SubscriptionId& id) { return find_in(subscriptions, id); }
const Subscription* Account::find(const SubscriptionId& id) const { return find_in(subscriptions, id); }
Invoice* Account::find(const InvoiceId& id) { return find_in(invoices, id); }
const Invoice* Account::find(const InvoiceId& id) const { return find_in(invoices, id); }
Schedule* Account::find(const ScheduleId& id) { return find_in(schedules, id); }
const Schedule* Account::find(const ScheduleId& id) const { return find_in(schedules, id); }
const InvoiceItem* Account::find(const InvoiceItemId& id) const { return find_in(invoice_items, id); }

}  // namespace billd
