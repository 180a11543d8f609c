#include "engine/command.hpp"

#include <utility>

namespace billd {

template <class Alternative>
  requires is_alternative<AnyCommand, Alternative>
Command::Command(Alternative alternative) : AnyCommand(std::move(alternative)) {}

Command::Command() = default;
Command::Command(const Command& other) = default;
Command::Command(Command&& other) noexcept = default;
Command& Command::operator=(const Command& other) = default;
Command& Command::operator=(Command&& other) noexcept = default;
Command::~Command() = default;

template Command::Command(CreateCustomer);
template Command::Command(UpdateCustomer);
template Command::Command(DeleteCustomer);
template Command::Command(AddSource);
template Command::Command(AddSources);
template Command::Command(UpdateSource);
template Command::Command(RemoveSource);
template Command::Command(Subscribe);
template Command::Command(CancelSubscription);
template Command::Command(ResumeSubscription);
template Command::Command(PayInvoice);
template Command::Command(CloseInvoice);
template Command::Command(ReopenInvoice);
template Command::Command(RecordChargeOutcome);
template Command::Command(CreateInvoiceItem);
template Command::Command(UpdateInvoiceItem);
template Command::Command(DeleteInvoiceItem);
template Command::Command(CreateInvoice);
template Command::Command(UpdateInvoice);
template Command::Command(FinalizeInvoice);
template Command::Command(SendInvoice);
template Command::Command(VoidInvoice);
template Command::Command(MarkInvoiceUncollectible);
template Command::Command(DeleteInvoice);
template Command::Command(UpdateSubscription);
template Command::Command(RefundCharge);
template Command::Command(UpdateRefund);
template Command::Command(RecordRefundOutcome);
template Command::Command(RenewSubscription);
template Command::Command(LapseSubscription);
template Command::Command(RecordDispute);
template Command::Command(VerifySource);
template Command::Command(UpdateCharge);
template Command::Command(CreateCreditNote);
template Command::Command(UpdateCreditNote);
template Command::Command(VoidCreditNote);
template Command::Command(AdjustBalance);
template Command::Command(CreateSchedule);
template Command::Command(UpdateSchedule);
template Command::Command(CancelSchedule);
template Command::Command(ReleaseSchedule);
template Command::Command(RecordUsage);
template Command::Command(ChargeCustomer);
template Command::Command(RecordForeignRefund);
template Command::Command(HoldDraft);
template Command::Command(UpdateBalanceTransaction);
template Command::Command(UnpauseSubscription);
template Command::Command(AddTaxIdentifier);
template Command::Command(RemoveTaxIdentifier);

}  // namespace billd
