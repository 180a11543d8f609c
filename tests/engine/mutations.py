#!/usr/bin/env python3
"""Removes clamps, checks and roundings of the engine, one at a time, and shows that a test notices.

  mutations.py                 all of them (takes minutes)
  mutations.py NAME...         only these
  mutations.py --sample        always the same few of each file; all of them where BILLD_LONG is set
  mutations.py --texts         only looks whether each mutation still fits the code
  mutations.py --find NAME...  which tests notice, of all: to choose the one to be named
  --build FOLDER               where the engine's tests are built; build/dev

Each mutation is a text of one file, which must be there exactly once, what takes its place, and the tests of which one
must fail. Only the file that is touched is compiled, to an object that is linked in place of the built one, and only
the named tests run.
"""
import argparse
import concurrent.futures
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE_SIZE = 20

# Name, file of engine/, what is there, what takes its place, the tests of which one must fail.
MUTATIONS = [
    # Refunds.
    ("refund more than is left", "refunds.cpp", "if (command.amount && *command.amount > left)",
     "if (command.amount && *command.amount > left && left < 0)", "Refunds.AreTogetherAtMostWhatWasCharged"),
    ("refund of nothing left", "refunds.cpp", "if (left == 0) return", "if (left == -1) return",
     "Refunds.AreTogetherAtMostWhatWasCharged"),
    ("refund of zero", "refunds.cpp", "*command.amount <= 0)", "*command.amount < 0)",
     "Refunds.AreTogetherAtMostWhatWasCharged"),
    ("refund of a charge that failed", "refunds.cpp", "if (charge.state != ChargeState::succeeded)",
     "if (charge.state == ChargeState::sending)", "ARefund.IsOfAChargeThatSucceeded"),
    ("refund for any reason", "refunds.cpp", "reasons.end())\n    return Failure{Errc::invalid_parameter,",
     "reasons.end() && command.reason.size() > 99)\n    return Failure{Errc::invalid_parameter,",
     "ARefund.HasOneOfThreeReasonsOrNone"),
    ("one refund more than may be", "refunds.cpp",
     "if (charge.refunds.size() >= refunds_max)\n", "if (charge.refunds.size() > refunds_max)\n",
     "Refunds.OfOneChargeHaveALimit"),
    ("a failed refund lives again", "refunds.cpp", "if (state == RefundState::failed) return std::nullopt;", "",
     "ARefundsOutcome.FollowsItsTable"),
    ("a refund that arrived is parked", "refunds.cpp",
     "return state == RefundState::sending || state == RefundState::pending ? std::optional(RefundState::parked)",
     "return state != RefundState::failed ? std::optional(RefundState::parked)", "ARefundsOutcome.FollowsItsTable"),
    ("a refund that arrived is pending again", "refunds.cpp",
     "state == RefundState::sending || state == RefundState::parked ? "
     "std::optional(RefundState::pending)",
     "state != RefundState::pending ? std::optional(RefundState::pending)", "ARefundsOutcome.FollowsItsTable"),
    ("a refund arrives twice", "refunds.cpp",
     "return state != RefundState::succeeded ? std::optional(RefundState::succeeded) : std::nullopt;",
     "return std::optional(RefundState::succeeded);", "ARefundsOutcome.FollowsItsTable"),
    ("a refund is sent again when its key may be forgotten", "refunds.cpp", "silence >= rules.charge_key_life",
     "silence >= 2 * rules.charge_key_life", "ARefund.WithoutAnAnswerIsAskedAfterAndSentAgainUnderItsName"),
    ("a refund is asked for without patience", "refunds.cpp",
     "refund.resolve_at = change.now + wait_after(silence, rules.charge_resolve_after, "
     "rules.charge_resolve_max);",
     "refund.resolve_at = change.now + rules.charge_resolve_after + 0 * silence;",
     "ARefund.WithoutAnAnswerIsAskedAfterMoreAndMoreRarely"),

    # Credit notes.
    ("credit note over what is due", "credit_notes.cpp", "if (left < 0)\n", "if (left < -999'999'999)\n",
     "ACreditNote.BeforePaymentHasItsLimits"),
    ("credit note leaves what cannot be charged", "credit_notes.cpp", "if (left > 0 && left < least.minor)",
     "if (left > 0 && left < least.minor && left < 0)", "ACreditNote.BeforePaymentHasItsLimits"),
    ("credit note over the invoice", "credit_notes.cpp", "if (amount.minor > left)\n",
     "if (amount.minor > left && left < 0)\n", "CreditNotes.AreTogetherAtMostTheInvoice"),
    ("credit notes before payment are not counted after it", "credit_notes.cpp",
     "0) - invoice.credited(false) - invoice.credited(true);", "0) - invoice.credited(true);",
     "CreditNotes.BeforePaymentCountAfterIt"),
    ("credit note refunds more than the charge has", "credit_notes.cpp", "if (command.refund_amount > refundable)",
     "if (command.refund_amount > refundable && refundable < 0)", "ACreditNote.RefundsNoMoreThanTheChargeHasLeft"),
    ("void credit notes count for a line", "credit_notes.cpp", "if (note.voided_at) continue;", "",
     "ACreditNote.OfALineThatWasVoidedLeavesItToOthers"),
    ("credit note is voided after payment", "credit_notes.cpp", "if (found->status != InvoiceStatus::open)\n",
     "if (found->status == InvoiceStatus::void_)\n", "ACreditNote.AfterPaymentIsNeverVoided"),
    ("credit note is voided while a charge is in flight", "credit_notes.cpp",
     "  if (found->unresolved_charge() != nullptr)\n",
     "  if (found->unresolved_charge() != nullptr && note_found->amount.minor < 0)\n",
     "ACreditNote.IsNotVoidedWhileAChargeIsInFlight"),
    ("credit note is voided twice", "credit_notes.cpp", "if (note_found->voided_at) return",
     "if (note_found->voided_at && note_found->amount.minor < 0) return", "ACreditNote.BeforePaymentCanBeVoided"),
    ("a line of an invoice is named twice", "credit_notes.cpp", "if (is_again) return",
     "if (is_again && lines.empty()) return", "ACreditNote.IsMadeOfLines"),
    ("credit note of more than the line", "credit_notes.cpp",
     "made.amount.minor > line->amount.minor - taken_back(", "made.amount.minor > line->amount.minor - 0 * taken_back(",
     "ACreditNote.IsMadeOfLines:ACreditNote.OfALine*"),
    ("credit note of more than was bought", "credit_notes.cpp", "*wanted.quantity > line->quantity",
     "*wanted.quantity < 0", "ACreditNote.IsMadeOfLines:ACreditNote.OfALine*"),
    ("half a unit of a credit note is rounded to the even", "credit_notes.cpp", "line->quantity, Rounding::half_up",
     "line->quantity, Rounding::half_even", "ACreditNote.OfALine*"),
    ("the parts of a credit note need not be the whole", "credit_notes.cpp", "if (parts != amount.minor)",
     "if (parts > amount.minor)", "ACreditNote.AfterPaymentIsDividedToTheCent"),
    ("one credit note more than may be", "credit_notes.cpp", "invoice.credit_notes.size() >= notes_max",
     "invoice.credit_notes.size() > notes_max", "CreditNotes.OfOneInvoiceHaveALimit"),
    ("a credit note takes the balance beyond its limit", "credit_notes.cpp",
     "if (command.credit_amount > change.customer().balance + balance_limit) return",
     "if (command.credit_amount > change.customer().balance + 2 * balance_limit) return",
     "ACreditNote.KeepsTheBalanceWithinItsLimits"),

    # Balances.
    ("an adjustment beyond the limit", "customers.cpp",
     "if (balance < -balance_limit || balance > balance_limit) return",
     "if (balance < -balance_limit || balance > balance_limit + 1) return",
     "TheBalance.IsAdjustedWithinItsLimitsAndInOneCurrency"),
    ("a credit beyond the limit", "customers.cpp", "if (balance < -balance_limit || balance > balance_limit) return",
     "if (balance < -balance_limit - 1 || balance > balance_limit) return",
     "TheBalance.IsAdjustedWithinItsLimitsAndInOneCurrency"),
    ("an opening balance beyond the limit", "customers.cpp",
     "balance >= -balance_limit && balance <= balance_limit; }",
     "balance >= -balance_limit - 1 && balance <= balance_limit + 1; }",
     "UpdateCustomer.KeepsShippingTaxesLanguagesAndTheBalanceWithinItsRange"),
    ("an invoice takes the balance beyond its limit", "invoices.cpp",
     "ending < -balance_limit || ending > balance_limit)",
     "ending < -2 * balance_limit || ending > 2 * balance_limit)", "ABalance.NeverLeavesItsLimit"),
    ("voiding takes the balance beyond its limit", "invoices.cpp",
     "if (given_back < -balance_limit || given_back > balance_limit) return",
     "if (given_back < -2 * balance_limit || given_back > 2 * balance_limit) return",
     "TheBalance.IsNotTakenBeyondItsLimitByAVoidedInvoice"),
    ("less than the minimum is charged", "invoices.cpp", "sum < minimum_charge(total.currency).minor ? 0 : sum",
     "sum < 0 ? 0 : sum", "AnAmountBelowTheMinimum.IsOwedWithTheNextInvoice"),
    ("an invoice of nothing collects what is owed", "invoices.cpp",
     "if (total.minor == 0) return BalanceUse{0, balance};", "", "ABalance.IsLeftAloneByAnInvoiceOfNothing"),

    # Collection.
    ("a stolen card is charged again", "collection.cpp", "return is_spent ? nullptr : source;",
     "return is_spent && source == nullptr ? nullptr : source;", "ACard.ThatWasFinallyDeclinedIsNotChargedAgain"),
    ("a bank debit is tried again", "collection.cpp", "|| std::holds_alternative<BankAccountSummary>(charge.means));",
     ");", "ABankDebit.ThatWasReturnedIsNotTriedAgain"),
    ("another source is spent, too", "collection.cpp", "return charge.source == source->id && charge.state",
     "return charge.state", "ANewCard.IsChargedAtOnceAndByTheSchedule"),
    ("a charge is sent again when its key may be forgotten", "collection.cpp", "silence >= rules.charge_key_life",
     "silence >= 2 * rules.charge_key_life", "AnUnknownOutcome.IsOnlyLookedUpWhenTheKeysLifeIsOver"),
    ("a pending charge is never parked", "collection.cpp", "if (silence >= rules.charge_pending_limit)",
     "if (silence >= 9 * rules.charge_pending_limit)", "APendingCharge.IsParkedWhenItWillNotEnd"),
    ("a pending charge is sent again", "collection.cpp",
     "change.effects().emplace_back(CollectCharge{invoice.id, charge.id, true});",
     "change.effects().emplace_back(CollectCharge{invoice.id, charge.id, false});", "APendingCharge.*"),
    ("an attempt by hand counts as one of the schedule's", "collection.cpp",
     "if (automatic || invoice.attempt_count == 0) {", "{", "PayInvoice.ByHandLeavesTheScheduleAsItStands"),
    ("the retries never end", "subscriptions.cpp", "const bool exhausted = goes_on && retry >= schedule.size();",
     "const bool exhausted = goes_on && retry >= schedule.size() && schedule.empty();\n  if (goes_on && "
     "!exhausted && retry >= schedule.size()) return;",
     "TheFinalAction.*"),
    ("the first payment is retried by the schedule", "subscriptions.cpp",
     "!invoice.next_attempt_at && !first_payment &&", "!invoice.next_attempt_at &&", "ADeclinedFirstPayment.*"),
    ("an older invoice makes a subscription past due", "subscriptions.cpp",
     "subscription->status == SubscriptionStatus::active && subscription->latest_invoice == invoice.id) "
     "{",
     "subscription->status == SubscriptionStatus::active) {", "AnOlderInvoice.*"),
    ("a success is recorded again", "outcomes.cpp",
     "return charge.state != ChargeState::succeeded && (charge.is_unresolved() || !charge.contradicted);",
     "return true;", "AnOutcome.RecordedTwiceChangesNothingTheSecondTime:ASuccess.*:ADecline.*"),
    ("a contradiction does not stop further attempts", "outcomes.cpp",
     "charge.state = ChargeState::parked;\n    invoice.next_attempt_at.reset();", "",
     "ASuccess.AfterTheSameChargeWasDeclinedIsAnAlarmAndKeepsEveryOtherAttemptFromBeingMade"),

    # Time.
    ("several periods are begun in one go", "tick.cpp", "if (may_bill(waits.task) && !may_bill_more) return;", "",
     "FortyDaysOfStop.*:TwoSubscriptions.DueAtTheSameTimeAreRenewedOneAfterTheOther"),
    ("collection resumes after the renewal of its moment", "tick.cpp",
     "task == Task::resume_collection ||", "",
     "APause.EndsByItself"),
    ("a pending update ends after the renewal of its moment", "tick.cpp",
     "|| task == Task::expire_pending_update;", ";", "APendingUpdate.EndsWithThePeriodAtTheLatest"),
    ("what a dropped change would have cost is owed", "pending_updates.cpp",
     "give_items_back(change, *invoice, update.objects_before);", "give_items_back(change, *invoice);",
     "APendingUpdate.IsDroppedWhenItsTimeIsOver"),
    ("a pending update uses a coupon up that it does not get", "pending_updates.cpp",
     "  give_discount_back(change, *invoice);", "", "APendingUpdate.GivesBackTheBalanceAndTheCouponOfItsInvoice"),
    ("the invoice of a pending update leaves the account", "change.cpp",
     "if (pending_update_of(account, invoice) != nullptr) return false;", "",
     "APendingUpdate.IsMadeWhenItsInvoiceIsPaidLater"),
    ("a declined change is made all the same", "outcomes.cpp",
     "return drop_pending_update(change, *change.account().find(invoice.subscription));\n  }\n  set_delinquent",
     "return {};\n  }\n  set_delinquent", "AnUpdateThatMustBePaid.IsNotMadeWhenItIsDeclined"),
    ("what is left to the customer is charged", "subscriptions.cpp", "if (!billing.waits) {", "if (true) {",
     "AnUpdateThatLeavesThePaymentToTheCustomer.IsPastDueUntilItIsPaid"),
    ("backdated time is billed by the current month", "proration.cpp",
     "ordinal_at(stretch.start, recurrence, stretch.end)", "0", "ABackdatedSubscription.*"),
    ("a subscription is renewed before the phase of its moment", "tick.cpp",
     "each(account.schedules);\n  each(account.subscriptions);",
     "each(account.subscriptions);\n  each(account.schedules);", "ASchedule.*:APhase.*"),
    ("a renewal comes before what is owed", "tick.cpp",
     "each(account.invoices);\n  each(account.schedules);\n  each(account.subscriptions);",
     "each(account.schedules);\n  each(account.subscriptions);\n  each(account.invoices);",
     "AnInvoice.OwedAlreadyIsSettledBeforeARenewalDueAtTheSameTime"),
    ("the later of things that are due is done first", "tick.cpp",
     "if (!first || waits.due < first->waits.due) first", "if (!first || waits.due > first->waits.due) first",
     "TheEarliest.IsDoneFirst"),
    ("a subscription expires while its charge is in flight", "tick.cpp",
     "if (invoice != nullptr && invoice->unresolved_charge() != nullptr) return std::nullopt;", "",
     "AFirstPaymentOfUnknownOutcome.KeepsTheSubscriptionFromExpiring"),
    ("cancel_at does not end a grace", "tick.cpp",
     "subscription.cancel_at ? std::min(lapses, *subscription.cancel_at) : lapses;", "lapses;",
     "AWebhooksSubscription.*"),
    ("a cancellation later than the period ends it", "tick.cpp",
     "subscription.cancel_at && *subscription.cancel_at <= end;", "subscription.cancel_at.has_value();",
     "ACancellation.InALaterPeriodBillsThatPeriodUntilThen"),
    ("an upcoming invoice is announced of what ends", "tick.cpp", "if (!ends) consider(subscription.upcoming_at",
     "consider(subscription.upcoming_at", "AnInvoice.IsNotAnnouncedInVain"),
    ("expiring cards trouble those who pay in another way", "tick.cpp",
     "!source.expiring_at || std::ranges::none_of(account.subscriptions, charges)", "!source.expiring_at",
     "ACard.IsSaidToExpire*:ACard.IsNotSaidToExpire*"),
    ("the notice of a period that is shorter", "notices.cpp",
     "if (notice > change.now) subscription.upcoming_at = notice;", "subscription.upcoming_at = notice;",
     "AnInvoice.IsNotAnnouncedInVain"),
    ("a notice for the moment at which the period begins", "notices.cpp", "if (notice > change.now)",
     "if (notice >= change.now)", "AnInvoice.IsNotAnnouncedInVain"),
    ("an invoice is announced that is there", "notices.cpp",
     "if (subscription.current_period.end <= change.now) return {};", "", "AnInvoice.IsNotAnnouncedInVain"),
    ("a card is said to expire after it has", "notices.cpp",
     "if (month && change.now < boundary(*month, {Interval::month, 1}, 1))", "if (month)",
     "ACard.IsNotSaidToExpireTooLate"),
    ("a card in its last month is news", "notices.cpp", "*source.expiring_at <= change.now",
     "*source.expiring_at <= from_unix(0)", "ACard.*"),
    ("the anchor's day drifts", "calendar.cpp", "sys_days(month / std::min(date.day(), last))",
     "sys_days(month / std::min(date.day(), std::chrono::day(28)))", "Calendar.TurnsOnTheAnchorsDayOrTheMonthsLast"),
    ("a boundary belongs to the period before it", "calendar.cpp",
     "boundary(anchor, recurrence, ordinal + 1) <= time) ++ordinal;",
     "boundary(anchor, recurrence, ordinal + 1) < time) ++ordinal;", "Calendar.FindsThePeriodThatHoldsATime"),

    # Schedules and pauses.
    ("a phase begins anywhere", "schedules.cpp",
     "if (!phases.empty() && asked && whole_second(*asked) != start)",
     "if (!phases.empty() && asked && whole_second(*asked) < start)", "ASchedule.IsCheckedBeforeItIsMade"),
    ("a phase ends where it begins", "schedules.cpp", "if (phase.end <= phase.start ||",
     "if (phase.end < phase.start ||", "ASchedule.IsCheckedBeforeItIsMade"),
    ("a phase's trial ends where it begins", "schedules.cpp", "if (*phase.trial_end <= phase.start ||",
     "if (*phase.trial_end < phase.start ||", "APhase.HasATrialThatEndsWithinIt"),
    ("a phase's trial outlasts it", "schedules.cpp", "|| *phase.trial_end > phase.end)",
     "|| *phase.trial_end > end_of_time)", "ASchedule.IsCheckedBeforeItIsMade"),
    ("a phase of no iterations", "schedules.cpp", "if (each.iterations.value_or(1) < 1)",
     "if (each.iterations.value_or(1) < 0)", "ASchedule.IsCheckedBeforeItIsMade"),
    ("a schedule begins in the past", "schedules.cpp",
     "(whole_second(*command.phases.front().start) < whole_second(change.now) ||",
     "(whole_second(*command.phases.front().start) < from_unix(0) ||", "ASchedule.IsCheckedBeforeItIsMade"),
    ("a schedule is moved into the past", "schedules.cpp",
     "if (!is_active && asked < whole_second(change.now)) return", "if (!is_active && asked < from_unix(0)) return",
     "ASchedule.IsCheckedBeforeItIsMade:ASchedule.IsChangedOnlyAheadOfItsTime"),
    ("the current phase is moved", "schedules.cpp", "if (is_active && asked != start)",
     "if (is_active && asked < from_unix(0))", "ASchedule.*"),
    ("the current phase ends in the past", "schedules.cpp",
     "if (is_active && phases->front().end <= change.now && !ends_now)",
     "if (is_active && phases->front().end < from_unix(0))", "ASchedule.*"),
    ("one phase more than may be", "schedules.cpp", "if (wanted.size() > phases_max) return",
     "if (wanted.size() > phases_max + 1) return", "ASchedule.IsCheckedBeforeItIsMade"),
    ("one schedule more than may be", "schedules.cpp", "account.schedules.size() >= schedules_max",
     "account.schedules.size() > schedules_max", "Schedules.StopAtFiveHundred"),
    ("phases that are over are kept for ever", "schedules.cpp",
     "static_cast<std::size_t>(schedule.phase) > phases_max)",
     "static_cast<std::size_t>(schedule.phase) > 99 * phases_max)", "ASchedule.Keeps*"),
    ("items of the same price are replaced", "schedules.cpp",
     "return item.price == wanted.price && std::ranges::find(kept, item.id) == kept.end();",
     "return item.price == wanted.price && item.quantity < 0;", "APhase.KeepsTheItemsOfTheSamePrice"),
    ("an anchor at a phase's start is forgotten", "schedules.cpp",
     "if (schedule.anchors_at_start(phase) && !phase.trial_end) {",
     "if (schedule.anchors_at_start(phase) && phase.trial_end) {", "APhase.AnchorsTheCycleAnew"),
    ("a pause ends now", "pauses.cpp", "*pause.resumes_at <= change.now ||", "*pause.resumes_at < change.now ||",
     "APause.EndsInTheFuture"),
    ("a draft of a pause is collected when it ends", "pauses.cpp",
     "      stop_collecting(change, invoice);\n      return {};", "      return {};",
     "APause.KeepsNewInvoicesAsDraftsUntilSomebodyFinalizesThem"),
    ("what the balance pays is uncollectible", "pauses.cpp",
     "if (invoice.status == InvoiceStatus::open) make_uncollectible", "make_uncollectible",
     "APause.LetsTheBalancePayWhatItCovers"),

    # Proration.
    ("half a cent of a proration is rounded to the even", "proration.cpp", "length.count(), Rounding::half_up",
     "length.count(), Rounding::half_even", "Proration.*"),
    ("a day that has begun is given back", "proration.cpp", "begun_day_is_used ? std::chrono::ceil",
     "begun_day_is_used ? std::chrono::floor", "Proration.ByTheDayGivesNothingBackForADayThatHasBegun"),
    ("a day that has begun is billed at the old price", "proration.cpp",
     ": std::chrono::floor<std::chrono::days>(since);", ": std::chrono::ceil<std::chrono::days>(since);",
     "Proration.ByTheDayCountsADayThatHasBegunToTheNewPrice"),
    ("a proration is discountable", "proration.cpp", "proration.discountable = false;",
     "proration.discountable = true;", "Proration.*"),
    ("a credit is a debit", "proration.cpp",
     "if (side == Side::credit) amount->minor = -amount->minor;", "", "Proration.*"),
    ("prorations before the current plan", "updates.cpp", "*command.proration_date < earliest ||",
     "*command.proration_date < from_unix(0) ||", "Proration.IsAsIfItHadBeenDoneAtTheGivenDate"),
    ("a period that is over is changed", "updates.cpp",
     "if (!by_schedule && changes_billing(command) && subscription.current_period.end <= change.now)",
     "if (!by_schedule && changes_billing(command) && subscription.current_period.end <= from_unix(0))",
     "AnUpdate.OfAnIncompleteSubscriptionOrOneThatIsBeingRenewedIsRefused"),

    # Money.
    ("a sum wraps", "money.cpp", "if (__builtin_add_overflow(a.minor, b.minor, &sum.minor)) return",
     "if (__builtin_add_overflow(a.minor, b.minor, &sum.minor) && a.minor == 1) return",
     "Money.SumsUpToTheEdgesOf64BitsAndNotBeyond"),
    ("a product wraps", "money.cpp", "if (__builtin_mul_overflow(amount.minor, quantity, &product.minor))",
     "if (__builtin_mul_overflow(amount.minor, quantity, &product.minor) && quantity == 0)",
     "Money.IsMultipliedUpToTheEdgesOf64BitsAndNotBeyond"),
    ("a half to the even is a half up", "money.cpp", "rounding == Rounding::half_up || quotient % 2 != 0",
     "true || quotient % 2 != 0", "AShare.IsRoundedOnceByTheNamedRule"),
    ("a half up is a half down", "money.cpp", "rounding == Rounding::half_up || quotient % 2 != 0",
     "rounding == Rounding::half_even && quotient % 2 != 0", "AShare.IsRoundedOnceByTheNamedRule"),
    ("a negative half is rounded towards zero", "money.cpp", "if (away) quotient += product < 0 ? -1 : 1;",
     "if (away) quotient += 1;", "AShare.IsRoundedOnceByTheNamedRule"),
    ("any currency has the same minimum", "money.cpp", "return {known ? entry->minor : 1, currency};",
     "return {known ? 50 : 1, currency};", "TheSmallestCharge.*"),

    # Discounts, taxes and totals.
    ("an amount off makes a credit", "amounts.cpp",
     "static_cast<std::int64_t>(std::min(most, Wide{coupon.amount_off.minor}))",
     "static_cast<std::int64_t>(Wide{coupon.amount_off.minor} + 0 * most)", "ADiscount.*"),
    ("half a cent of a discount or tax is rounded down", "amounts.cpp", "(rest < 0 ? -rest : rest) >= denominator",
     "(rest < 0 ? -rest : rest) > denominator", "ADiscount.*:ATax.*"),
    ("what may not be reduced is", "amounts.cpp", "return line.discountable && applies_to(", "return applies_to(",
     "ADiscount.*"),
    ("the invoice's discount is of the whole in spite of the item's own", "amounts.cpp",
     "{ return Wide{line.amount.minor} - own_discount_of(line); }", "{ return Wide{line.amount.minor}; }",
     "AnItemsOwnDiscounts.AreTakenOneAfterTheOtherAndBeforeTheInvoices"),
    ("an item's own discounts are each of the whole", "amounts.cpp", "    left.minor -= parts.back();\n", "",
     "AnItemsOwnDiscounts.AreTakenOneAfterTheOtherAndBeforeTheInvoices"),
    ("what the discount took is taxed", "amounts.cpp", "return Wide{line.amount.minor} - line.discount; }",
     "return Wide{line.amount.minor}; }", "ATax.*"),
    ("inclusive taxes come on top", "amounts.cpp", "      if (each.rate.inclusive) continue;\n", "",
     "ATax.*"),
    ("an inclusive tax is taken of itself", "amounts.cpp", "if (rate.inclusive) divisor += rate.percentage.millionths;",
     "if (rate.inclusive) divisor += 0;", "ATax.*"),
    ("who is exempt pays taxes", "amounts.cpp", "if (exempt == TaxExempt::none)\n",
     "if (exempt != TaxExempt::reverse)\n", "ATax.IsNotTakenOfWhoIsExempt"),
    ("taxes wrap", "amounts.cpp", "  total += tax;\n  if (magnitude > most) return too_large;", "  total += tax;",
     "ATax.IsRefusedBeyond64Bits:ASubscription.ThatCannotBeBilledIn64BitsIsRefused"),
    ("what is left over of a discount is given to nobody", "amounts.cpp",
     "for (std::size_t place = 0; left != 0; ++place, left -= unit)",
     "for (std::size_t place = 0; left != 0; ++place, left = 0)", "ADiscount.*"),
    ("a discount lasts a moment longer", "discounts.cpp", "(!discount.end || time < *discount.end)",
     "(!discount.end || time <= *discount.end)", "ACoupon.*"),
    ("once is for ever", "discounts.cpp", "const bool is_used_up = discount->coupon.duration == CouponDuration::once;",
     "const bool is_used_up = false;", "ACoupon.OfOnceIsForTheFirstInvoiceWithSomethingToPay"),
    ("an invoice of nothing uses a coupon up", "discounts.cpp",
     "discount != nullptr && discount_of(invoice.lines, discount->coupon) != 0)", "discount != nullptr)",
     "ACoupon.OfOnceIsForTheFirstInvoiceWithSomethingToPay"),
    ("the customer's coupon goes first", "discounts.cpp",
     "if (subscription != nullptr && subscription->discount && is_in_effect(",
     "if (subscription != nullptr && !customer.discount && subscription->discount && is_in_effect(",
     "ACoupon.OfTheSubscriptionGoesBeforeTheCustomers"),
    ("a coupon after its last day", "discounts.cpp", "change.now > *coupon.redeem_by)",
     "change.now > *coupon.redeem_by + std::chrono::days(9))", "ACoupon.IsRefusedWhenItCannotBeRedeemed"),
    ("a promotion code after its end", "discounts.cpp", "change.now >= *code.expires_at)",
     "change.now > *code.expires_at)", "APromotionCode.IsRefusedOutsideItsLimits"),
    ("an amount off several items is taken from each", "discounts.cpp", "      left -= item->discount;\n    } else {",
     "    } else {", "AProration.*"),

    # Prices and usage.
    ("half a cent of a price is rounded down", "price.cpp", ": 2 * rest >= Decimal::unit)",
     ": 2 * rest > Decimal::unit)", "APrice.*"),
    ("half a cent of a credit is rounded up", "price.cpp", "whole < 0 ? 2 * rest > Decimal::unit",
     "whole < 0 ? 2 * rest >= Decimal::unit", "APrice.OfNegativeAmountsRoundsAHalfAwayFromZero"),
    ("a price wraps", "price.cpp", "if (whole > std::numeric_limits<std::int64_t>::max() || ", "if (",
     "APrice.BeyondSixtyFourBitsIsRefused"),
    ("a tier ends one unit early", "price.cpp", "|| quantity <= tier.up_to; }", "|| quantity < tier.up_to; }",
     "APrice.*"),
    ("a package that has begun is free", "price.cpp", "const bool has_begun = transform.round_up &&",
     "const bool has_begun = transform.round_up && quantity < 0 &&", "APrice.*"),
    ("usage wraps", "usage.cpp", "if (__builtin_add_overflow(sum, point.quantity, &sum)) return too_much();",
     "if (__builtin_add_overflow(sum, point.quantity, &sum)) break;", "Usage.IsRefusedBeyond64Bits"),
    ("the most that was used is the last", "usage.cpp", "    most = std::max(most, point.quantity);",
     "    most = point.quantity;", "Usage.*"),
    ("usage that is set is added", "usage.cpp", "  if (action == UsageAction::set) return quantity;\n", "", "Usage.*"),
    ("usage of tomorrow", "metering.cpp", "if (time > change.now + clock_tolerance)",
     "if (time > change.now + 400 * clock_tolerance)", "AMeteredSubscription.RefusesWhatCannotBeRecorded"),
    ("usage that nobody can be billed", "metering.cpp", "if (cost && cost->minor > usage_amount_max)",
     "if (cost && cost->minor > usage_amount_max && quantity < 0)",
     "AMeteredSubscription.RefusesWhatCannotBeRecorded"),
    ("usage of a trial is billed", "metering.cpp", "if (!ended.is_free) {", "{", "AMeteredItem.IsFreeInATrial"),
    ("usage of the period before goes into this one", "metering.cpp",
     "if (point.time < subscription.current_period.start) return", "if (point.time < from_unix(0)) return",
     "AMeteredSubscription.*"),

    # Invoices.
    ("an invoice that never was has a number", "invoices.cpp",
     "if (!invoice.provisional) invoice.number = draw_invoice_number(change);",
     "invoice.number = draw_invoice_number(change);", "AProvisionalSubscription.*"),
    ("a void invoice keeps the balance that it took", "invoices.cpp",
     "customer.balance - (invoice.ending_balance - invoice.starting_balance);", "customer.balance;", "*Void*"),
    ("a sent invoice is never overdue", "invoices.cpp",
     "if (invoice.auto_advance) invoice.overdue_at = invoice.due_at;", "", "*Overdue*:*Sent*"),
    ("two payments at a time", "invoices.cpp",
     "  if (invoice.unresolved_charge() == nullptr) return {};\n",
     "  if (invoice.charges.size() < 99) return {};\n",
     "PayInvoice.RefusesWhatCannotBePaid"),
    ("a paid invoice is paid again", "invoices.cpp",
     "return Failure{Errc::invalid_state, \"Invoice is already paid\"};", "return {};",
     "PayInvoice.RefusesWhatCannotBePaid"),
    ("pending items of others are billed", "invoice_items.cpp",
     "return item.subscription.is_empty() ? !item.bill_at : item.subscription == invoice.subscription;",
     "return item.subscription.is_empty() ? !item.bill_at : true;",
     "AnInvoiceItem.OfASubscriptionIsLeftByTheInvoicesOfOthers"),
    ("one line more than may be", "invoice_items.cpp", "invoice.lines.size() < invoice_lines_max &&",
     "invoice.lines.size() <= invoice_lines_max &&", "AnInvoiceItem.IsRefusedWhen250ArePendingAndNoInvoiceHoldsMore"),
    ("a pending item makes the lines wrap", "invoice_items.cpp",
     "with_item <= std::numeric_limits<std::int64_t>::max() &&", "with_item > 0 &&",
     "APendingItem.WaitsWhereItsInvoiceHasNoRoomIn64Bits"),

    # Subscriptions.
    ("one item more than may be", "subscriptions.cpp", "if (items.size() > items_max)",
     "if (items.size() > items_max + 1)", "Subscribe.RefusesWhatCannotBeBilled"),
    ("an anchor beyond the next period", "subscriptions.cpp",
     "boundary(start, command.items.front().price.recurrence, 1))",
     "boundary(start, command.items.front().price.recurrence, 2))", "TheAnchor.*"),
    ("any invoice makes a subscription active", "subscriptions.cpp",
     "if (subscription == nullptr || subscription->latest_invoice != invoice.id) return;",
     "if (subscription == nullptr) return;", "AnOlderInvoice.*"),
    ("items in two currencies", "subscriptions.cpp",
     "if (item.price.unit_amount.currency != items.front().price.unit_amount.currency)",
     "if (item.quantity < -1)", "Subscribe.*"),
    ("a free plan that is left keeps its period", "updates.cpp",
     "const bool from_free = !is_free && costs_nothing(before.items) && !costs_nothing(items);",
     "const bool from_free = false;", "AFreePlan.LeftForAPaidOneBeginsANewPeriodNow"),
    ("items that stay are prorated", "updates.cpp", "    if (same_in(subscription.items, item)) continue;\n", "",
     "AnUpdate.*:Proration.*"),

    # What is foreseen.
    ("a forecast leaves out its last moment", "forecast.cpp", "if (payment.at > end_)", "if (payment.at >= end_)",
     "AForecast.TellsEachPaymentWhenItIsMade"),
    ("a preview takes an invoice of another subscription", "preview.cpp",
     "return billed_.contains(invoice.subscription);", "return true;",
     "APreview.OfOneSubscriptionLeavesOutWhatAnotherTakesBefore"),
    ("a preview knows nothing of the balance", "preview.cpp", "  invoice.starting_balance = balance;\n", "",
     "APreview.TakesTheBalanceIntoAccount"),
]


