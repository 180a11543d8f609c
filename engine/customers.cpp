// Rules of customers; sources.cpp has those of their payment sources.
#include "engine/change.hpp"

namespace billd {
namespace {

Failure no_such_source(const SourceId& id, std::string parameter) {
  return {Errc::not_found, "No such source: " + id.value(), std::move(parameter)};
}

bool is_in_range(std::int64_t balance) { return balance >= -balance_limit && balance <= balance_limit; }

Failure balance_out_of_range() {
  return {Errc::amount_out_of_range, "A customer's balance is at most 999,999,999,999,999 away from zero.", "balance"};
}

void change_name_parts(Customer& customer, const UpdateCustomer& command) {
  if (!command.first_name && !command.last_name) return;
  const SplitName before = split_name(customer);
  const std::string first = command.first_name.value_or(std::string(before.first));
  const std::string last = command.last_name.value_or(std::string(before.last));
  customer.name = first.empty() || last.empty() ? first + last : first + " " + last;
  customer.first_name_size = first.empty() || last.empty() ? 0 : static_cast<std::uint32_t>(first.size());
}

void change_address_parts(Address& address, const AddressChange& change) {
  if (change.line1) address.line1 = *change.line1;
  if (change.line2) address.line2 = *change.line2;
  if (change.city) address.city = *change.city;
  if (change.state) address.state = *change.state;
  if (change.postal_code) address.postal_code = *change.postal_code;
  if (change.country) address.country = *change.country;
}

/// An amount of money says in which currency the customer is billed from now on.
Result<Discount> redeem_for_customer(Change& change, const Redemption& redemption) {
  auto discount = redeem(change, redemption, SubscriptionId(), nullptr);
  if (!discount) return discount.error();
  Currency& currency = change.customer().currency;
  if (currency.is_none()) currency = discount->coupon.amount_off.currency;
  return discount;
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

Failure balance_too_large() { return {Errc::amount_out_of_range, "the customer's balance would be too large"}; }

BalanceTransactionId set_balance_quietly(Change& change, std::int64_t balance, BalanceCause cause) {
  Customer& customer = change.customer();
  if (customer.deleted || customer.balance == balance) return {};
  BalanceTransaction transaction;
  transaction.id = change.draw_id<BalanceTransactionKind>();
  transaction.created = change.now;
  transaction.reason = cause.reason;
  transaction.amount = Money{balance - customer.balance, currency_of(change.account())};
  transaction.ending_balance = balance;
  transaction.invoice = std::move(cause.invoice);
  transaction.credit_note = std::move(cause.credit_note);
  transaction.description = std::move(cause.description);
  transaction.metadata = std::move(cause.metadata);
  BalanceTransactionId id = transaction.id;
  change.write(std::move(transaction));
  customer.balance = balance;
  return id;
}

BalanceTransactionId set_balance(Change& change, std::int64_t balance, BalanceCause cause) {
  Customer before = change.customer();
  BalanceTransactionId id = set_balance_quietly(change, balance, std::move(cause));
  change.emit_update(EventType::customer_updated, std::move(before), change.customer());
  return id;
}

Result<void> adjust_balance(Change& change, const AdjustBalance& command) {
  const Customer& customer = change.customer();
  if (customer.deleted) return no_such_customer(customer);
  if (command.amount.minor == 0) return Failure{Errc::invalid_parameter, "The amount must not be zero.", "amount"};
  if (command.amount.currency.is_none())
    return Failure{Errc::missing_parameter, "Missing required param: currency.", "currency"};
  const Currency agreed = currency_of(change.account());
  if (!agreed.is_none() && agreed != command.amount.currency) return mixed_currencies(agreed);
  const __int128 balance = static_cast<__int128>(customer.balance) + command.amount.minor;
  if (balance < -balance_limit || balance > balance_limit) return balance_too_large();
  agree_on_currency(change, command.amount.currency);
  const BalanceTransactionId id =
      set_balance(change, static_cast<std::int64_t>(balance),
                  {BalanceReason::adjustment, {}, {}, command.description, command.metadata});
  change.set_subject(id.value());
  return {};
}

Result<void> update_balance_transaction(Change& change, const UpdateBalanceTransaction& command) {
  if (change.customer().deleted) return no_such_customer(change.customer());
  BalanceTransaction transaction = command.recalled;
  if (command.description) transaction.description = *command.description;
  auto patched = patch(transaction.metadata, command.metadata);
  if (!patched) return patched.error();
  change.set_subject(transaction.id.value());
  change.write(std::move(transaction));
  return {};
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
  if (!is_in_range(command.balance)) return balance_out_of_range();
  set_balance_quietly(change, command.balance);
  customer.shipping = command.shipping;
  customer.tax_exempt = command.tax_exempt;
  customer.preferred_locales = command.preferred_locales;
  customer.number = command.number;
  customer.first_name_size = command.first_name_size;
  customer.organization = command.organization;
  customer.external_id = command.external_id;
  customer.code = command.code;
  customer.account_id = command.account_id;
  customer.user_name = command.user_name;
  customer.invoice_footer = command.invoice_footer;
  customer.invoice_fields = command.invoice_fields;
  if (command.discount) {
    auto redeemed = redeem_for_customer(change, *command.discount);
    if (!redeemed) return redeemed.error();
    customer.discount = std::move(*redeemed);
  }
  auto identified = put_tax_identifiers(change, command.tax_identifiers);
  if (!identified) return identified.error();
  const Source* source = nullptr;
  if (command.source) {
    auto put = put_source(change, *command.source);
    if (!put) return put.error();
    source = *put;
    if (command.source_is_default)
      (source->is_payment_method() ? customer.default_payment_method : customer.default_source) = source->id;
  }
  change.emit({EventType::customer_created}, customer);
  if (customer.discount) change.emit({EventType::customer_discount_created}, *customer.discount);
  for (const TaxIdentifier& identifier : customer.tax_identifiers)
    change.emit({EventType::tax_identifier_created}, identifier);
  if (source != nullptr) tell_of_new_source(change, *source);
  change.set_subject(customer.id.value());
  return {};
}

Result<void> update_customer(Change& change, const UpdateCustomer& command) {
  Customer& customer = change.customer();
  if (customer.deleted) return no_such_customer(customer);
  if (command.user_name && customer.user_name != command.user_name->expected)
    return Failure{Errc::conflict, "The customer's user name was changed meanwhile.", "user_name"};
  Customer before = customer;
  if (command.user_name) customer.user_name = command.user_name->name;
  if (command.email) customer.email = *command.email;
  if (command.name && *command.name != customer.name) {
    customer.name = *command.name;
    customer.first_name_size = 0;
  }
  change_name_parts(customer, command);
  change_address_parts(customer.address, command.address_change);
  if (command.organization) customer.organization = *command.organization;
  if (command.external_id) customer.external_id = *command.external_id;
  if (command.phone) customer.phone = *command.phone;
  if (command.description) customer.description = *command.description;
  if (command.address) customer.address = *command.address;
  auto patched = patch(customer.metadata, command.metadata);
  if (!patched) return patched.error();
  if (command.default_source) {
    if (change.account().find(*command.default_source) == nullptr)
      return no_such_source(*command.default_source, "default_source");
    customer.default_source = *command.default_source;
  }
  if (command.default_payment_method) {
    const SourceId& wanted = *command.default_payment_method;
    if (!wanted.is_empty() && change.account().find(wanted) == nullptr)
      return no_such_source(wanted, "invoice_settings[default_payment_method]");
    customer.default_payment_method = wanted;
  }
  if (command.balance) {
    if (!is_in_range(*command.balance)) return balance_out_of_range();
    set_balance_quietly(change, *command.balance);
  }
  if (command.shipping) customer.shipping = *command.shipping;
  if (command.tax_exempt) customer.tax_exempt = *command.tax_exempt;
  if (command.preferred_locales) customer.preferred_locales = *command.preferred_locales;
  if (command.invoice_footer) customer.invoice_footer = *command.invoice_footer;
  if (command.invoice_fields) customer.invoice_fields = *command.invoice_fields;
  if (command.discount) {
    std::optional<Discount> discount;
    if (*command.discount) {
      auto redeemed = redeem_for_customer(change, **command.discount);
      if (!redeemed) return redeemed.error();
      discount = std::move(*redeemed);
    }
    put_discount(change, customer.discount, std::move(discount));
  }
  if (command.source) {
    auto source = put_source(change, *command.source);
    if (!source) return source.error();
    customer.default_source = (*source)->id;
    tell_of_new_source(change, **source);
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
  for (Schedule& schedule : account.schedules) cancel_unbegun(change, schedule);
  change.emit({EventType::customer_deleted}, customer);
  // A charge in flight keeps what it needs to be resolved; nothing else of the customer is kept.
  account.sources.clear();
  Customer tombstone;
  tombstone.id = customer.id;
  tombstone.created = customer.created;
  tombstone.number = customer.number;
  tombstone.test_clock = customer.test_clock;
  tombstone.former = customer.former;
  tombstone.deleted = true;
  customer = std::move(tombstone);
  change.set_subject(customer.id.value());
  return {};
}

}  // namespace billd
