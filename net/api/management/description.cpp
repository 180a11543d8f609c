#include "net/api/management/description.hpp"

#include <array>

namespace billd::api::management {
namespace {

/// An action by its method alone, and by its name.
struct Action {
  http::Method method;
  std::string_view pattern, named_pattern, summary, object;
  bool is_list = false;
};
constexpr std::array actions = {
    Action{http::Method::put, "/api/v01/customers", "/api/v01/customers/~create", "Makes a customer.", "Customer"},
    Action{http::Method::get, "/api/v01/customers", "/api/v01/customers/~find",
           "Customers that meet all of the filters, in the order of their ids.", "Customer", true},
    Action{http::Method::get, "/api/v01/customers/{id}", "/api/v01/customers/{id}/~load", "A customer.", "Customer"},
    Action{http::Method::post, "/api/v01/customers/{id}", "/api/v01/customers/{id}/~modify",
           "Changes what is given of a customer.", "Customer"},
    Action{http::Method::get, "/api/v01/customers/{id}/subscriptions", "/api/v01/customers/{id}/subscriptions/~find",
           "A customer's subscriptions, those that have ended included.", "Subscription", true},
    Action{http::Method::get, "/api/v01/customers/{id}/payment-options",
           "/api/v01/customers/{id}/payment-options/~find", "What a customer pays with.", "PaymentOption", true},
};

DescribedRoute described(const Action& action, std::string_view pattern) {
  DescribedRoute route{{action.method, pattern}, action.summary, 200, action.object, action.is_list};
  if (action.is_list) route.query = described_query(action.object == "Customer");
  if (action.method != http::Method::get) route.body = described_customer(action.method == http::Method::put);
  return route;
}

}  // namespace

std::vector<DescribedRoute> described_routes() {
  std::vector<DescribedRoute> routes;
  for (const Action& action : actions)
    for (const std::string_view pattern : {action.pattern, action.named_pattern})
      routes.push_back(described(action, pattern));
  return routes;
}

}  // namespace billd::api::management
