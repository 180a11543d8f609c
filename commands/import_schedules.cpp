// Subscription schedules, read from Stripe's JSON.
#include <algorithm>

#include "commands/import_json.hpp"
#include "commands/import_objects.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

/// The price that an item names or tells.
Result<Price> price_of(const json::object& item, const Named& named) {
  for (const char* name : {"price", "plan"}) {
    if (const json::object* whole = object_of(item, name)) return named.price(*whole);
    const std::string id = text_of(item, name);
    if (id.empty()) continue;
    json::object bare;
    bare["id"] = id;
    return named.price(bare);
  }
  return refusal("the price of an item is not told", "phases");
}

Result<PhaseItem> phase_item_of(const json::object& item, const Named& named) {
  auto refused = refuse_members(item, {"discounts", "billing_thresholds"});
  if (!refused) return refused.error();
  auto price = price_of(item, named);
  if (!price) return price.error();
  auto rates = read_tax_rates(item, "tax_rates");
  if (!rates) return rates.error();
  return PhaseItem{std::move(*price), integer_of(item, "quantity", 1), metadata_of(item), std::move(*rates)};
}

Result<OneTimeItem> one_time_item_of(const json::object& item, const Named& named) {
  auto refused = refuse_members(item, {"discounts", "tax_rates"});
  if (!refused) return refused.error();
  auto price = price_of(item, named);
  if (!price) return price.error();
  return OneTimeItem{std::move(*price), integer_of(item, "quantity", 1), {}};
}

Result<PhaseProration> proration_of(const json::object& phase) {
  const std::string behavior = text_of(phase, "proration_behavior");
  if (behavior == "none") return PhaseProration::none;
  if (behavior == "always_invoice") return PhaseProration::always_invoice;
  if (behavior.empty() || behavior == "create_prorations") return PhaseProration::create_prorations;
  return refusal("billd has no proration_behavior " + behavior, "phases");
}

/// A coupon that the phase names or tells; what it becomes begins with the phase.
Result<std::optional<Discount>> discount_of(const json::object& phase, Timestamp start, const Named& named) {
  json::object as_discount;
  if (const json::value* coupon = member_of(phase, "coupon")) as_discount["coupon"] = *coupon;
  if (const json::value* several = member_of(phase, "discounts"); several != nullptr && several->is_array()) {
    const json::array& all = several->get_array();
    if (all.size() > 1) return refusal("a phase has more than one discount", "phases");
    if (all.size() == 1 && all.front().is_object() && as_discount.empty()) as_discount = all.front().get_object();
  }
  if (as_discount.empty()) return std::optional<Discount>();
  json::object owner;
  owner["discount"] = std::move(as_discount);
  auto discount = read_discount(owner, named);
  if (discount && *discount) (*discount)->start = start;
  return discount;
}

void read_collection(const json::object& phase, Phase& read) {
  if (member_of(phase, "collection_method") == nullptr) return;
  read.collection = collection_of(phase);
  if (const json::object* settings = object_of(phase, "invoice_settings"))
    read.days_until_due = static_cast<std::int32_t>(integer_of(*settings, "days_until_due"));
}

Result<void> read_items(const json::object& phase, const Named& named, Phase& read) {
  const json::value* items = member_of(phase, "items");
  for (const json::object& each : objects_of(items != nullptr ? items : member_of(phase, "plans"))) {
    auto item = phase_item_of(each, named);
    if (!item) return item.error();
    read.items.push_back(std::move(*item));
  }
  for (const json::object& each : objects_of(member_of(phase, "add_invoice_items"))) {
    auto item = one_time_item_of(each, named);
    if (!item) return item.error();
    read.one_time_items.push_back(std::move(*item));
  }
  return {};
}

Result<Phase> phase_of(const json::object& phase, const Named& named) {
  auto refused =
      refuse_members(phase, {"application_fee_percent", "billing_thresholds", "transfer_data", "on_behalf_of"});
  if (!refused) return refused.error();
  const auto start = time_of(phase, "start_date"), end = time_of(phase, "end_date");
  if (!start || !end) return refusal("when a phase begins and ends is not told", "phases");
  Phase read;
  read.start = *start;
  read.end = *end;
  auto items = read_items(phase, named, read);
  if (!items) return items.error();
  auto proration = proration_of(phase);
  if (!proration) return proration.error();
  read.proration = *proration;
  read.trial_end = time_of(phase, "trial_end");
  const std::string anchor = text_of(phase, "billing_cycle_anchor");
  if (anchor == "phase_start") read.anchor = PhaseAnchor::phase_start;
  if (anchor == "automatic") read.anchor = PhaseAnchor::automatic;
  auto discount = discount_of(phase, *start, named);
  if (!discount) return discount.error();
  read.discount = std::move(*discount);
  auto rates = read_tax_rates(phase, "default_tax_rates");
  if (!rates) return rates.error();
  read.tax_rates = std::move(*rates);
  read_collection(phase, read);
  read.default_source = paid_by(phase);
  read.description = text_of(phase, "description");
  read.metadata = metadata_of(phase);
  return read;
}

void read_defaults(const json::object& schedule, Schedule& read) {
  const json::object* defaults = object_of(schedule, "default_settings");
  if (defaults == nullptr) return;
  read.anchor_at_start = text_of(*defaults, "billing_cycle_anchor") == "phase_start";
  read.collection = collection_of(*defaults);
  if (const json::object* settings = object_of(*defaults, "invoice_settings"))
    read.days_until_due = static_cast<std::int32_t>(integer_of(*settings, "days_until_due"));
  read.default_source = paid_by(*defaults);
  read.description = text_of(*defaults, "description");
}

}  // namespace

Result<Schedule> read_schedule(const json::object& schedule, const Named& named) {
  const std::string status = text_of(schedule, "status"), ends = text_of(schedule, "end_behavior");
  if (status != "active" && status != "not_started") return refusal("its status is " + status, "status");
  if (ends != "release" && ends != "cancel") return refusal("billd has no end_behavior " + ends, "end_behavior");
  Schedule read;
  read.id = ScheduleId(text_of(schedule, "id"));
  read.status = status == "active" ? ScheduleStatus::active : ScheduleStatus::not_started;
  read.created = time_of(schedule, "created").value_or(Timestamp());
  read.subscription = SubscriptionId(identifier_of(schedule, "subscription"));
  read.end_behavior = ends == "cancel" ? EndBehavior::cancel : EndBehavior::release;
  for (const json::object& each : objects_of(member_of(schedule, "phases"))) {
    auto phase = phase_of(each, named);
    if (!phase) return phase.error();
    read.phases.push_back(std::move(*phase));
  }
  if (read.phases.empty()) return refusal("its phases are not told", "phases");
  if (read.status == ScheduleStatus::active) {
    const json::object* current = object_of(schedule, "current_phase");
    const auto start = current != nullptr ? time_of(*current, "start_date") : std::nullopt;
    const auto at = std::ranges::find_if(read.phases, [&](const Phase& phase) { return phase.start == start; });
    if (at == read.phases.end()) return refusal("its current phase is not told", "current_phase");
    read.phase = static_cast<std::int32_t>(at - read.phases.begin());
  }
  read_defaults(schedule, read);
  read.metadata = metadata_of(schedule);
  return read;
}

}  // namespace billd::commands
