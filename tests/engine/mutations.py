#!/usr/bin/env python3
"""Removes clamps, checks and roundings of the engine, one at a time, and shows that a test notices.

  mutations.py                 all of them, in a copy of the tree (takes minutes)
  mutations.py NAME...         only these
  mutations.py --texts         only looks whether each mutation still fits the code
  mutations.py --find NAME...  which tests notice, of all: to choose the one to be named
  --when-long                  only where BILLD_LONG is set; otherwise the test is skipped

Each mutation is a text of one file, which must be there exactly once, what takes its place, and the tests that must
fail. Only the file that is touched is compiled, and only the named tests run.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77

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
     "ARefund.WithoutAnAnswerIsAskedAfterAndSentAgainUnderItsName"),

    # Credit notes.
    ("credit note over what is due", "credit_notes.cpp", "if (left < 0)\n", "if (left < -999'999'999)\n",
     "ACreditNote.BeforePaymentHasItsLimits"),
    ("credit note leaves what cannot be charged", "credit_notes.cpp", "if (left > 0 && left < least.minor)",
     "if (left > 0 && left < least.minor && left < 0)", "ACreditNote.BeforePaymentHasItsLimits"),
    ("credit note over the invoice", "credit_notes.cpp", "if (amount.minor > left)\n",
     "if (amount.minor > left && left < 0)\n", "CreditNotes.AreTogetherAtMostTheInvoice"),
    ("credit notes before payment are not counted after it", "credit_notes.cpp",
     "0) - invoice.credited(false) - invoice.credited(true);", "0) - invoice.credited(true);",
     "CreditNotes.AreTogetherAtMostTheInvoice"),
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
     "if (change.customer().balance - command.credit_amount < -balance_limit) return",
     "if (change.customer().balance - command.credit_amount < -2 * balance_limit) return",
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
     "(*time == next.due && task == Task::resume_collection)", "(*time == next.due && task == Task::renew)",
     "APause.EndsByItself"),
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
     "if (!phases.empty() && each.start && whole_second(*each.start) != start)",
     "if (!phases.empty() && each.start && whole_second(*each.start) < start)", "ASchedule.IsCheckedBeforeItIsMade"),
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
    ("the current phase ends in the past", "schedules.cpp", "if (is_active && phases->front().end <= change.now)",
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
    ("an anchor at a phase's start is forgotten", "schedules.cpp", "if (phase.anchor_at_start && !phase.trial_end) {",
     "if (phase.anchor_at_start && phase.trial_end) {", "APhase.AnchorsTheCycleAnew"),
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
     "proration.discountable = true;", "Proration.*:Lives.*"),
    ("a credit is a debit", "proration.cpp",
     "side == Side::credit ? Money{-amount->minor, amount->currency} : *amount",
     "side == Side::credit ? *amount : *amount", "Proration.*"),
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


class Copy:
    """A copy of the tree with a build of its own."""

    def __init__(self, folder):
        self.root = pathlib.Path(folder) / "billd"
        shutil.copytree(ROOT, self.root, symlinks=True,
                        ignore=lambda _, names: [name for name in names if name in ("build", "node_modules", ".git")])
        self.build_folder = self.root / "build" / "dev"
        subprocess.run([self.root / "scripts" / "build", "dev", "engine_test"], check=True, stdout=subprocess.DEVNULL)
        self.test = next(self.build_folder.rglob("engine_test"))

    def build(self):
        """Whether it compiles; what the compiler says otherwise."""
        done = subprocess.run(["ninja", "-C", self.build_folder, "engine_test"], capture_output=True, text=True)
        return "" if done.returncode == 0 else done.stdout[-2000:]

    def failing(self, tests):
        """The tests that fail, None for all; an end of the whole program counts, too."""
        arguments = [self.test, "--gtest_brief=1", "--gtest_color=no"] + ([f"--gtest_filter={tests}"] if tests else [])
        try:
            done = subprocess.run(arguments, capture_output=True, text=True, timeout=300,
                                  env={**os.environ, "BILLD_SEED": "1", "RC_PARAMS": "seed=1", "BILLD_LONG": ""})
        except subprocess.TimeoutExpired:
            return ["it does not end"]
        if done.returncode == 0:
            return []
        failed = [line.split("]", 1)[1].split("(")[0].strip() for line in done.stdout.splitlines()
                  if "[  FAILED  ]" in line]
        return sorted(set(name for name in failed if "." in name)) or [f"it ends with {done.returncode}"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--texts", action="store_true")
    parser.add_argument("--find", action="store_true")
    parser.add_argument("--when-long", action="store_true")
    options = parser.parse_args()
    if options.when_long and not os.environ.get("BILLD_LONG"):
        print("This takes minutes: ./check --long runs it.")
        return SKIPPED
    check_texts(MUTATIONS)
    if options.texts:
        print(f"{len(MUTATIONS)} mutations fit the code.")
        return 0
    known = {mutation[0] for mutation in MUTATIONS}
    if unknown := set(options.names) - known:
        sys.exit(f"no such mutation: {', '.join(sorted(unknown))}")
    chosen = [mutation for mutation in MUTATIONS if not options.names or mutation[0] in options.names]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="billd-mutations-") as folder:
        copy = Copy(folder)
        if failing := copy.failing(None if options.find else ":".join(mutation[4] for mutation in chosen)):
            sys.exit(f"without any mutation fail: {failing}")
        unnoticed = []
        for name, file, old, new, tests in chosen:
            path = copy.root / "engine" / file
            original = path.read_text()
            path.write_text(original.replace(old, new))
            problem = copy.build()
            failing = [] if problem else copy.failing(None if options.find else tests)
            path.write_text(original)
            if problem:
                sys.exit(f"{name}: does not compile:\n{problem}")
            if not failing:
                unnoticed.append(name)
            print(f"{'noticed  ' if failing else 'UNNOTICED'}  {name}: {', '.join(failing) or tests}", flush=True)
    took = time.monotonic() - begun
    print(f"{len(chosen) - len(unnoticed)} of {len(chosen)} mutations were noticed, in {took:.0f} s.")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
