#include "commands/import_selection.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace billd::commands {

namespace json = boost::json;

void add_unknown(Objects& objects, Objects more) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < objects.size(); ++i) places.emplace(text_of(objects[i], "id"), i);
  for (json::object& object : more) {
    const auto [place, is_new] = places.try_emplace(text_of(object, "id"), objects.size());
    if (is_new)
      objects.push_back(std::move(object));
    else if (const json::value* created = object.if_contains("created"))
      objects[place->second].emplace("created", *created);
  }
}

void sort_newest_first(Objects& objects) {
  // What was made in the same second stays in its order.
  std::vector<std::pair<std::int64_t, std::size_t>> order;
  for (std::size_t i = 0; i < objects.size(); ++i) order.emplace_back(-integer_of(objects[i], "created"), i);
  std::ranges::sort(order);
  Objects sorted;
  for (const auto& [created, place] : order) sorted.push_back(std::move(objects[place]));
  objects = std::move(sorted);
}

bool is_unfinished(const json::object& invoice) {
  const std::string status = text_of(invoice, "status");
  return status == "open" || status == "draft";
}

bool has_ended(const json::object& subscription) {
  const std::string status = text_of(subscription, "status");
  return status == "canceled" || status == "incomplete_expired";
}

bool goes_on(const json::object& schedule) {
  const std::string status = text_of(schedule, "status");
  return status == "not_started" || status == "active";
}

std::vector<std::string> metered_items(const Objects& subscriptions) {
  std::vector<std::string> ids;
  for (const json::object& subscription : subscriptions)
    for (const json::object& item : objects_of(subscription.if_contains("items"))) {
      const json::object* plan = object_of(item, "plan");
      const json::object* price = object_of(item, "price");
      const json::object* recurring = price != nullptr ? object_of(*price, "recurring") : nullptr;
      for (const json::object* terms : {plan, recurring})
        if (terms != nullptr && text_of(*terms, "usage_type") == "metered" && text_of(*terms, "meter").empty()) {
          ids.push_back(text_of(item, "id"));
          break;
        }
    }
  return ids;
}

std::set<std::string> ended_of(const ForeignCustomer& whole) {
  std::set<std::string> ids;
  for (const json::object& invoice : whole.invoices) ids.insert(identifier_of(invoice, "subscription"));
  for (const json::object& subscription : whole.subscriptions) ids.erase(text_of(subscription, "id"));
  ids.erase("");
  return ids;
}

}  // namespace billd::commands
