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

const Source* Account::find(const SourceId& id) const { return find_in(sources, id); }
Subscription* Account::find(const SubscriptionId& id) { return find_in(subscriptions, id); }
const Subscription* Account::find(const SubscriptionId& id) const { return find_in(subscriptions, id); }
Invoice* Account::find(const InvoiceId& id) { return find_in(invoices, id); }
const Invoice* Account::find(const InvoiceId& id) const { return find_in(invoices, id); }
const InvoiceItem* Account::find(const InvoiceItemId& id) const { return find_in(invoice_items, id); }

}  // namespace billd