def check_texts(mutations):
    wrong = []
    for name, file, old, new, _ in mutations:
        text = (ROOT / "engine" / file).read_text()
        if text.count(old) != 1:
            wrong.append(f"{name}: its text is {text.count(old)} times in engine/{file}: {old!r}")
        if old == new:
            wrong.append(f"{name}: it changes nothing")
    names = [mutation[0] for mutation in mutations]
    wrong += [f"{name}: the name stands twice" for name in set(names) if names.count(name) > 1]
    if wrong:
        sys.exit("\n".join(wrong))


def sample_of(mutations):
    """Always the same ones, of all files: from each as many as its share of the whole is."""
    return mutations[:: max(1, round(len(mutations) / SAMPLE_SIZE))]


class Mutants:
    """Engine tests in which one object of the engine is another: the rest is linked as it was built."""

    def __init__(self, build_folder, folder):
        self.build_folder, self.folder = build_folder, pathlib.Path(folder)
        subprocess.run(["ninja", "-C", build_folder, "engine_test"], check=True, stdout=subprocess.DEVNULL)
        self.test = build_folder / "tests" / "engine" / "engine_test"
        self.link = self.command("tests/engine/engine_test")

    def command(self, target):
        """Ninja's last command that makes the target."""
        done = subprocess.run(["ninja", "-C", self.build_folder, "-t", "commands", "-s", target],
                              check=True, capture_output=True, text=True)
        command = [word for word in shlex.split(done.stdout.splitlines()[-1]) if word not in (":", "&&")]
        if command[0].endswith("ccache"):
            del command[0]
        return command

    def compile(self, file, source, made):
        command = self.command(f"engine/CMakeFiles/billd_engine.dir/{file}.o")
        for option in ("-MT", "-MF", "-o", "-c"):
            place = command.index(option)
            del command[place:place + 2]
        command.remove("-MD")
        # What a check was for may be unused without it.
        return self.run(command + ["-w", "-o", made, "-c", source])

    def build(self, number, file, text):
        """The tests with this text in the file's place; and what the compiler says when there are none."""
        source, made, test = (self.folder / f"{number}{ending}" for ending in (".cpp", ".o", ""))
        source.write_text(text)
        if problem := self.compile(file, source, made):
            return None, problem
        command = list(self.link)
        place = command.index("-o")
        command[place + 1] = test
        # Before the library, so that the linker takes this object and leaves the library's where it is.
        command.insert(place, made)
        problem = self.run(command)
        return (None, problem) if problem else (test, "")

    def run(self, command):
        done = subprocess.run(command, cwd=self.build_folder, capture_output=True, text=True)
        return "" if done.returncode == 0 else (done.stdout + done.stderr)[-2000:]


