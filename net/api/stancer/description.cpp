#include "net/api/stancer/description.hpp"

namespace billd::api::stancer {

std::vector<DescribedRoute> described_routes() {
  using enum http::Method;
  std::vector<DescribedRoute> routes = {
      {{post, "/v1/customers"}, "Makes a customer, unless there is one with the same email, mobile and external_id."},
      {{get, "/v1/customers/{id}"}, "A customer."},
      {{patch, "/v1/customers/{id}"}, "Changes what is given of a customer.", 204},
      {{delete_, "/v1/customers/{id}"}, "Deletes a customer; the subscriptions end.", 204},
  };
  for (DescribedRoute& route : routes) {
    if (route.status != 204) route.object = "Customer";
    if (route.served.method == post || route.served.method == patch) route.body = described_customer();
  }
  return routes;
}

}  // namespace billd::api::stancer
