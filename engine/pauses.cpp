// Paused collection: a subscription's periods go on, and its new invoices are not collected.
// Source: https://docs.stripe.com/billing/subscriptions/pause-payment.
#include "engine/change.hpp"

namespace billd {

Result<void> check_pause(const Change& change, const Pause& pause) {
  if (pause.resumes_at && (*pause.resumes_at <= change.now || *pause.resumes_at > end_of_time))
    return Failure{Errc::invalid_parameter, "Invalid timestamp: must be an integer Unix timestamp in the future",
                   "pause_collection[resumes_at]"};
  return {};
}

Result<void> hold_back(Change& change, Invoice& invoice, PauseBehavior behavior) {
  switch (behavior) {
    case PauseBehavior::keep_as_draft:
      // It stays one when collection resumes: somebody has to finalize it.
      stop_collecting(change, invoice);
      return {};
    case PauseBehavior::void_:
      return make_void(change, invoice);
    case PauseBehavior::mark_uncollectible: {
      stop_collecting(change, invoice);
      auto finalized = finalize_invoice(change, invoice);
      if (!finalized) return finalized.error();
      // What the balance covers is paid.
      if (invoice.status == InvoiceStatus::open) make_uncollectible(change, invoice);
      return {};
    }
  }
  return {};
}

void resume_collection(Change& change, Subscription& subscription) {
  Subscription before = subscription;
  subscription.pause.reset();
  change.emit_update(EventType::subscription_updated, std::move(before), subscription);
}

}  // namespace billd
