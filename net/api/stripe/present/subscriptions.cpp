// Subscriptions and their items as Stripe shows them.
#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {

std::string_view status_name(SubscriptionStatus status) {
  switch (status) {
    case SubscriptionStatus::incomplete:
      return "incomplete";
    case SubscriptionStatus::incomplete_expired:
      return "incomplete_expired";
    case SubscriptionStatus::trialing:
      return "trialing";
    case SubscriptionStatus::active:
      return "active";
    case SubscriptionStatus::past_due:
      return "past_due";
    case SubscriptionStatus::unpaid:
      return "unpaid";
    case SubscriptionStatus::canceled:
      return "canceled";
    case SubscriptionStatus::paused:
      return "paused";
  }
  return "";
}

namespace {

std::string_view name(MissingPaymentMethod behavior) {
  switch (behavior) {
    case MissingPaymentMethod::create_invoice:
      return "create_invoice";
    case MissingPaymentMethod::cancel:
      return "cancel";
    case MissingPaymentMethod::pause:
      return "pause";
  }
  return "";
}

}  // namespace

Object& Presenter::subscription_item(const SubscriptionItem& item, const Subscription& subscription) {
  Object& object = document_.object(12);
  object.add("id", id(item.id));
  object.add("object", "subscription_item");
  object.add("billing_thresholds", nullptr);
  object.add("created", time(item.created));
  object.add("current_period_end", time(subscription.current_period.end));
  object.add("current_period_start", time(subscription.current_period.start));
  object.add("metadata", metadata(item.metadata));
  object.add("plan", plan(item.price, item.created));
  object.add("price", price(item.price, item.created));
  if (!item.price.is_metered()) object.add("quantity", item.quantity);
  object.add("subscription", id(subscription.id));
  object.add("tax_rates", tax_rates(item.tax_rates));
  return object;
}

Value Presenter::pending_item_interval(const Subscription& subscription) {
  if (!subscription.pending_item_interval) return {};
  const Recurrence recurrence = subscription.pending_item_interval->recurrence;
  Object& object = document_.object(2);
  object.add("interval", document_.text(to_text(recurrence.interval)));
  object.add("interval_count", recurrence.count);
  return object;
}

Value Presenter::pending_update(const Subscription& subscription) {
  if (!subscription.pending_update) return {};
  const PendingUpdate& update = *subscription.pending_update;
  const bool moves_anchor = update.anchor != subscription.anchor;
  const bool moves_trial = update.trial_end != subscription.trial_end;
  Object& object = document_.object(5);
  object.add("billing_cycle_anchor", moves_anchor ? time(update.anchor) : Value());
  object.add("expires_at", time(update.expires_at));
  if (update.items == subscription.items) {
    object.add("subscription_items", nullptr);
  } else {
    Array& items = document_.array(update.items.size());
    for (const SubscriptionItem& item : update.items) items.add(subscription_item(item, subscription));
    object.add("subscription_items", items);
  }
  object.add("trial_end", moves_trial ? time_or_null(update.trial_end) : Value());
  object.add("trial_from_plan", nullptr);
  return object;
}