def failing(test, names):
    """The tests that fail, None for all; an end of the whole program counts, too."""
    arguments = [test, "--gtest_brief=1", "--gtest_color=no"] + ([f"--gtest_filter={names}"] if names else [])
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=120,
                              env={**os.environ, "BILLD_SEED": "1", "RC_PARAMS": "seed=1", "BILLD_LONG": ""})
    except subprocess.TimeoutExpired:
        return ["it does not end"]
    if done.returncode == 0:
        return []
    failed = [line.split("]", 1)[1].split("(")[0].split(",")[0].strip() for line in done.stdout.splitlines()
              if "[  FAILED  ]" in line]
    return sorted(set(name for name in failed if "." in name)) or [f"it ends with {done.returncode}"]


def attempt(mutants, number, mutation, find):
    """What notices the mutation, and why it cannot be told."""
    _, file, old, new, names = mutation
    text = (ROOT / "engine" / file).read_text().replace(old, new)
    test, problem = mutants.build(number, file, text)
    if problem:
        return [], problem
    noticed = failing(test, None if find else names)
    test.unlink()
    return noticed, ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--texts", action="store_true")
    parser.add_argument("--find", action="store_true")
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "dev")
    options = parser.parse_args()
    check_texts(MUTATIONS)
    if options.texts:
        print(f"{len(MUTATIONS)} mutations fit the code.")
        return 0
    known = {mutation[0] for mutation in MUTATIONS}
    if unknown := set(options.names) - known:
        sys.exit(f"no such mutation: {', '.join(sorted(unknown))}")
    chosen = [mutation for mutation in MUTATIONS if not options.names or mutation[0] in options.names]
    if options.sample and not os.environ.get("BILLD_LONG"):
        chosen = sample_of(chosen)
    begun = time.monotonic()
    unnoticed, broken = [], []
    with tempfile.TemporaryDirectory(prefix="billd-mutations-") as folder:
        mutants = Mutants(options.build.resolve(), folder)
        named = None if options.find else ":".join(mutation[4] for mutation in chosen)
        if already := failing(mutants.test, named):
            sys.exit(f"without any mutation fail: {already}")
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            attempts = {pool.submit(attempt, mutants, number, mutation, options.find): mutation
                        for number, mutation in enumerate(chosen)}
            for done in concurrent.futures.as_completed(attempts):
                name, _, _, _, names = attempts[done]
                noticed, problem = done.result()
                if problem:
                    broken.append(name)
                    print(f"BROKEN     {name}: does not compile:\n{problem}", flush=True)
                    continue
                if not noticed:
                    unnoticed.append(name)
                print(f"{'noticed  ' if noticed else 'UNNOTICED'}  {name}: {', '.join(noticed) or names}", flush=True)
    took = time.monotonic() - begun
    noticed = len(chosen) - len(unnoticed) - len(broken)
    print(f"{noticed} of {len(chosen)} mutations were noticed, of {len(MUTATIONS)} that there are, in {took:.0f} s.")
    return 1 if unnoticed or broken else 0


if __name__ == "__main__":
    sys.exit(main())
