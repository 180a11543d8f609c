// What stands in the Authorization field of a request.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace billd::api {

/// "Basic": what was before the first colon, and what was behind it.
struct BasicCredentials {
  std::string user, password;
};

/// Empty for another scheme (whose case does not count) or what is no base64.
std::optional<BasicCredentials> read_basic(std::string_view authorization);

/// The rest behind "Bearer"; empty for another scheme.
std::optional<std::string> read_bearer(std::string_view authorization);

/// Whether two secrets' hashes are the same, in a time that tells nothing of where they differ.
bool equals_in_constant_time(std::string_view left, std::string_view right);

}  // namespace billd::api
