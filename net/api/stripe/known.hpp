// What an answer is made from: accounts, records and plans, loaded in batches and kept while the answer is made.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/api/stripe/services.hpp"

namespace billd::api::stripe {

/// An invoice item, and the invoice that it stands on; without one it is pending.
struct KnownItem {
  InvoiceItem item;
  InvoiceId invoice;
};

/// Looked up by identifier; nothing here waits. Provisional objects are not told of: they are as if they were not.
class Known {
 public:
  void put(std::shared_ptr<const Account> account);
  /// The account must outlive this; it takes the place of one put before.
  void see(const Account& account);
  void put(Record record);
  void put(Plan plan);
  /// A price that a request describes: it is put into the catalog when its command is carried out.
  void put_new(Plan plan);
  const std::vector<Plan>& new_plans() const { return new_plans_; }
  void put(TestClock clock);
  void put(Product product);

  const Account* account(const AccountKey& key) const;
  /// The account that the identifier belongs to.
  const Account* account_of(std::string_view id) const;

  const Subscription* subscription(std::string_view id) const;
  const Invoice* invoice(std::string_view id) const;
  /// The same, or what holds a charge that was asked for by itself: what a PaymentIntent tells of.
  const Invoice* payment(std::string_view invoice) const;
  std::optional<KnownItem> invoice_item(std::string_view id) const;
  /// The live subscription that has the item.
  const Subscription* subscription_of_item(std::string_view item) const;
  /// The invoice that the charge was made for.
  const Invoice* invoice_of_charge(std::string_view charge) const;
  /// The invoice that was credited.
  const Invoice* invoice_of_credit_note(std::string_view note) const;
  /// The invoice whose charge gave money back.
  const Invoice* invoice_of_refund(std::string_view refund) const;
  const Schedule* schedule(std::string_view id) const;
  const BalanceTransaction* balance_transaction(std::string_view id) const;
  /// Of a customer, a subscription, an invoice or an item of one.
  const Discount* discount(std::string_view id) const;
  const Source* source(std::string_view id) const;
  /// Whose source it is: a payment method may have had its identifier before it was the customer's.
  const Account* owner_of_source(std::string_view id) const;
  const Plan* plan(const PlanId& id) const;
  const Product* product(std::string_view id) const;
  const TestClock* test_clock(std::string_view id) const;

  /// Where coupons and tax rates are found, and how often coupons were redeemed; `now` is when they are shown.
  void look_into(const store::Catalog& catalog, Timestamp now);
  /// Deleted ones, too; nullptr when there is none.
  const Coupon* coupon(Mode mode, const CouponId& id) const;
  const TaxRate* tax_rate(Mode mode, const TaxRateId& id) const;
  std::int64_t times_redeemed(Mode mode, const Coupon& coupon) const;
  std::int64_t times_redeemed(Mode mode, const PromotionCode& code) const;
  Timestamp now() const { return now_; }

 private:
  std::map<AccountKey, std::shared_ptr<const Account>> accounts_;
  std::vector<std::shared_ptr<const Account>> earlier_;  ///< as they were before they were loaded again
  std::map<std::string, Invoice, std::less<>> invoices_;
  std::map<std::string, Subscription, std::less<>> subscriptions_;
  std::map<std::string, Schedule, std::less<>> schedules_;
  std::map<std::string, BalanceTransaction, std::less<>> balance_transactions_;
  std::map<std::string, std::string, std::less<>> owners_;       ///< by charge, refund or credit note: the invoice
  std::map<std::string, std::string, std::less<>> item_owners_;  ///< by invoice item: the invoice
  std::map<PlanId, Plan> plans_;
  std::vector<Plan> new_plans_;
  std::map<std::string, TestClock, std::less<>> test_clocks_;
  std::map<std::string, Product, std::less<>> products_;
  const store::Catalog* catalog_ = nullptr;
  Timestamp now_;
  /// What was found in the catalog stays while it is shown, whatever becomes of it there.
  mutable std::vector<std::shared_ptr<const void>> found_;
};

/// An object by its kind and identifier.
struct Named {
  Kind kind = Kind::nothing;
  std::string id;
};

/// An invoice and its PaymentIntent differ in the prefix of their identifiers only.
std::string payment_intent_id(const InvoiceId& invoice);
/// Empty for the identifier of anything else.
InvoiceId invoice_of_payment_intent(std::string_view id);

/// Loads what is not known yet of all these, in as few round trips as their kinds allow. What does not exist stays
/// unknown, which is no failure. Plans that the loaded objects show come along.
awaitable<Result<void>> load(Services& services, Mode mode, Known& known, std::vector<Named> wanted);

/// One of each kind; not_found, naming the parameter, when there is none. The pointers hold as long as `known` does.
/// A deleted customer is found (only its identifier is left); load_live_customer() does not find it.
awaitable<Result<const Account*>> load_customer(Services& services, Mode mode, Known& known, std::string id,
                                                std::string parameter);
awaitable<Result<const Account*>> load_live_customer(Services& services, Mode mode, Known& known, std::string id,
                                                     std::string parameter);
awaitable<Result<const Subscription*>> load_subscription(Services& services, Mode mode, Known& known, std::string id);
awaitable<Result<const Invoice*>> load_invoice(Services& services, Mode mode, Known& known, std::string id);
/// The invoice, or what holds a charge that was asked for by itself.
awaitable<Result<const Invoice*>> load_payment(Services& services, Mode mode, Known& known, std::string invoice);
awaitable<Result<const Plan*>> load_plan(Services& services, Mode mode, Known& known, std::string id,
                                         std::string parameter);

/// The identifiers of everything of the kind that the account has or had, the records outside it included, newest
/// first: nothing is missed that moves between the two meanwhile. What they name need not be known afterwards. The kind
/// is one of an account's objects that may have left it, or payment_intent, which is told by the identifiers of its
/// invoices.
awaitable<Result<std::vector<std::string>>> list_history(Services& services, Mode mode, Known& known, AccountKey key,
                                                         Kind kind);
/// The same, and all of them are known afterwards.
awaitable<Result<std::vector<std::string>>> load_history(Services& services, Mode mode, Known& known, AccountKey key,
                                                         Kind kind);

/// Identifiers of one account's objects, the latest made first.
void sort_newest_first(const AccountKey& key, std::vector<std::string>& ids);

/// The time in which the account lives: its test clock's, or real time.
awaitable<Result<Timestamp>> account_time(Services& services, const Account& account);

}  // namespace billd::api::stripe
