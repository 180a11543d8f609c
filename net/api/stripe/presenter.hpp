// billd's objects as Stripe shows them: one function for each kind, each with the members of all versions of the API.
//
// Members that billd does not have are answered with the value that says so (null, an empty list, false), so that a
// client of any age finds its fields. Source: the schemas of Stripe's OpenAPI descriptions of 2018-05-21, 2020-08-27
// and 2023-08-16.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "net/api/document.hpp"
#include "net/api/stripe/known.hpp"

namespace billd::api::stripe {

/// What is behind an object of an account: the customer's identifier, and the account where it is known.
struct Owner {
  CustomerId customer;
  const Account* account = nullptr;
};

/// Puts objects into one document. Plans are shown as `known` has them, else as far as the agreed price tells.
class Presenter {
 public:
  Presenter(Document& document, Mode mode, const Known& known) : document_(document), mode_(mode), known_(known) {}

  Document& document() { return document_; }
  const Known& known() const { return known_; }

  /// With the newest ten of its sources and subscriptions; of a deleted one only that it is.
  Object& customer(const Account& account);
  /// A card or a bank account.
  Object& source(const Source& source, const CustomerId& customer);
  /// The same by its newer name; without a customer it is nobody's yet, or not any more.
  Object& payment_method(const Source& source, const CustomerId& customer);
  Object& token(const store::HeldSource& held, bool used);
  Object& subscription(const Subscription& subscription, const Owner& owner);
  Object& plan(const Plan& plan);
  Object& price(const Plan& plan);
  Object& product(const Product& product);
  Object& coupon(const Coupon& coupon, Timestamp now);
  /// `coupon`: nullptr when it is not to be had any more.
  Object& promotion_code(const PromotionCode& code, const Coupon* coupon, Timestamp now);
  Object& tax_rate(const TaxRate& rate);
  Object& tax_id(const TaxIdentifier& identifier, const CustomerId& customer);
  /// A coupon as it was applied.
  Object& discount(const Discount& discount, const CustomerId& customer);
  /// So much was used of an item at a time.
  Object& usage_record(std::string_view id, const RecordUsage& usage, Timestamp time);
  /// What was used of an item in one period.
  Object& usage_summary(const Usage& usage, const SubscriptionItem& item);
  Object& invoice(const Invoice& invoice, const Owner& owner);
  /// What would be billed: an invoice that is none yet, without identifier. `proration_date`: by which changes that are
  /// tried out are prorated.
  Object& upcoming_invoice(const Invoice& invoice, const Account& account, std::optional<Timestamp> proration_date);
  Object& line(const InvoiceLine& line, const Invoice& invoice);
  /// `invoice`: on which it stands; empty: it is pending.
  Object& invoice_item(const InvoiceItem& item, const CustomerId& customer, const InvoiceId& invoice = {});
  Object& subscription_item(const SubscriptionItem& item, const Subscription& subscription);
  Object& refund(const Refund& refund, const ChargeId& charge, const InvoiceId& invoice);
  /// The dispute of a charge that has one.
  Object& dispute(const Charge& charge);
  Object& charge(const Charge& charge, const InvoiceId& invoice, const Owner& owner);
  Object& setup_intent(const store::SetupIntent& intent);
  /// How the invoice is collected; has_payment_intent() says whether there is one.
  Object& payment_intent(const Invoice& invoice, const Owner& owner);
  /// `invoice`: that is credited, as far as it is known.
  Object& credit_note_line(const CreditNoteLine& line, const InvoiceId& invoice);
  Object& credit_note(const CreditNote& note, const InvoiceId& invoice, const CustomerId& customer);
  Object& balance_transaction(const BalanceTransaction& transaction, const CustomerId& customer);
  Object& schedule(const Schedule& schedule, const Owner& owner);
  Object& event(const store::StoredEvent& event);
  Object& test_clock(const TestClock& clock);

  /// {"id": …, "object": kind, "deleted": true}
  Object& deleted(std::string_view id, std::string_view kind);

  /// A list object over these values. `total` is told when it is known.
  Object& list(std::string_view url, Array& data, bool has_more, std::optional<std::size_t> total = std::nullopt);

  /// The object of that name as far as it is known; nullptr when it is not.
  Object* find(Kind kind, std::string_view id);

