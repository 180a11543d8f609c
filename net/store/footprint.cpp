// Which index entries an account and its records have.
#include "net/store/footprint.hpp"

#include <algorithm>

#include "net/store/encoding.hpp"

namespace billd::store {
namespace {

std::int64_t score(Timestamp time) { return time.time_since_epoch().count(); }

void add_entries(IndexEntries& entries, const AccountKey& key, const Subscription& subscription) {
  if (subscription.provisional) return;
  entries.push_back({Index::subscriptions, score(subscription.created), encode_reference(key, subscription.id), {}});
}

void add_entries(IndexEntries& entries, const AccountKey& key, const Invoice& invoice) {
  if (!invoice.provisional)
    entries.push_back({Index::invoices, score(invoice.created), encode_reference(key, invoice.id), {}});
  for (const InvoiceLine& line : invoice.lines)
    if (!line.is_recurring() && !invoice.provisional)
      entries.push_back({Index::invoice_items, score(line.created), encode_reference(key, line.invoice_item), {}});
  for (const Charge& charge : invoice.charges)
    if (!charge.is_unresolved() || charge.state == ChargeState::pending)
      entries.push_back({Index::charges, score(charge.created), encode_reference(key, charge.id), {}});
}

}  // namespace

std::string reference_name(std::string_view gateway, std::string_view reference) {
  return std::string(gateway).append(1, '\n').append(reference);
}

std::string_view to_text(Index index) {
  switch (index) {
    case Index::customers:
      return "customers";
    case Index::emails:
      return "emails";
    case Index::subscriptions:
      return "subscriptions";
    case Index::invoices:
      return "invoices";
    case Index::charges:
      return "charges";
    case Index::test_clock_customers:
      return "test_clock_customers";
    case Index::invoice_items:
      return "invoice_items";
    case Index::references:
      return "references";
  }
  return "";
}

IndexEntries index_entries(const Account& account) {
  IndexEntries entries;
  const Customer& customer = account.customer;
  if (!customer.id.is_empty() && !customer.deleted) {
    entries.push_back({Index::customers, score(customer.created), encode_reference(account.key, customer.id), {}});
    if (!customer.email.empty()) {
      // Read by its members' order: the email, a zero that no email holds, the account.
      std::string member = customer.email;
      member.append(1, '\0').append(account.key.value());
      entries.push_back({Index::emails, 0, std::move(member), {}});
    }
    if (!customer.test_clock.is_empty())
      entries.push_back({Index::test_clock_customers, 0, account.key.value(), customer.test_clock.value()});
  }
  for (const Source& source : account.sources) {
    if (source.gateway == "test" || source.reference.empty()) continue;
    // Read by its members' order, like the emails.
    std::string member = reference_name(source.gateway, source.reference);
    member.append(1, '\0').append(account.key.value());
    entries.push_back({Index::references, 0, std::move(member), {}});
  }
  for (const Subscription& subscription : account.subscriptions) add_entries(entries, account.key, subscription);
  for (const Invoice& invoice : account.invoices) add_entries(entries, account.key, invoice);
  for (const InvoiceItem& item : account.invoice_items)
    entries.push_back({Index::invoice_items, score(item.created), encode_reference(account.key, item.id), {}});
  std::ranges::sort(entries);
  // Two sources of one reference have one entry.
  const auto repeated = std::ranges::unique(entries);
  entries.erase(repeated.begin(), repeated.end());
  return entries;
}

IndexEntries index_entries(const AccountKey& key, const Record& record) {
  IndexEntries entries;
  std::visit([&](const auto& each) { add_entries(entries, key, each); }, record);
  std::ranges::sort(entries);
  return entries;
}

Footprint Footprint::of(const Account& account) {
  return {billd::timers(account), account.customer.test_clock, index_entries(account)};
}

}  // namespace billd::store
