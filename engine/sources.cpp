// Rules of a customer's payment sources.
#include <algorithm>

#include "engine/change.hpp"

namespace billd {
namespace {

/// Source: Stripe holds at most 200 sources for a customer.
constexpr std::size_t sources_max = 200;
/// Source: Stripe, "There is a limit of three failed verification attempts".
constexpr std::int32_t failed_verifications_max = 3;

Failure no_such_source(const SourceId& id) { return {Errc::not_found, "No such source: " + id.value(), "id"}; }

/// Source: Stripe refuses a bank account that the customer has already; a card may be there twice.
bool is_known_bank_account(const Account& account, const Means& means) {
  const auto* added = std::get_if<BankAccount>(&means);
  if (added == nullptr || added->summary.fingerprint.empty()) return false;
  return std::ranges::any_of(account.sources, [&](const Source& each) {
    const BankAccount* known = each.bank_account();
    return known != nullptr && known->summary.fingerprint == added->summary.fingerprint;
  });
}

/// What is with a processor alone, which knows what is behind it.
struct ProcessorAccountKind {
  static constexpr std::string_view prefix = "src_";
};

SourceId draw_source_id(Change& change, const NewSource& source) {
  if (source.is_payment_method) return SourceId(change.draw_id<PaymentMethodKind>().value());
  if (const auto* card = std::get_if<Card>(&source.means)) {
    const bool is_described = card->summary != CardSummary();
    return is_described ? change.draw_id<SourceKind>() : SourceId(change.draw_id<ProcessorAccountKind>().value());
  }
  return SourceId(change.draw_id<BankAccountKind>().value());
}

Result<void> update_card(Card& card, const UpdateSource& command) {
  if (command.holder_type)
    return Failure{Errc::invalid_parameter, "Only bank accounts have an account_holder_type.", "account_holder_type"};
  if (command.exp_month && (*command.exp_month < 1 || *command.exp_month > 12))
    return Failure{Errc::invalid_parameter, "Your card's expiration month is invalid.", "exp_month"};
  if (command.exp_year && (*command.exp_year < 1970 || *command.exp_year > 2099))
    return Failure{Errc::invalid_parameter, "Your card's expiration year is invalid.", "exp_year"};
  if (command.name) card.name = *command.name;
  if (command.exp_month) card.summary.exp_month = *command.exp_month;
  if (command.exp_year) card.summary.exp_year = *command.exp_year;
  if (command.address) card.address = *command.address;
  return {};
}

Result<void> update_bank_account(BankAccount& account, const UpdateSource& command) {
  if (command.exp_month || command.exp_year || command.address)
    return Failure{Errc::invalid_parameter, "A bank account has neither an expiry nor an address.",
                   command.exp_month  ? "exp_month"
                   : command.exp_year ? "exp_year"
                                      : "address_line1"};
  if (command.name) account.holder_name = *command.name;
  if (command.holder_type) account.holder_type = *command.holder_type;
  return {};
}

}  // namespace

Result<Source*> put_source(Change& change, const NewSource& details) {
  Account& account = change.account();
  if (!details.id.is_empty()) {
    const auto known = std::ranges::find(account.sources, details.id, &Source::id);
    if (known != account.sources.end()) return &*known;
  }
  if (account.sources.size() >= sources_max)
    return Failure{Errc::limit_exceeded, "A customer can have at most 200 payment sources.", "source"};
  if (is_known_bank_account(account, details.means))
    return Failure{Errc::already_exists,
                   "A bank account with that routing number and account number already exists for this customer.",
                   "source"};
  Source source;
  source.id = details.id.is_empty() ? draw_source_id(change, details) : details.id;
  source.created = change.now;
  source.gateway = details.gateway;
  source.reference = details.reference;
  source.means = details.means;
  source.metadata = details.metadata;
  source.email = details.email;
  source.phone = details.phone;
  source.nickname = details.nickname;
  plan_expiry_notice(change, source);
  account.sources.push_back(std::move(source));
  return &account.sources.back();
}

Result<void> check_chargeable(const Source& source) {
  if (source.is_chargeable()) return {};
  return Failure{Errc::invalid_state,
                 "The customer's bank account must be verified in order to create an ACH payment."};
}

void tell_of_new_source(Change& change, const Source& source) {
  change.emit({source.is_payment_method() ? EventType::payment_method_attached : EventType::source_created}, source);
}

Result<void> add_source(Change& change, const AddSource& command) {
  Customer& customer = change.customer();
  if (customer.deleted) return no_such_customer(customer);
  const std::size_t before_it = change.account().sources.size();
  auto put = put_source(change, command.source);
  if (!put) return put.error();
  const Source& source = **put;
  change.set_subject(source.id.value());
  if (change.account().sources.size() == before_it) return {};
  tell_of_new_source(change, source);
  if (command.make_default || (customer.default_source.is_empty() && !source.is_payment_method())) {
    Customer before = customer;
    customer.default_source = source.id;
    change.emit_update(EventType::customer_updated, std::move(before), customer);
    // Source: Stripe, a new default source pays what is past due, as one that comes with an update of the customer
    // does.
    retry_past_due(change);
  }
  return {};
}

Result<void> add_sources(Change& change, const AddSources& command) {
  Customer& customer = change.customer();
  if (customer.deleted) return no_such_customer(customer);
  Customer before = customer;
  for (const NewSource& details : command.sources) {
    auto put = put_source(change, details);
    if (!put) return put.error();
    tell_of_new_source(change, **put);
    if (customer.default_source.is_empty()) customer.default_source = (*put)->id;
    change.set_subject((*put)->id.value());
  }
  change.emit_update(EventType::customer_updated, std::move(before), customer);
  return {};
}

Result<void> update_source(Change& change, const UpdateSource& command) {
  Account& account = change.account();
  auto source = std::ranges::find(account.sources, command.source, &Source::id);
  if (source == account.sources.end()) return no_such_source(command.source);
  if (command.reference && command.reference->empty())
    return Failure{Errc::invalid_parameter, "The gateway's name for the source cannot be empty.", "reference"};
  Source before = *source;
  auto updated = source->card() != nullptr ? update_card(*source->card(), command)
                                           : update_bank_account(*source->bank_account(), command);
  if (!updated) return updated.error();
  if (command.reference) source->reference = *command.reference;
  if (command.nickname) source->nickname = *command.nickname;
  auto patched = patch(source->metadata, command.metadata);
  if (!patched) return patched.error();
  if (command.exp_month || command.exp_year) plan_expiry_notice(change, *source);
  if (command.email) source->email = *command.email;
  if (command.phone) source->phone = *command.phone;
  const auto type = source->is_payment_method() ? EventType::payment_method_updated : EventType::source_updated;
  change.emit_update(type, std::move(before), *source);
  change.set_subject(source->id.value());
  return {};
}

Result<void> verify_source(Change& change, const VerifySource& command) {
  Account& account = change.account();
  auto source = std::ranges::find(account.sources, command.source, &Source::id);
  if (source == account.sources.end()) return no_such_source(command.source);
  if (source->bank_account() == nullptr)
    return Failure{Errc::invalid_state, "Only bank accounts are verified; this source is none.", "id"};
  Source before = *source;
  BankAccount& verified = *source->bank_account();
  switch (verified.status) {
    case BankAccountStatus::verified:
      return Failure{Errc::invalid_state, "This bank account has already been verified."};
    case BankAccountStatus::verification_failed:
      return Failure{Errc::invalid_state,
                     "Verification of this bank account has failed too many times; it can be verified no more."};
    case BankAccountStatus::errored:
      return Failure{Errc::invalid_state, "This bank account cannot be verified: money sent to it came back."};
    case BankAccountStatus::new_:
    case BankAccountStatus::validated:
      break;
  }
  if (command.amounts_match)
    verified.status = BankAccountStatus::verified;
  else if (++verified.failed_verifications == failed_verifications_max)
    verified.status = BankAccountStatus::verification_failed;
  // A failed attempt is remembered, but only what people can see of the account is told.
  change.touch();
  if (before.bank_account()->status != verified.status)
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
  if (account.customer.default_source == removed.id) {
    const auto newest = std::ranges::find_if_not(account.sources.rbegin(), account.sources.rend(),
                                                 [](const Source& each) { return each.is_payment_method(); });
    account.customer.default_source = newest == account.sources.rend() ? SourceId() : newest->id;
  }
  if (account.customer.default_payment_method == removed.id) account.customer.default_payment_method = SourceId();
  for (Subscription& subscription : account.subscriptions) {
    if (subscription.default_source != removed.id) continue;
    Subscription unchanged = subscription;
    subscription.default_source = SourceId();
    change.emit_update(EventType::subscription_updated, std::move(unchanged), subscription);
  }
  change.emit({removed.is_payment_method() ? EventType::payment_method_detached : EventType::source_deleted}, removed);
  change.emit_update(EventType::customer_updated, std::move(before), account.customer);
  change.set_subject(removed.id.value());
  return {};
}

}  // namespace billd
