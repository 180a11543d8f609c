// Which index entries an account and its records have.
#include "net/store/footprint.hpp"

#include <algorithm>

#include "net/store/encoding.hpp"
#include "net/store/lower_case.hpp"

namespace billd::store {
namespace {

std::int64_t score(Timestamp time) { return time.time_since_epoch().count(); }

void add_entries(IndexEntries& entries, const AccountKey& key, const Subscription& subscription) {
  if (subscription.provisional) return;
  entries.push_back({Index::subscriptions, score(subscription.created), encode_reference(key, subscription.id), {}});
}

void add_entries(IndexEntries& entries, const AccountKey& key, const Schedule& schedule) {
  entries.push_back({Index::schedules, score(schedule.created), encode_reference(key, schedule.id), {}});
}

/// They are listed for their customer alone, by their fields.
void add_entries(IndexEntries&, const AccountKey&, const BalanceTransaction&) {}

void add_entries(IndexEntries& entries, const AccountKey& key, const Invoice& invoice) {
  // What a dropped change's invoice took along is pending again, or on another invoice.
  const bool is_dropped = invoice.is_tentative && invoice.status == InvoiceStatus::void_;
  if (!invoice.provisional)
    entries.push_back({Index::invoices, score(invoice.created), encode_reference(key, invoice.id), {}});
  for (const InvoiceLine& line : invoice.lines)
    if (!line.is_recurring() && !invoice.provisional && !is_dropped)
      entries.push_back({Index::invoice_items, score(line.created), encode_reference(key, line.invoice_item), {}});
  for (const CreditNote& note : invoice.credit_notes)
    entries.push_back({Index::credit_notes, score(note.created), encode_reference(key, note.id), {}});
  for (const Charge& charge : invoice.charges)
    for (const Refund& refund : charge.refunds)
      entries.push_back({Index::refunds, score(refund.created), encode_reference(key, refund.id), {}});
  for (const Charge& charge : invoice.charges)
    // Of a charge that somebody asked for by itself its client must find out that it is under way.
    if (!charge.is_unresolved() || charge.state == ChargeState::pending || charge.is_direct)
      entries.push_back({Index::charges, score(charge.created), encode_reference(key, charge.id), {}});
}

/// Longer values are nothing that people search by.
constexpr std::size_t search_value_bytes_max = 512;

bool ignores_case(Index index) {
  switch (index) {
    case Index::emails:
    case Index::first_names:
    case Index::last_names:
    case Index::organizations:
    case Index::streets:
    case Index::cities:
      return true;
    default:
      return false;
  }
}

void add_search_entries(IndexEntries& entries, const AccountKey& key, const Customer& customer) {
  const auto number = static_cast<std::int64_t>(customer.number);
  auto add = [&](Index index, std::string_view value) {
    if (std::string found_by = search_value(index, value); !found_by.empty())
      entries.push_back({index, number, key.value(), std::move(found_by)});
  };
  if (customer.number != 0) entries.push_back({Index::numbers, number, key.value(), {}});
  if (customer.account_id != 0) add(Index::account_ids, std::to_string(customer.account_id));
  const SplitName name = split_name(customer);
  add(Index::first_names, name.first);
  add(Index::last_names, name.last);
  add(Index::organizations, customer.organization);
  add(Index::emails, customer.email);
  add(Index::phones, customer.phone);
  const Address& address = customer.address;
  add(Index::streets, address.line1);
  if (search_value(Index::streets, address.line2) != search_value(Index::streets, address.line1))
    add(Index::streets, address.line2);
  add(Index::cities, address.city);
  add(Index::states, address.state);
  add(Index::postal_codes, address.postal_code);
  add(Index::countries, address.country);
}

}  // namespace

std::string reference_name(std::string_view gateway, std::string_view reference) {
  return std::string(gateway).append(1, '\n').append(reference);
}

std::string search_value(Index index, std::string_view value) {
  if (value.size() > search_value_bytes_max) return {};
  return ignores_case(index) ? lower_case(value) : std::string(value);
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
    case Index::numbers:
      return "numbers";
    case Index::account_ids:
      return "account_ids";
    case Index::first_names:
      return "first_names";
    case Index::last_names:
      return "last_names";
    case Index::organizations:
      return "organizations";
    case Index::phones:
      return "phones";
    case Index::streets:
      return "streets";
    case Index::cities:
      return "cities";
    case Index::states:
      return "states";
    case Index::postal_codes:
      return "postal_codes";
    case Index::countries:
      return "countries";
    case Index::credit_notes:
      return "credit_notes";
    case Index::schedules:
      return "schedules";
    case Index::refunds:
      return "refunds";
  }
  return "";
}

IndexEntries index_entries(const Account& account) {
  IndexEntries entries;
  entries.reserve(16);  // Of a customer who is found by a few values, with a subscription and an open invoice.
  const Customer& customer = account.customer;
  if (!customer.id.is_empty() && !customer.deleted) {
    entries.push_back({Index::customers, score(customer.created), encode_reference(account.key, customer.id), {}});
    add_search_entries(entries, account.key, customer);
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
  for (const Schedule& schedule : account.schedules) add_entries(entries, account.key, schedule);
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