Object& Presenter::subscription(const Subscription& subscription, const Owner& owner) {
  const bool single = subscription.items.size() == 1;
  const SubscriptionItem& first = subscription.items.front();
  Object& object = document_.object(58);
  object.add("id", id(subscription.id));
  object.add("object", "subscription");
  object.add("application", nullptr);
  object.add("application_fee_percent", nullptr);
  Object& automatic_tax = document_.object(1);
  automatic_tax.add("enabled", false);
  object.add("automatic_tax", automatic_tax);
  object.add("billing", document_.text(name(subscription.collection)));
  object.add("billing_cycle_anchor", time(subscription.anchor));
  object.add("billing_thresholds", nullptr);
  object.add("cancel_at", subscription.cancel_at_period_end ? time(subscription.current_period.end)
                                                            : time_or_null(subscription.cancel_at));
  object.add("cancel_at_period_end", subscription.cancel_at_period_end);
  object.add("canceled_at", time_or_null(subscription.canceled_at));
  Object& cancellation = document_.object(3);
  cancellation.add("comment", document_.text_or_null(subscription.cancellation_comment));
  cancellation.add("feedback", document_.text_or_null(subscription.cancellation_feedback));
  const bool is_asked_for = subscription.cancel_at_period_end || subscription.cancel_at ||
                            !subscription.cancellation_comment.empty() || !subscription.cancellation_feedback.empty();
  cancellation.add("reason", is_asked_for ? Value("cancellation_requested") : Value());
  object.add("cancellation_details", cancellation);
  object.add("collection_method", document_.text(name(subscription.collection)));
  object.add("created", time(subscription.created));
  object.add("currency", document_.text(first.price.unit_amount.currency.code()));
  object.add("current_period_end", time(subscription.current_period.end));
  object.add("current_period_start", time(subscription.current_period.start));
  object.add("customer", id(owner.customer));
  object.add("days_until_due", subscription.days_until_due == 0 ? Value() : Value(subscription.days_until_due));
  const bool by_newer_name = subscription.default_source.value().starts_with(PaymentMethodKind::prefix);
  object.add("default_payment_method", by_newer_name ? id(subscription.default_source) : Value());
  object.add("default_source", by_newer_name ? Value() : id_or_null(subscription.default_source));
  object.add("default_tax_rates", tax_rates(subscription.tax_rates));
  object.add("description", document_.text_or_null(subscription.description));
  object.add("discount", discount_or_null(subscription.discount, owner.customer));
  const Discount* discount = subscription.discount ? &*subscription.discount : nullptr;
  object.add("discounts", discount_ids(std::span(discount, discount != nullptr ? 1 : 0)));
  object.add("ended_at", time_or_null(subscription.ended_at));
  Array& items = document_.array(subscription.items.size());
  for (const SubscriptionItem& item : subscription.items) items.add(subscription_item(item, subscription));
  object.add("items", list("/v1/subscription_items?subscription=" + subscription.id.value(), items, false,
                           subscription.items.size()));
  object.add("latest_invoice", id_or_null(subscription.latest_invoice));
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(subscription.metadata));
  const auto& items_billed = subscription.pending_item_interval;
  object.add("next_pending_invoice_item_invoice",
             items_billed && subscription.is_live() ? time(items_billed->next()) : Value());
  object.add("on_behalf_of", nullptr);
  object.add("pause_collection", pause_collection(subscription));
  Object& payment_settings = document_.object(3);
  payment_settings.add("payment_method_options", nullptr);
  payment_settings.add("payment_method_types", nullptr);
  payment_settings.add("save_default_payment_method",
                       subscription.saves_source ? Value("on_subscription") : Value("off"));
  object.add("payment_settings", payment_settings);
  object.add("pending_invoice_item_interval", pending_item_interval(subscription));
  object.add("pending_setup_intent", nullptr);
  object.add("pending_update", pending_update(subscription));
  object.add("plan", single ? Value(plan(first.price, first.created)) : Value());
  object.add("quantity", single && !first.price.is_metered() ? Value(first.quantity) : Value());
  object.add("schedule", id_or_null(subscription.schedule));
  const Timestamp start = subscription.start_date.value_or(subscription.created);
  object.add("start", time(start));
  object.add("start_date", time(start));
  object.add("status", document_.text(status_name(subscription.status)));
  object.add("tax_percent", tax_percent(subscription.tax_rates));
  object.add("test_clock", owner.account != nullptr ? id_or_null(owner.account->customer.test_clock) : Value());
  object.add("transfer_data", nullptr);
  object.add("trial_end", time_or_null(subscription.trial_end));
  Object& trial_settings = document_.object(1);
  Object& end_behavior = document_.object(1);
  end_behavior.add("missing_payment_method", document_.text(name(subscription.missing_payment_method)));
  trial_settings.add("end_behavior", end_behavior);
  object.add("trial_settings", trial_settings);
  object.add("trial_start", time_or_null(subscription.trial_start));
  // Extensions of billd's, told only where they are used.
  if (subscription.renewal_trigger == RenewalTrigger::webhook) {
    object.add("renewal_trigger", "webhook");
    object.add("grace_until", time_or_null(subscription.grace_until));
  }
  return object;
}

}  // namespace billd::api::stripe
