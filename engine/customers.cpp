// Rules of customers and their payment sources.
#include <algorithm>

#include "engine/change.hpp"

namespace billd {
namespace {

/// Source: Stripe holds at most 200 sources for a customer.
constexpr std::size_t sources_max = 200;

Failure no_such_source(const SourceId& id, std::string parameter = "id") {
  return {Errc::not_found, "No such source: " + id.value(), std::move(parameter)};
}

/// Nothing is told of it yet: the caller knows what comes first.
Result<Source*> put_source(Change& change, const NewSource& details) {
  Account& account = change.account();
  if (account.sources.size() >= sources_max)
    return Failure{Errc::limit_exceeded, "A customer can have at most 200 payment sources.", "source"};
  Source source;
  source.id = change.draw_id<SourceKind>();
  source.created = change.now;
  source.gateway = details.gateway;
  source.reference = details.reference;
  source.card = details.card;
  source.name = details.name;
  source.address = details.address;
  source.cvc_check = details.cvc_check;
  source.address_line1_check = details.address_line1_check;
  source.address_zip_check = details.address_zip_check;
  source.metadata = details.metadata;
  account.sources.push_back(std::move(source));
  return &account.sources.back();
}

}  // namespace

Failure no_such_customer(const Customer& customer) {
  return {Errc::not_found, "No such customer: " + customer.id.value(), "customer"};
}

Failure mixed_currencies(Currency agreed) {
  return {
      Errc::currency_mismatch,
      "You cannot combine currencies on a single customer. This customer has had a subscription, coupon, or invoice "
      "item with currency " +
          std::string(agreed.code())};
}

Currency currency_of(const Account& account) {
  if (account.subscriptions.empty()) return account.customer.currency;
  return account.subscriptions.front().items.front().price.unit_amount.currency;
}

void agree_on_currency(Change& change, Currency currency) {
  Customer& customer = change.customer();
  if (customer.deleted || !customer.currency.is_none()) return;
  Customer before = customer;
  customer.currency = currency;
  change.emit_update(EventType::customer_updated, std::move(before), customer);
}

void set_delinquent(Change& change, bool delinquent) {
  Customer& customer = change.customer();
  if (customer.deleted || customer.delinquent == delinquent) return;
  Customer before = customer;
  customer.delinquent = delinquent;
  change.emit_update(EventType::customer_updated, std::move(before), customer);
}

void set_balance(Change& change, std::int64_t balance) {
  Customer& customer = change.customer();
  if (customer.deleted || customer.balance == balance) return;
  Customer before = customer;
  customer.balance = balance;
  change.emit_update(EventType::customer_updated, std::move(before), customer);
}

Result<void> create_customer(Change& change, const CreateCustomer& command) {
  Customer& customer = change.customer();
  if (!customer.id.is_empty()) return Failure{Errc::already_exists, "Customer already exists.", "id"};
  if (change.account().mode == Mode::live && !command.test_clock.is_empty())
    return Failure{Errc::invalid_parameter, "Test clocks can only be used in test mode.", "test_clock"};
  customer.id = change.draw_id<CustomerKind>();
  customer.created = change.now;
  customer.email = command.email;
  customer.name = command.name;
  customer.phone = command.phone;
  customer.description = command.description;
  customer.address = command.address;
  customer.metadata = command.metadata;
  customer.test_clock = command.test_clock;
  const Source* source = nullptr;
  if (command.source) {
    auto put = put_source(change, *command.source);
    if (!put) return put.error();
    source = *put;
    customer.default_source = source->id;
  }
  change.emit({EventType::customer_created}, customer);
  if (source != nullptr) change.emit({EventType::source_created}, *source);
  change.set_subject(customer.id.value());
  return {};
}

Result<void> update_customer(Change& change, const UpdateCustomer& command) {
  Customer& customer = change.customer();
  if (customer.deleted) return no_such_customer(customer);
  Customer before = customer;
  if (command.email) customer.email = *command.email;
  if (command.name) customer.name = *command.name;
  if (command.phone) customer.phone = *command.phone;
  if (command.description) customer.description = *command.description;
  if (command.address) customer.address = *command.address;
  if (command.metadata) customer.metadata = *command.metadata;
  if (command.default_source) {
    if (change.account().find(*command.default_source) == nullptr)
      return no_such_source(*command.default_source, "default_source");
    customer.default_source = *command.default_source;
  }
  if (command.source) {
    auto source = put_source(change, *command.source);
    if (!source) return source.error();
    customer.default_source = (*source)->id;
    change.emit({EventType::source_created}, **source);
  }
  change.emit_update(EventType::customer_updated, std::move(before), customer);
  // Source: Stripe does so for a new source, and does not when only default_source changes.
  if (command.source) retry_past_due(change);
  change.set_subject(customer.id.value());
  return {};
}

Result<void> delete_customer(Change& change) {
  Account& account = change.account();
  Customer& customer = account.customer;
  if (customer.deleted) return no_such_customer(customer);
  for (Subscription& subscription : account.subscriptions) cut_off(change, subscription);
  close_unpaid_invoices(change);
  account.invoice_items.clear();
  change.emit({EventType::customer_deleted}, customer);
  // A charge in flight keeps what it needs to be resolved; nothing else of the customer is kept.
  account.sources.clear();
  Customer tombstone;
  tombstone.id = customer.id;
  tombstone.created = customer.created;
  tombstone.test_clock = customer.test_clock;
  tombstone.deleted = true;
  customer = std::move(tombstone);
  change.set_subject(customer.id.value());
  return {};
}

Result<void> add_source(Change& change, const AddSource& command) {
  Customer& customer = change.customer();
  if (customer.deleted) return no_such_customer(customer);
  auto put = put_source(change, command.source);
  if (!put) return put.error();
  const Source& source = **put;
  change.emit({EventType::source_created}, source);
  if (command.make_default || customer.default_source.is_empty()) {
    Customer before = customer;
    customer.default_source = source.id;
    change.emit_update(EventType::customer_updated, std::move(before), customer);
  }
  change.set_subject(source.id.value());
  return {};
}

Result<void> update_source(Change& change, const UpdateSource& command) {
  Account& account = change.account();
  auto source = std::ranges::find(account.sources, command.source, &Source::id);
  if (source == account.sources.end()) return no_such_source(command.source);
  if (command.exp_month && (*command.exp_month < 1 || *command.exp_month > 12))
    return Failure{Errc::invalid_parameter, "Your card's expiration month is invalid.", "exp_month"};
  if (command.exp_year && (*command.exp_year < 1970 || *command.exp_year > 2099))
    return Failure{Errc::invalid_parameter, "Your card's expiration year is invalid.", "exp_year"};
  Source before = *source;
  if (command.name) source->name = *command.name;
  if (command.exp_month) source->card.exp_month = *command.exp_month;
  if (command.exp_year) source->card.exp_year = *command.exp_year;
  if (command.address) source->address = *command.address;
  if (command.metadata) source->metadata = *command.metadata;
  change.emit_update(EventType::source_updated, std::move(before), *source);
  change.set_subject(source->id.value());
  return {};
}

Result<void> remove_source(Change& change, const RemoveSource& command) {
  Account& account = change.account();
  auto source = std::ranges::find(account.sources, command.source, &Source::id);
  if (source == account.sources.end()) return no_such_source(command.source);
  Customer before = account.customer;
  const Source removed = std::move(*source);
  account.sources.erase(source);
  // Source: Stripe, "If you delete the default source, the most recently added source becomes the new default".
  if (account.customer.default_source == removed.id)
    account.customer.default_source = account.sources.empty() ? SourceId() : account.sources.back().id;
  for (Subscription& subscription : account.subscriptions) {
    if (subscription.default_source != removed.id) continue;
    Subscription unchanged = subscription;
    subscription.default_source = SourceId();
    change.emit_update(EventType::subscription_updated, std::move(unchanged), subscription);
  }
  change.emit({EventType::source_deleted}, removed);
  change.emit_update(EventType::customer_updated, std::move(before), account.customer);
  change.set_subject(removed.id.value());
  return {};
}

}  // namespace billd
