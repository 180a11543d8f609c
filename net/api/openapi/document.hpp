// The description of all that billd serves, in the form of OpenAPI 3.1, made from the tables that serve it.
#pragma once

#include <string>
#include <string_view>

namespace billd::api {

struct OpenApiInfo {
  std::string version;             ///< of billd
  std::string api_url;             ///< where programs reach the APIs
  std::string operators_url = {};  ///< where operators reach their listener; empty: it is left out
  /// Where they have listeners or paths of their own; empty: where all APIs are.
  std::string stancer_url = {}, management_url = {}, funding_sources_url = {};
};

/// The paths of Stancer's API stand there without their /v1, for Stripe's are the same: it is in their server.
std::string openapi_document(const OpenApiInfo& info);

}  // namespace billd::api
