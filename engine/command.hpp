// What can be asked of an account: one structure per command, validated as far as one account's state goes by decide().
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/account.hpp"

namespace billd {

/// A payment source as its gateway described it; billd adds the identifier.
struct NewSource {
  std::string gateway, reference;
  CardSummary card;
  std::string name;
  Address address;
  std::string cvc_check, address_line1_check, address_zip_check;
  Metadata metadata;
};

/// The account is new: `Account::key` and `mode` are set, nothing else.
struct CreateCustomer {
  std::string email, name, phone, description;
  Address address;
  Metadata metadata;
  std::optional<NewSource> source;  ///< becomes the default
  TestClockId test_clock;
};

/// Members without a value stay as they are; an empty string clears.
struct UpdateCustomer {
  std::optional<std::string> email, name, phone, description;
  std::optional<Address> address;
  std::optional<Metadata> metadata;  ///< the whole new metadata
  std::optional<NewSource> source;   ///< added, and becomes the default
  std::optional<SourceId> default_source;
};

/// Ends the subscriptions at once; only a tombstone of the customer is left.
struct DeleteCustomer {};

struct AddSource {
  NewSource source;
  bool make_default = false;  ///< the first source becomes the default anyway
};

struct UpdateSource {
  SourceId source;
  std::optional<std::string> name;
  std::optional<std::int32_t> exp_month, exp_year;
  std::optional<Address> address;
  std::optional<Metadata> metadata;
};

/// The newest of the remaining sources becomes the default when the default goes.
struct RemoveSource {
  SourceId source;
};

struct NewSubscriptionItem {
  Price price;
  std::int64_t quantity = 1;  ///< 0 bills nothing
  Metadata metadata;
};

/// What happens when the first payment is declined. Source: Stripe's payment_behavior.
enum class PaymentBehavior : std::uint8_t {
  allow_incomplete,     ///< the subscription waits as incomplete
  error_if_incomplete,  ///< there is no subscription; the only behaviour of API versions before 2019-03-14
};

struct Subscribe {
  std::vector<NewSubscriptionItem> items;
  std::optional<Timestamp> trial_end;  ///< later than now: a free trial until then
  bool cancel_at_period_end = false;
  PaymentBehavior payment_behavior = PaymentBehavior::allow_incomplete;
  SourceId default_source;  ///< empty: the customer's
  Metadata metadata;
};

struct CancelSubscription {
  SubscriptionId subscription;
  bool at_period_end = false;
};

/// Takes a cancellation at the period's end back.
struct ResumeSubscription {
  SubscriptionId subscription;
};

/// `recalled` is the invoice as settled, when it is not in the account any more: it comes back by this command.
struct PayInvoice {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
  SourceId source;  ///< empty: the subscription's or the customer's
};

/// Stops collecting.
struct CloseInvoice {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
};

/// Goes on collecting what was closed.
struct ReopenInvoice {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
};

enum class ChargeOutcomeKind : std::uint8_t {
  succeeded,
  declined,
  unknown,     ///< no answer, or none that can be trusted: ask again later
  impossible,  ///< the gateway cannot say any more (its key's life is over, or it answers nonsense): for an operator
};

struct ChargeOutcome {
  ChargeOutcomeKind kind = ChargeOutcomeKind::unknown;
  std::string decline_code;       ///< of a decline
  std::string gateway_reference;  ///< the gateway's name for the charge
};

/// What the gateway said of a charge. Said twice, the second time changes nothing.
struct RecordChargeOutcome {
  InvoiceId invoice;
  ChargeId charge;
  ChargeOutcome outcome;
};

using Command =
    std::variant<CreateCustomer, UpdateCustomer, DeleteCustomer, AddSource, UpdateSource, RemoveSource, Subscribe,
                 CancelSubscription, ResumeSubscription, PayInvoice, CloseInvoice, ReopenInvoice, RecordChargeOutcome>;

}  // namespace billd
