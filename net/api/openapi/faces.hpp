// The APIs beside Stripe's in the description of all that billd serves.
#pragma once

#include "net/api/openapi/document.hpp"
#include "net/api/openapi/parts.hpp"

namespace billd::api::openapi {

/// Adds what Stancer's API, the Management API and that of funding sources serve.
void add_faces(json::object& paths, json::object& schemas, json::object& security_schemes, const OpenApiInfo& info);

}  // namespace billd::api::openapi