 private:
  Object& customer_alone(const Customer& customer, const AccountKey& key, std::size_t members);
  Value discount_or_null(const std::optional<Discount>& discount, const CustomerId& customer);
  /// The coupon of a discount as the catalog has it, else as far as its terms tell.
  Coupon agreed_coupon(const Discount& discount) const;
  /// Those that are in the catalog: a bare `tax_percent` is not.
  Array& tax_rates(const std::vector<AppliedTaxRate>& rates);
  Value tax_percent(const std::vector<AppliedTaxRate>& rates);
  Array& tax_amounts(const std::vector<TaxAmount>& taxes);
  /// What each discount takes off these lines of the invoice, the lines' own before the invoice's.
  Array& discount_amounts(const Invoice& invoice, std::span<const InvoiceLine> lines);
  /// The parts of the credited invoice's discounts that are not given back with these lines.
  Array& discounts_kept(const InvoiceId& invoice, std::span<const CreditNoteLine> lines);
  Array& discount_shares(const std::vector<std::pair<DiscountId, std::int64_t>>& shares);
  Array& discount_ids(std::span<const Discount> discounts);
  Object& snapshot(const Snapshot& snapshot, const AccountKey& key);
  Value pause_collection(const Subscription& subscription);
  Value pending_item_interval(const Subscription& subscription);
  Value pending_update(const Subscription& subscription);
  Value custom_fields(const CustomFields& fields);
  /// The customer's as they are, or as they were when the invoice was finalized.
  Array& customer_tax_ids(const Invoice& invoice, const Customer* customer);
  Object& plan(const Price& price, Timestamp agreed);
  Object& price(const Price& price, Timestamp agreed);
  /// A plan as far as what was agreed tells: all that is known of one that is not to be had.
  Plan agreed_plan(const Price& price, Timestamp agreed) const;
  Value tiers(const Price& price);
  Value transform(const QuantityTransform& transform);
  Value texts(const std::vector<std::string>& texts);
  Object& card(const Source& source, const Card& card, const CustomerId& customer);
  Object& bank_account(const Source& source, const BankAccount& account, const CustomerId& customer);
  Value payment_intent_id_or_null(const Invoice& invoice);
  Value last_payment_error(const Invoice& invoice, const Owner& owner);
  Object& billing_details(const Source& source);
  Object& card_of_payment_method(const Card& card);
  Object& us_bank_account(const BankAccount& account);
  Object& source_of_charge(const Charge& charge, const Owner& owner);
  Object& card_details(const CardSummary& card);
  Object& bank_details(const BankAccountSummary& account);
  Object& payment_method_details(const MeansSummary& means);
  Object& outcome(const Charge& charge);
  Object& phase(const Phase& phase);
  Object& days_until_due(std::int32_t days);
  Object& invoice_lines(const Invoice& invoice);
  void add_card_members(Object& object, const CardSummary& card);
  Object& metadata(const Metadata& metadata);
  Value address(const Address& address);
  Value shipping(const Shipping& shipping);

  template <class Of>
  Value id(const Id<Of>& id) {
    return document_.text(id.value());
  }
  template <class Of>
  Value id_or_null(const Id<Of>& id) {
    return document_.text_or_null(id.value());
  }

  Document& document_;
  Mode mode_;
  const Known& known_;
};

/// Stripe's names: "past_due", "open".
std::string_view status_name(SubscriptionStatus status);
std::string_view status_name(InvoiceStatus status);
std::string_view tax_exempt_name(TaxExempt tax_exempt);

/// "Visa" on a card is "visa" in payment methods. Source: https://stripe.com/docs/api/charges/object.
std::string_view network_of(std::string_view brand);

/// Whether something is or was to be collected: from its finalization on, unless the money comes another way.
bool has_payment_intent(const Invoice& invoice);

/// "card", "bank_account".
std::string_view object_name(const Means& means);

/// What is held, as it would look as a customer's.
Source source_of(const store::HeldSource& held);

/// The invoice's lines in Stripe's order: invoice items, the newest first, then what recurs.
std::vector<const InvoiceLine*> shown_lines(const Invoice& invoice);

/// Adds the taxes to the sums, each rate's to its own.
void add_up(std::vector<TaxAmount>& sums, const std::vector<TaxAmount>& taxes);

/// The name of what was used of the item in the period.
std::string usage_summary_id(const Usage& usage, const SubscriptionItem& item);

/// Whose it is, by the identifier of any of the account's objects.
Owner owner_of(const Known& known, std::string_view id);

}  // namespace billd::api::stripe
