// What was used of metered items, as Stripe shows it.
#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {

Object& Presenter::usage_record(std::string_view id, const RecordUsage& usage, Timestamp time) {
  Object& object = document_.object(6);
  object.add("id", document_.text(id));
  object.add("object", "usage_record");
  object.add("livemode", mode_ == Mode::live);
  object.add("quantity", usage.quantity);
  object.add("subscription_item", this->id(usage.item));
  object.add("timestamp", to_unix(time));
  return object;
}

Object& Presenter::usage_summary(const Usage& usage, const SubscriptionItem& item) {
  Object& object = document_.object(7);
  object.add("id", document_.text(usage_summary_id(usage, item)));
  object.add("object", "usage_record_summary");
  object.add("invoice", id_or_null(usage.invoice));
  object.add("livemode", mode_ == Mode::live);
  Object& period = document_.object(2);
  period.add("end", time(usage.period.end));
  period.add("start", time(usage.period.start));
  object.add("period", period);
  object.add("subscription_item", id(item.id));
  object.add("total_usage", aggregate(usage, item.price.aggregation));
  return object;
}

std::string usage_summary_id(const Usage& usage, const SubscriptionItem& item) {
  return "sis_" + std::string(id_body(item.id.value())) + "_" + std::to_string(to_unix(usage.period.start));
}

}  // namespace billd::api::stripe
