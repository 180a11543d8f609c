#include "commands/import_adoption.hpp"

#include <algorithm>
#include <set>

namespace billd::commands {
namespace {

class Adoption {
 public:
  explicit Adoption(const AccountKey& key) : key_(key) {}

  /// What is called as billd calls it keeps its number.
  template <class Kind>
  void see(const Id<Kind>& id) {
    if (AccountKey::of_id(id.value()) == key_)
      numbers_.insert(*object_number(key_, id_body(id.value()).substr(account_key_length)));
  }

  template <class Kind>
  Result<void> name(Id<Kind>& id, std::string_view prefix = Kind::prefix) {
    if (AccountKey::of_id(id.value()) == key_) return {};
    if (!store::is_foreign(id.value()))
      return Failure{Errc::invalid_parameter,
                     "billd cannot keep the identifier " + id.value() +
                         ": it is not a known prefix and at most 255 characters of [A-Za-z0-9_] in all",
                     "id"};
    std::string native = draw(prefix);
    if (!natives_.emplace(id.value(), native).second)
      return Failure{Errc::invalid_parameter, "The identifier " + id.value() + " is given twice", "id"};
    aliases_.push_back({native, id.value()});
    id = Id<Kind>(std::move(native));
    return {};
  }

  /// Of something that may have been named before.
  template <class Kind>
  Result<void> name_once(Id<Kind>& id) {
    if (!natives_.contains(id.value())) return name(id);
    refer(id);
    return {};
  }

  /// For what has no name of its own to keep.
  template <class Kind>
  void name_anew(Id<Kind>& id) {
    if (AccountKey::of_id(id.value()) != key_) id = Id<Kind>(draw(Kind::prefix));
  }

  template <class Kind>
  void refer(Id<Kind>& id) const {
    if (const auto at = natives_.find(id.value()); at != natives_.end()) id = Id<Kind>(at->second);
  }

  void add_alias(std::string native, const std::string& foreign) {
    if (store::is_foreign(foreign)) aliases_.push_back({std::move(native), foreign});
  }

  std::vector<store::Alias> take() { return std::move(aliases_); }

 private:
  std::string draw(std::string_view prefix) {
    while (!numbers_.insert(++latest_).second) continue;
    return std::string(prefix).append(key_.value()).append(object_suffix(key_, latest_));
  }

