// What became of the payment that a command began, as its last transition tells.
#pragma once

#include <optional>
#include <string_view>

#include "engine/transition.hpp"
#include "net/api/billing.hpp"
#include "net/api/stripe/reply.hpp"

namespace billd::api::stripe {

/// The invoice, in the account or among what left it with the transition; nullptr when it is in neither.
const Invoice* find_invoice(const Transition& after, std::string_view id);
const Subscription* find_subscription(const Transition& after, std::string_view id);
/// The invoice that was drawn up with the subscription.
const Invoice* first_invoice_of(const Transition& after, std::string_view subscription);

/// Stripe's error when the invoice's last charge was declined, or when its outcome is not known yet. Empty: it is paid.
std::optional<Answer> unpaid_answer(const Invoice& invoice);

/// What is shown of a change of the subscription as it was before: as `shown`, or as Stripe's error when the change had
/// to be paid for and was not.
Show unless_unpaid(const Subscription& before, PaymentBehavior behavior, Show shown);

}  // namespace billd::api::stripe
