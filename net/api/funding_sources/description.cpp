#include "net/api/funding_sources/description.hpp"

namespace billd::api::funding_sources {

std::vector<DescribedRoute> described_routes() {
  using enum http::Method;
  const std::string_view user = "/users/{username}", secret = "/users/{username}/secret",
                         sources = "/users/{username}/funding_sources",
                         source = "/users/{username}/funding_sources/{id}";
  std::vector<DescribedRoute> routes = {
      {{post, "/users"},
       "Makes a user: a new customer, or an existing one. The secret is shown this once.",
       201,
       "Users"},
      {{get, user}, "A user.", 200, "Users"},
      {{put, user}, "Changes a user's email and name.", 200, "Users"},
      {{delete_, user}, "Deletes a user, and with it the customer.", 200, "Users"},
      {{post, secret},
       "Gives the user a new secret, which is shown this once; the old one is good no more.",
       200,
       "Users"},
      {{get, sources}, "The user's funding sources, the one used last first.", 200, "FundingSources"},
      {{post, sources}, "Adds funding sources.", 200, "FundingSources"},
      {{get, source}, "A funding source.", 200, "FundingSources"},
      {{put, source}, "Changes a funding source.", 200, "FundingSources"},
      {{delete_, source}, "Removes a funding source.", 200, "FundingSources"},
  };
  for (DescribedRoute& route : routes) {
    route.media_type = route.object == "Users" ? "users/json" : "funding_sources/json";
    const http::Method method = route.served.method;
    const bool has_body = method == put || (method == post && route.served.pattern != secret);
    if (has_body)
      route.body = route.object == "Users" ? described_user(method == post) : described_sources(method == post);
  }
  return routes;
}

}  // namespace billd::api::funding_sources
