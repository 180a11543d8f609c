// A customer's life in memory: commands and time go through decide() and tick() as a daemon does it, and every commit
// is checked against what must hold of all of them.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decide.hpp"

namespace billd::test {

/// "2026-01-31" or "2026-01-31 12:00:00", in UTC.
Timestamp at(const char* text);

inline constexpr Recurrence daily{Interval::day, 1}, monthly{Interval::month, 1};

Price price(std::int64_t minor, Recurrence recurrence = monthly, std::string_view currency = "usd");
NewSource bank_account(std::string last4);
NewSource card(std::string reference = "tok_visa");
/// A share in percent, or an amount in cents, off.
Redemption percent_off(const char* percent, CouponDuration duration = CouponDuration::forever, std::int32_t months = 0);
Redemption amount_off(std::int64_t minor, CouponDuration duration = CouponDuration::forever, std::int32_t months = 0,
                      std::string_view currency = "usd");
AppliedTaxRate tax_of(const char* percent, bool inclusive = false);
Price metered(Price price, Aggregation aggregation = Aggregation::sum);
/// One item of that price.
Subscribe subscribe_to(Price price);

/// The events of a transition by name, in order.
std::vector<std::string> names(const Transition& transition);

/// "past_due", "draft", …: so that failures can be read.
std::string to_text(SubscriptionStatus status);
std::string to_text(InvoiceStatus status);

ChargeOutcome succeeded();
ChargeOutcome declined(std::string code = "generic_decline");

/// The invoice without what a preview cannot know or does not mean: identifiers, times of its own, its later life.
Invoice what_is_billed(Invoice invoice);

class Scenario {
 public:
  explicit Scenario(Timestamp start, Rules billing_rules = {}, std::uint64_t account_number = 1);

  Timestamp now;
  Rules rules;
  /// Whether each step of time and each command is compared with its preview.
  bool checks_previews = false;

  /// What becomes of a refund that is sent or looked up; empty: no answer ever comes. At first everything succeeds.
  std::function<std::optional<RefundOutcome>(const SendRefund&, const Refund&)> refund_bank;
  /// What becomes of a charge that is sent or looked up; empty: no answer ever comes. At first everything succeeds.
  std::function<std::optional<ChargeOutcome>(const CollectCharge&, const Charge&)> bank;
  /// The bank answers this from now on; kind `unknown` stands for no answer.
  void bank_says(ChargeOutcome outcome);

  /// Decides and commits a command, or tells why not. Charges are left in flight.
  Result<Transition> attempt(const Command& command);
  /// Decides and commits a command, which must succeed. Charges are left in flight.
  Transition decide(const Command& command);
  /// The same, and the bank answers the charges that it calls for.
  Transition run(const Command& command);
  /// The failure of a command which must fail.
  Failure refused(const Command& command);
  /// One tick, committed when it changed something. Charges are left in flight.
  Transition tick();
  /// Ticks until nothing more is due; the bank answers.
  void work();
  /// Time passes and everything is done on the minute.
  void pass_to(Timestamp time);
  /// Nothing was done until `time`; now the daemon works it off.
  void jump_to(Timestamp time);
  /// Lets the bank answer.
  void perform(const std::vector<Effect>& effects);
  /// Records what the gateway says of the charge in flight of the invoice.
  Transition answer(const InvoiceId& invoice, ChargeOutcome outcome);

  const Account& account() const { return account_; }
  /// As it is in the account, or as it was settled.
  const Invoice& invoice(const InvoiceId& id) const;
  const Subscription& subscription(const SubscriptionId& id) const;
  /// The record of a settled invoice as a command brings it along; empty when it is in the account.
  std::optional<Invoice> settled(const InvoiceId& id) const;
  /// Wherever it is; nullptr: there is none.
  const Invoice* find_invoice(const InvoiceId& id) const;
  /// Of all invoices, oldest first, provisional ones among them.
  const std::vector<InvoiceId>& invoice_ids() const { return invoice_ids_; }
  const InvoiceItem& item(const InvoiceItemId& id) const { return *account_.find(id); }
  /// The customer's invoices, oldest first, wherever they are; provisional ones are left out.
  std::vector<Invoice> invoices() const;
  const std::map<std::string, Record>& records() const { return records_; }

  /// An amount to be billed with the next invoice.
  InvoiceItemId item_of(std::int64_t minor, SubscriptionId subscription = {});
  /// A customer with a card, and a subscription to it; the bank answers.
  void customer_with_card(std::string reference = "tok_visa");
  SubscriptionId subscribed_to(Price price);
  SubscriptionId subscribed_to(Subscribe command);
  /// The newest invoice.
  Invoice latest_invoice() const;

  /// The events since the last call, by name, in order.
  std::vector<std::string> take_events();

 private:
  void perform(const CollectCharge& effect);
  void perform(const SendRefund& effect);
  void check_effect(const CollectCharge& effect, const Account& after) const;
  void check_effect(const SendRefund& effect, const Account& after) const;
  void commit(Transition transition, const InvoiceId& named);
  void check_preview(const Result<Invoice>& shown, const Transition& done, bool begun_by_time) const;
  void check_events(const Transition& transition);
  void check_amounts(const Invoice& invoice) const;
  void check_invoice(const Invoice& invoice, const Account& account);
  static void check_credit_notes(const Invoice& invoice);
  void check_new_invoices(const Transition& transition);
  void check_items(const Transition& transition);
  void check_identifiers(const Transition& transition) const;

  Account account_;
  std::map<std::string, Record> records_;
  std::vector<std::string> events_;
  std::uint64_t events_total_ = 0;
  std::set<std::string> known_invoices_;
  std::set<std::string> tentative_;  ///< invoices of changes that are not made
  std::vector<InvoiceId> invoice_ids_;
  std::map<std::string, std::string> owner_of_number_;
  struct Billed {
    std::int64_t ordinal = -1;
    std::optional<Timestamp> until;  ///< what was paid ahead; empty: nothing was, for all of it is metered
    bool is_trial = false;
  };
  std::map<std::string, Billed> billed_;
  std::set<std::string> free_before_anchor_;
  std::int64_t balance_ = 0;  ///< by the records of its changes
};

}  // namespace billd::test
