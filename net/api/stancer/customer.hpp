// The customer as Stancer's API writes it, and what may be said of one in a request.
#pragma once

#include <optional>
#include <string>

#include "engine/account.hpp"
#include "engine/result.hpp"
#include "net/http/message.hpp"

namespace billd::api::stancer {

/// What a request says of a customer. Members without a value were not given; an empty text stands for null.
struct CustomerFields {
  std::optional<std::string> email, mobile, name, external_id;
  std::optional<bool> live_mode;
};

/// Reads the request's JSON; an empty body says nothing. Members of other names are ignored. invalid_parameter with a
/// sentence that names the member.
Result<CustomerFields> read_customer(const http::Request& request);

/// "cust_" and the 24 characters that the customer has in every API.
std::string customer_id(const Customer& customer);

/// The object's six members, and `external_id` when there is one.
std::string render_customer(const Account& account);

}  // namespace billd::api::stancer
