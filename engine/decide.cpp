// The commands, told apart.
#include "engine/decide.hpp"

#include "engine/change.hpp"

namespace billd {
namespace {

struct Carry {
  Change& change;

  Result<void> operator()(const CreateCustomer& command) const { return create_customer(change, command); }
  Result<void> operator()(const UpdateCustomer& command) const { return update_customer(change, command); }
  Result<void> operator()(const DeleteCustomer&) const { return delete_customer(change); }
  Result<void> operator()(const AddSource& command) const { return add_source(change, command); }
  Result<void> operator()(const AddSources& command) const { return add_sources(change, command); }
  Result<void> operator()(const UpdateSource& command) const { return update_source(change, command); }
  Result<void> operator()(const RemoveSource& command) const { return remove_source(change, command); }
  Result<void> operator()(const VerifySource& command) const { return verify_source(change, command); }
  Result<void> operator()(const UpdateCharge& command) const { return update_charge(change, command); }
  Result<void> operator()(const Subscribe& command) const { return subscribe(change, command); }
  Result<void> operator()(const CancelSubscription& command) const { return cancel_subscription(change, command); }
  Result<void> operator()(const ResumeSubscription& command) const { return resume_subscription(change, command); }
  Result<void> operator()(const PayInvoice& command) const { return pay_invoice(change, command); }
  Result<void> operator()(const CloseInvoice& command) const { return close_invoice(change, command); }
  Result<void> operator()(const ReopenInvoice& command) const { return reopen_invoice(change, command); }
  Result<void> operator()(const RecordChargeOutcome& command) const { return record_charge_outcome(change, command); }
  Result<void> operator()(const CreateInvoiceItem& command) const { return create_invoice_item(change, command); }
  Result<void> operator()(const UpdateInvoiceItem& command) const { return update_invoice_item(change, command); }
  Result<void> operator()(const DeleteInvoiceItem& command) const { return delete_invoice_item(change, command); }
  Result<void> operator()(const CreateInvoice& command) const { return create_invoice(change, command); }
  Result<void> operator()(const UpdateInvoice& command) const { return update_invoice(change, command); }
  Result<void> operator()(const FinalizeInvoice& command) const { return finalize_by_hand(change, command); }
  Result<void> operator()(const SendInvoice& command) const { return send_invoice(change, command); }
  Result<void> operator()(const VoidInvoice& command) const { return void_invoice(change, command); }
  Result<void> operator()(const MarkInvoiceUncollectible& command) const { return mark_uncollectible(change, command); }
  Result<void> operator()(const DeleteInvoice& command) const { return delete_invoice(change, command); }
  Result<void> operator()(const UpdateSubscription& command) const { return update_subscription(change, command); }
  Result<void> operator()(const RecordUsage& command) const { return record_usage(change, command); }
  Result<void> operator()(const RefundCharge& command) const { return refund_charge(change, command); }
  Result<void> operator()(const UpdateRefund& command) const { return update_refund(change, command); }
  Result<void> operator()(const RecordRefundOutcome& command) const { return record_refund_outcome(change, command); }
  Result<void> operator()(const RenewSubscription& command) const { return renew_by_hand(change, command); }
  Result<void> operator()(const LapseSubscription& command) const { return lapse_subscription(change, command); }
  Result<void> operator()(const RecordDispute& command) const { return record_dispute(change, command); }
  Result<void> operator()(const CreateCreditNote& command) const { return create_credit_note(change, command); }
  Result<void> operator()(const UpdateCreditNote& command) const { return update_credit_note(change, command); }
  Result<void> operator()(const VoidCreditNote& command) const { return void_credit_note(change, command); }
  Result<void> operator()(const AdjustBalance& command) const { return adjust_balance(change, command); }
  Result<void> operator()(const UpdateBalanceTransaction& command) const {
    return update_balance_transaction(change, command);
  }
  Result<void> operator()(const CreateSchedule& command) const { return create_schedule(change, command); }
  Result<void> operator()(const UpdateSchedule& command) const { return update_schedule(change, command); }
  Result<void> operator()(const CancelSchedule& command) const { return cancel_schedule(change, command); }
  Result<void> operator()(const ReleaseSchedule& command) const { return release_schedule(change, command); }
  Result<void> operator()(const ChargeCustomer& command) const { return charge_customer(change, command); }
  Result<void> operator()(const HoldDraft& command) const { return hold_draft(change, command); }
  Result<void> operator()(const UnpauseSubscription& command) const { return unpause_subscription(change, command); }
  Result<void> operator()(const AddTaxIdentifier& command) const { return add_tax_identifier(change, command); }
  Result<void> operator()(const RemoveTaxIdentifier& command) const { return remove_tax_identifier(change, command); }
  Result<void> operator()(const RecordForeignRefund& command) const { return record_foreign_refund(change, command); }
};

}  // namespace

Result<Transition> decide(Account account, const Command& command, Timestamp now, const Rules& rules) {
  if (account.customer.id.is_empty() && !std::holds_alternative<CreateCustomer>(command))
    return Failure{Errc::not_found, "No such customer", "customer"};
  Change change(std::move(account), now, rules);
  auto carried = std::visit(Carry{change}, command);
  if (!carried) return carried.error();
  return change.finish();
}

}  // namespace billd