  const AccountKey& key_;
  std::set<std::uint64_t> numbers_;
  std::uint64_t latest_ = 0;
  std::map<std::string, std::string> natives_;  ///< by what they were called
  std::vector<store::Alias> aliases_;
};

std::string_view prefix_of(const Source& source) {
  if (source.is_payment_method()) return PaymentMethodKind::prefix;
  return source.card() != nullptr ? SourceKind::prefix : BankAccountKind::prefix;
}

/// Payment methods that billd made keep what they were called before they were the customer's.
bool is_named_already(const Source& source) {
  return source.is_payment_method() && AccountKey::of_id(source.id.value()).has_value();
}

/// In old versions a line is called as what it was made of.
bool has_own_name(const InvoiceLine& line) {
  return line.id.value().starts_with(InvoiceLineKind::prefix) || line.id.value().starts_with("sli_");
}

void see_all(Adoption& adoption, const ForeignAccount& foreign) {
  adoption.see(foreign.customer.id);
  if (foreign.customer.discount) adoption.see(foreign.customer.discount->id);
  for (const TaxIdentifier& identifier : foreign.customer.tax_identifiers) adoption.see(identifier.id);
  for (const Source& source : foreign.sources) adoption.see(source.id);
  for (const std::vector<Subscription>* subscriptions : {&foreign.subscriptions, &foreign.ended})
    for (const Subscription& subscription : *subscriptions) {
      adoption.see(subscription.id);
      if (subscription.discount) adoption.see(subscription.discount->id);
      for (const SubscriptionItem& item : subscription.items) adoption.see(item.id);
      if (subscription.pending_update)
        for (const SubscriptionItem& item : subscription.pending_update->items) adoption.see(item.id);
    }
  for (const InvoiceItem& item : foreign.invoice_items) adoption.see(item.id);
  for (const Schedule& schedule : foreign.schedules) adoption.see(schedule.id);
  for (const Invoice& invoice : foreign.invoices) {
    adoption.see(invoice.id);
    for (const InvoiceLine& line : invoice.lines) {
      adoption.see(line.id);
      if (!line.is_recurring()) adoption.see(line.invoice_item);
    }
  }
}

Result<void> name_lines(Adoption& adoption, Invoice& invoice) {
  for (InvoiceLine& line : invoice.lines) {
    Result<void> named;
    if (has_own_name(line))
      named = adoption.name(line.id);
    else
      adoption.name_anew(line.id);
    if (named && !line.is_recurring()) named = adoption.name(line.invoice_item);
    if (!named) return named;
  }
  return {};
}

/// Very old discounts have no name.
Result<void> name_discount(Adoption& adoption, std::optional<Discount>& discount) {
  if (!discount || !store::is_foreign(discount->id.value())) return {};
  return adoption.name(discount->id);
}

Result<void> name_all(Adoption& adoption, ForeignAccount& foreign) {
  auto named = adoption.name(foreign.customer.id);
  if (named) named = name_discount(adoption, foreign.customer.discount);
  for (TaxIdentifier& identifier : foreign.customer.tax_identifiers)
    if (named) named = adoption.name(identifier.id);
  for (Source& source : foreign.sources)
    if (named && !is_named_already(source)) named = adoption.name(source.id, prefix_of(source));
  for (std::vector<Subscription>* subscriptions : {&foreign.subscriptions, &foreign.ended})
    for (Subscription& subscription : *subscriptions) {
      if (named) named = adoption.name(subscription.id);
      if (named) named = name_discount(adoption, subscription.discount);
      for (SubscriptionItem& item : subscription.items)
        if (named) named = adoption.name(item.id);
      if (subscription.pending_update)
        for (SubscriptionItem& item : subscription.pending_update->items)
          if (named) named = adoption.name_once(item.id);
    }
  for (InvoiceItem& item : foreign.invoice_items)
    if (named) named = adoption.name(item.id);
  for (Schedule& schedule : foreign.schedules)
    if (named) named = adoption.name(schedule.id);
  for (Invoice& invoice : foreign.invoices) {
    if (named) named = adoption.name(invoice.id);
    if (named) named = name_lines(adoption, invoice);
  }
  return named;
}

void refer_all(const Adoption& adoption, ForeignAccount& foreign) {
  adoption.refer(foreign.customer.default_source);
  adoption.refer(foreign.customer.default_payment_method);
  for (std::vector<Subscription>* subscriptions : {&foreign.subscriptions, &foreign.ended})
    for (Subscription& subscription : *subscriptions) {
      adoption.refer(subscription.default_source);
      adoption.refer(subscription.latest_invoice);
      adoption.refer(subscription.schedule);
      if (!subscription.pending_update) continue;
      adoption.refer(subscription.pending_update->invoice);
      adoption.refer(subscription.pending_update->previous_invoice);
    }
  for (Schedule& schedule : foreign.schedules) {
    adoption.refer(schedule.subscription);
    adoption.refer(schedule.default_source);
    for (Phase& phase : schedule.phases) adoption.refer(phase.default_source);
  }
  for (InvoiceItem& item : foreign.invoice_items) {
    adoption.refer(item.subscription);
    adoption.refer(item.item);
  }
  for (Invoice& invoice : foreign.invoices) {
    if (invoice.discount) {
      adoption.refer(invoice.discount->id);
      adoption.refer(invoice.discount->subscription);
    }
    adoption.refer(invoice.subscription);
    adoption.refer(invoice.default_source);
    for (InvoiceLine& line : invoice.lines) {
      adoption.refer(line.subscription);
      adoption.refer(line.item);
    }
  }
}

}  // namespace

Result<std::vector<store::Alias>> adopt(const AccountKey& key, ForeignAccount& foreign,
                                        const std::map<std::string, std::string>& payment_intents) {
  Adoption adoption(key);
  see_all(adoption, foreign);
  std::vector<std::string> called;
  for (const Invoice& invoice : foreign.invoices) called.push_back(invoice.id.value());
  auto named = name_all(adoption, foreign);
  if (!named) return named.error();
  refer_all(adoption, foreign);
  for (std::size_t i = 0; i < called.size(); ++i)
    if (const auto intent = payment_intents.find(called[i]); intent != payment_intents.end())
      adoption.add_alias("pi_" + std::string(id_body(foreign.invoices[i].id.value())), intent->second);
  return adoption.take();
}

CustomerId native_customer(Mode mode, const CustomerId& customer) {
  const bool is_alien = customer.value().starts_with(CustomerKind::prefix) && store::is_foreign(customer.value());
  // Customers are the first objects of their accounts.
  return is_alien ? make_id<CustomerKind>(store::adopted_key(mode, customer.value()), 1) : customer;
}

std::string in_foreign_words(std::string sentence, const std::vector<store::Alias>& aliases) {
  for (const store::Alias& alias : aliases)
    if (const std::size_t at = sentence.find(alias.native); at != std::string::npos)
      sentence.replace(at, alias.native.size(), alias.foreign);
  return sentence;
}

}  // namespace billd::commands
