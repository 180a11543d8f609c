// The two functions that decide everything: what a command does to an account, and what time does.
#pragma once

#include <array>
#include <optional>

#include "engine/command.hpp"
#include "engine/result.hpp"
#include "engine/rules.hpp"
#include "engine/transition.hpp"

namespace billd {

/// Decides a command. A failure changes nothing; the same account, command, time and rules always decide the same.
/// `now` is the account's own time: real, or its test clock's.
Result<Transition> decide(Account account, const Command& command, Timestamp now, const Rules& rules);

/// Does what has become due: the earliest thing first, then what follows from it, until a charge has to be sent or
/// nothing more is due; at most one period of one subscription is begun per call, so that long stops are worked off one
/// period at a time. With nothing due the transition is unchanged.
Result<Transition> tick(Account account, Timestamp now, const Rules& rules);

/// What the customer's next invoice would be, if the command were carried out now (without one: if nothing changed):
/// the invoice which the command makes, or else the next one of `subscription` (empty: of whichever comes first), to
/// find which the account is lived ahead by tick() and nothing of it kept. So what is previewed is what is billed; its
/// identifiers mean nothing. not_found when nothing would be billed.
Result<Invoice> preview(Account account, const std::optional<Command>& command, const SubscriptionId& subscription,
                        Timestamp now, const Rules& rules);

/// The queues in which accounts wait. The numbers are stored nowhere; the names (to_text) are part of storage keys.
enum class Queue : std::uint8_t { renewal, cancellation, invoice_closing, collection };
inline constexpr std::size_t queue_count = 4;

std::string_view to_text(Queue queue);

/// When the account is due in each queue; empty: it does not wait there.
using Timers = std::array<std::optional<Timestamp>, queue_count>;

/// What the account waits for: a function of its state alone.
///   renewal          a live subscription's period ends and it goes on, the end of its trial or its next invoice is to
///                    be announced, its collection resumes, a phase of its schedule begins or ends, a card's last month
///                    begins, or items of a subscription that has ended are to be billed
///   cancellation     a subscription ends: at its period's end, because the word that renews it has not come in its
///                    grace, or because its first payment is overdue (which can only be said when no charge of it is
///                    unresolved)
///   invoice_closing  a draft invoice is to be finalized
///   collection       an open invoice's next attempt, the question what became of a charge or of a refund,
///                    or the due date of an invoice that was sent and the final deadline after it
Timers timers(const Account& account);

/// The earliest of the timers.
std::optional<Timestamp> next_due(const Timers& timers);

}  // namespace billd
