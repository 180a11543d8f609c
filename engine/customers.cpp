// Rules of customers and their payment sources.
#include <algorithm>

#include "engine/change.hpp"

namespace billd {
namespace {

/// Source: Stripe holds at most 200 sources for a customer.
constexpr std::size_t sources_max = 200;

Failure no_such_source(const SourceId& id) { return {Errc::not_found, "No such source: " + id.value(), "id"}; }

Failure deleted(const Customer& customer) {
  return {Errc::not_found, "No such customer: " + customer.id.value(), "id"};
}

Result<SourceId> put_source(Change& change, const NewSource& details) {
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
  SourceId id = source.id;
  change.emit({EventType::source_created}, source);
  account.sources.push_back(std::move(source));
  return id;
}

}  // namespace

Result<void> create_customer(Change& change, const CreateCustomer& command) {
  Customer& customer = change.customer();
  if (!customer.id.is_empty()) return Failure{Errc::already_exists, "Customer already exists.", "id"};
  customer.id = change.draw_id<CustomerKind>();
  customer.created = change.now;
  customer.email = command.email;
  customer.name = command.name;
  customer.phone = command.phone;
  customer.description = command.description;
  customer.address = command.address;
  customer.metadata = command.metadata;
  customer.test_clock = command.test_clock;
  if (command.source) {
    auto source = put_source(change, *command.source);
    if (!source) return source.error();
    customer.default_source = *source;
  }
  change.emit({EventType::customer_created}, customer);
  change.set_subject(customer.id.value());
  return {};
}

Result<void> update_customer(Change& change, const UpdateCustomer& command) {
  Customer& customer = change.customer();
  if (customer.deleted) return deleted(customer);
  const Customer before = customer;
  if (command.email) customer.email = *command.email;
  if (command.name) customer.name = *command.name;
  if (command.phone) customer.phone = *command.phone;
  if (command.description) customer.description = *command.description;
  if (command.address) customer.address = *command.address;
  if (command.metadata) customer.metadata = *command.metadata;
  if (command.default_source) {
    if (change.account().find(*command.default_source) == nullptr) return no_such_source(*command.default_source);
    customer.default_source = *command.default_source;
  }
  if (command.source) {
    auto source = put_source(change, *command.source);
    if (!source) return source.error();
    customer.default_source = *source;
  }
  change.emit_update(EventType::customer_updated, before, customer);
  change.set_subject(customer.id.value());
  return {};
}

Result<void> delete_customer(Change& change) {
  Account& account = change.account();
  Customer& customer = account.customer;
  if (customer.deleted) return deleted(customer);
  for (Subscription& subscription : account.subscriptions)
    end_subscription(change, subscription, SubscriptionStatus::canceled, change.now);
  close_unpaid_invoices(change);
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
  if (customer.deleted) return deleted(customer);
  const Customer before = customer;
  auto source = put_source(change, command.source);
  if (!source) return source.error();
  if (command.make_default || customer.default_source.is_empty()) customer.default_source = *source;
  change.emit_update(EventType::customer_updated, before, customer);
  change.set_subject(source->value());
  return {};
}

Result<void> update_source(Change& change, const UpdateSource& command) {
  Account& account = change.account();
  auto source = std::ranges::find(account.sources, command.source, &Source::id);
  if (source == account.sources.end()) return no_such_source(command.source);
  const Source before = *source;
  if (command.exp_month && (*command.exp_month < 1 || *command.exp_month > 12))
    return Failure{Errc::invalid_parameter, "Your card's expiration month is invalid.", "exp_month"};
  if (command.exp_year && (*command.exp_year < 1970 || *command.exp_year > 2099))
    return Failure{Errc::invalid_parameter, "Your card's expiration year is invalid.", "exp_year"};
  if (command.name) source->name = *command.name;
  if (command.exp_month) source->card.exp_month = *command.exp_month;
  if (command.exp_year) source->card.exp_year = *command.exp_year;
  if (command.address) source->address = *command.address;
  if (command.metadata) source->metadata = *command.metadata;
  change.emit_update(EventType::source_updated, before, *source);
  change.set_subject(source->id.value());
  return {};
}

Result<void> remove_source(Change& change, const RemoveSource& command) {
  Account& account = change.account();
  auto source = std::ranges::find(account.sources, command.source, &Source::id);
  if (source == account.sources.end()) return no_such_source(command.source);
  const Customer before = account.customer;
  const Source removed = *source;
  account.sources.erase(source);
  // Source: Stripe, "If you delete the default source, the most recently added source becomes the new default".
  if (account.customer.default_source == removed.id)
    account.customer.default_source = account.sources.empty() ? SourceId() : account.sources.back().id;
  for (Subscription& subscription : account.subscriptions) {
    if (subscription.default_source != removed.id) continue;
    const Subscription unchanged = subscription;
    subscription.default_source = SourceId();
    change.emit_update(EventType::subscription_updated, unchanged, subscription);
  }
  change.emit({EventType::source_deleted}, removed);
  change.emit_update(EventType::customer_updated, before, account.customer);
  change.set_subject(removed.id.value());
  return {};
}

}  // namespace billd
